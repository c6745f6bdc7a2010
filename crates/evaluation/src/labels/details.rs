//! What labels say of a face beside its expression: the groups it belongs to, who it is, and how
//! pleased and how lively it looks.

use serde::{Deserialize, Serialize};

use super::text::is_missing;

/// The columns of groups that are read without being asked for.
pub const GROUP_COLUMNS: [&str; 3] = ["age", "light", "site"];

/// How AffectNet says that a face has no valence and arousal.
const AFFECT_NONE: f32 = -2.0;

/// What a row says of a face beside its expression.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelDetails {
    /// The groups that the face is in: for each column that names one, the column and the group.
    pub groups: Vec<(String, String)>,
    /// Who it is, under any name; empty where the row does not tell.
    pub subject: String,
    /// Unpleasant -1 to pleasant 1.
    pub valence: Option<f32>,
    /// Calm -1 to activated 1.
    pub arousal: Option<f32>,
}

/// A cell that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongCell {
    /// The column.
    pub column: &'static str,
    /// Its content.
    pub found: String,
}

impl WrongCell {
    /// What would do.
    pub const EXPECTED: &str = "a number from -1 to 1";
}

impl LabelDetails {
    /// Whether it says anything about valence or arousal.
    pub fn has_affect(&self) -> bool {
        self.valence.or(self.arousal).is_some()
    }

    /// Adds what another row says of the same face at the same time; what the two say differently is
    /// left out.
    pub fn merge(&mut self, other: &Self) {
        let merged = |one: &mut Option<f32>, other: Option<f32>| {
            *one = match (*one, other) {
                (Some(a), Some(b)) if a != b => None,
                (a, b) => a.or(b),
            };
        };
        merged(&mut self.valence, other.valence);
        merged(&mut self.arousal, other.arousal);
        if self.subject.is_empty() {
            self.subject.clone_from(&other.subject);
        } else if !other.subject.is_empty() && self.subject != other.subject {
            self.subject.clear();
        }
        for (column, group) in &other.groups {
            match self.groups.iter().position(|(known, _)| known == column) {
                None => self.groups.push((column.clone(), group.clone())),
                Some(index) if self.groups[index].1 != *group => {
                    self.groups.remove(index);
                }
                Some(_) => {}
            }
        }
    }
}

/// Where a file has its details.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailColumns {
    groups: Vec<(String, usize)>,
    subject: Option<usize>,
    valence: Option<usize>,
    arousal: Option<usize>,
}

impl DetailColumns {
    /// Finds them in a header. `wanted`: the columns of groups; empty for those of
    /// [`GROUP_COLUMNS`] that are there.
    ///
    /// # Errors
    /// The column that is wanted and not there.
    pub fn find<'a>(
        header: impl Iterator<Item = &'a str> + Clone,
        wanted: &[String],
    ) -> Result<Self, String> {
        let find =
            |name: &str| header.clone().position(|column| column.trim().eq_ignore_ascii_case(name));
        let mut groups = Vec::new();
        for name in wanted {
            groups.push((name.clone(), find(name).ok_or_else(|| name.clone())?));
        }
        if wanted.is_empty() {
            let usual = GROUP_COLUMNS.into_iter();
            groups.extend(usual.filter_map(|name| Some((name.to_owned(), find(name)?))));
        }
        let [subject, valence, arousal] = ["subject", "valence", "arousal"].map(find);
        Ok(Self { groups, subject, valence, arousal })
    }

    /// Reads a row; `None` where the file has no such column.
    ///
    /// # Errors
    /// The cell that should be a number from -1 to 1 and is not.
    pub fn read<'a>(
        &self,
        cell: impl Fn(usize) -> &'a str,
    ) -> Result<Option<LabelDetails>, WrongCell> {
        if *self == Self::default() {
            return Ok(None);
        }
        let cell = |index: usize| {
            let cell = cell(index).trim();
            if is_missing(cell) { "" } else { cell }
        };
        let groups =
            self.groups.iter().map(|(name, index)| (name.clone(), group(name, cell(*index))));
        let groups = groups.filter(|(_, group)| !group.is_empty()).collect();
        Ok(Some(LabelDetails {
            groups,
            subject: self.subject.map_or_else(String::new, |index| cell(index).to_owned()),
            valence: self.valence.map_or(Ok(None), |index| affect("valence", cell(index)))?,
            arousal: self.arousal.map_or(Ok(None), |index| affect("arousal", cell(index)))?,
        }))
    }
}

/// Years of age are put together by tens; other groups are what the cell says.
fn group(column: &str, cell: &str) -> String {
    let years = cell.replacen(',', ".", 1).parse::<f64>().ok();
    match years.filter(|years| column.eq_ignore_ascii_case("age") && (0.0..200.0).contains(years)) {
        Some(years) => {
            let from = (years / 10.0).floor() * 10.0;
            format!("{from} to {}", from + 9.0)
        }
        None => cell.to_owned(),
    }
}

fn affect(column: &'static str, cell: &str) -> Result<Option<f32>, WrongCell> {
    if cell.is_empty() {
        return Ok(None);
    }
    let point = if cell.contains('.') { cell.to_owned() } else { cell.replacen(',', ".", 1) };
    match point.parse::<f32>() {
        Ok(AFFECT_NONE) => Ok(None),
        Ok(value) if (-1.0..=1.0).contains(&value) => Ok(Some(value)),
        _ => Err(WrongCell { column, found: cell.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(column, group)| ((*column).to_owned(), (*group).to_owned())).collect()
    }

    fn read(header: &str, row: &str, wanted: &[&str]) -> Result<Option<LabelDetails>, WrongCell> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let columns = DetailColumns::find(header.split(';'), &wanted).unwrap();
        let cells: Vec<&str> = row.split(';').collect();
        columns.read(|index| cells[index])
    }

    #[test]
    fn groups_and_affect_are_read() {
        let header = "label;Age;light;valence;arousal;subject";
        let found = read(header, "sad;34;dim;-0,25;0.5;p7", &[]).unwrap().unwrap();
        assert_eq!(found.groups, groups(&[("age", "30 to 39"), ("light", "dim")]));
        assert_eq!((found.valence, found.arousal), (Some(-0.25), Some(0.5)));
        assert_eq!(found.subject, "p7");
        // AffectNet's sign for none, and nothing.
        let found = read(header, "sad;child;;-2;NaN;", &[]).unwrap().unwrap();
        assert_eq!(found.groups, groups(&[("age", "child")]));
        assert!(!found.has_affect());
        assert_eq!(read("label;other", "sad;x", &[]), Ok(None));
        let found = read("label;other", "sad;x", &["other"]).unwrap().unwrap();
        assert_eq!(found.groups, groups(&[("other", "x")]));
        for wrong in ["3", "-1.01", "much", "inf"] {
            let error = read("valence", wrong, &[]).unwrap_err();
            assert_eq!((error.column, error.found.as_str()), ("valence", wrong));
        }
        let missing = DetailColumns::find(["label"].into_iter(), &["weather".into()]);
        assert_eq!(missing, Err("weather".to_owned()));
    }

    #[test]
    fn what_two_rows_say_differently_is_left_out() {
        let details = |of: &[(&str, &str)], valence, arousal| LabelDetails {
            groups: groups(of),
            subject: String::new(),
            valence,
            arousal,
        };
        let mut one = details(&[("light", "dim")], Some(0.5), None);
        one.merge(&details(&[("light", "bright"), ("site", "hall")], Some(0.5), Some(-0.5)));
        assert_eq!(one, details(&[("site", "hall")], Some(0.5), Some(-0.5)));
        one.merge(&details(&[("site", "hall")], Some(0.25), None));
        assert_eq!(one, details(&[("site", "hall")], None, Some(-0.5)));
    }
}
