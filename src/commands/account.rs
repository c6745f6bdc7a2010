//! Who is in view, how they look, and what the robot does, as it goes on: the state behind `rapport
//! watch`, and the lines it prints.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Figures of the last moments are taken over this long.
const RECENT: Duration = Duration::from_secs(2);

/// Cells of the bar that shows a confidence.
const BAR_CELLS: usize = 20;

/// Latencies are counted in steps of this many microseconds, the precision in which they are told.
const LATENCY_STEP_US: u128 = 100;

/// One face as a message reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceLine {
    /// Who.
    pub face_id: String,
    /// The expression shown.
    pub label: String,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
    /// Whether it is sure enough to be called more than a guess.
    pub sure: bool,
    /// Unpleasant -1 to pleasant 1.
    pub valence: f32,
    /// Calm -1 to activated 1.
    pub arousal: f32,
}

impl FaceLine {
    /// The label, with a question mark where it is a guess.
    fn shown_label(&self) -> String {
        format!("{}{}", self.label, if self.sure { "" } else { "?" })
    }
}

/// Everything seen so far. Times are those of the watching process, from any origin.
#[derive(Debug, Default)]
pub struct Account {
    first: Option<Duration>,
    last: Duration,
    frames: usize,
    frames_with_faces: usize,
    latencies: Latencies,
    recent: VecDeque<(Duration, Option<Duration>)>,
    in_view: Vec<FaceLine>,
    /// Every face that came, in that order.
    seen: Vec<Seen>,
    responses: BTreeMap<String, usize>,
}

/// What is remembered of a face.
#[derive(Debug)]
struct Seen {
    face_id: String,
    /// The label of the last line about it.
    told: String,
    /// In how many frames the face had each label.
    frames: BTreeMap<String, usize>,
}

/// How often each latency occurred: days of frames in little memory.
#[derive(Debug, Default)]
struct Latencies {
    counts: BTreeMap<u128, usize>,
    total: usize,
}

impl Account {
    /// Takes the faces of one frame, which came at `now`, `latency` after its image if that was
    /// seen too. Returns a line for each face that is new or shows another expression.
    pub fn frame(
        &mut self,
        now: Duration,
        latency: Option<Duration>,
        faces: Vec<FaceLine>,
    ) -> Vec<String> {
        self.first.get_or_insert(now);
        self.last = now;
        self.frames += 1;
        self.frames_with_faces += usize::from(!faces.is_empty());
        self.latencies.extend(latency);
        self.recent.push_back((now, latency));
        while self.recent.front().is_some_and(|(at, _)| now.saturating_sub(*at) > RECENT) {
            self.recent.pop_front();
        }
        let mut changes = Vec::new();
        for face in &faces {
            let seen = self.memory_of(&face.face_id);
            if seen.told != face.label {
                seen.told.clone_from(&face.label);
                let percent = face.confidence * 100.0;
                let label = face.shown_label();
                changes.push(format!("{} looks {label} ({percent:.0} %)", face.face_id));
            }
            *seen.frames.entry(face.label.clone()).or_default() += 1;
        }
        self.in_view = faces;
        changes
    }

    fn memory_of(&mut self, face_id: &str) -> &mut Seen {
        let index =
            self.seen.iter().rposition(|seen| seen.face_id == face_id).unwrap_or_else(|| {
                self.seen.push(Seen {
                    face_id: face_id.to_owned(),
                    told: String::new(),
                    frames: BTreeMap::new(),
                });
                self.seen.len() - 1
            });
        &mut self.seen[index]
    }

    /// Takes a response of the robot, by the name of its rule.
    pub fn response(&mut self, rule: &str) {
        *self.responses.entry(rule.to_owned()).or_default() += 1;
    }

    /// When the last frame came; `None` before the first.
    pub fn last_frame(&self) -> Option<Duration> {
        self.first.map(|_| self.last)
    }

    /// One line of figures about the last moments.
    pub fn status(&self) -> String {
        let mut latencies = Latencies::default();
        latencies.extend(self.recent.iter().filter_map(|(_, latency)| *latency));
        format!(
            "{:>5.1} frames/s   image to emotion {}   {} in view",
            rate(self.recent.len(), self.recent.front().map(|r| r.0), self.last),
            latencies.percentiles(),
            self.in_view.len()
        )
    }

    /// A line for each face in view: who, what, how sure, how pleasant and how activated.
    pub fn faces(&self) -> Vec<String> {
        let line = |face: &FaceLine| {
            let cells = (face.confidence * BAR_CELLS as f32).round() as usize;
            let bar = "█".repeat(cells.min(BAR_CELLS));
            format!(
                "  {:<9} {:<9} {:>3.0} % {bar:<BAR_CELLS$}  valence {:>5.2}  arousal {:>5.2}",
                face.face_id,
                face.shown_label(),
                face.confidence * 100.0,
                face.valence,
                face.arousal
            )
        };
        self.in_view.iter().map(line).collect()
    }

    /// The lines at the end: totals, people and responses.
    pub fn summary(&self) -> Vec<String> {
        let Some(first) = self.first else {
            return vec!["No emotion messages came.".to_owned()];
        };
        let secs = self.last.saturating_sub(first).as_secs_f64();
        let rate = rate(self.frames, Some(first), self.last);
        let mut lines = vec![
            format!("frames processed  {} in {secs:.1} s, {rate:.1} a second", self.frames),
            format!("image to emotion  {}", self.latencies.percentiles()),
            format!(
                "with faces        {} of the frames",
                share(self.frames_with_faces, self.frames)
            ),
            format!("people            {}", self.seen.len()),
        ];
        for Seen { face_id, frames: labels, .. } in &self.seen {
            let frames: usize = labels.values().sum();
            let mut labels: Vec<_> = labels.iter().collect();
            labels.sort_by_key(|(label, count)| (std::cmp::Reverse(**count), *label));
            let shown: Vec<_> = labels
                .iter()
                .map(|(label, count)| format!("{label} {}", share(**count, frames)))
                .collect();
            lines.push(format!("  {face_id:<9} {frames:>4} frames: {}", shown.join(", ")));
        }
        let total: usize = self.responses.values().sum();
        lines.push(format!("robot's responses {total}"));
        for (rule, count) in &self.responses {
            lines.push(format!("  {rule}: {count}"));
        }
        lines
    }
}

fn rate(count: usize, from: Option<Duration>, to: Duration) -> f64 {
    let secs = from.map_or(0.0, |from| to.saturating_sub(from).as_secs_f64());
    if secs > 0.0 && count > 1 { (count - 1) as f64 / secs } else { 0.0 }
}

fn share(part: usize, whole: usize) -> String {
    format!("{:.0} %", 100.0 * part as f64 / whole.max(1) as f64)
}

impl Extend<Duration> for Latencies {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, latencies: T) {
        for latency in latencies {
            let steps = (latency.as_micros() + LATENCY_STEP_US / 2) / LATENCY_STEP_US;
            *self.counts.entry(steps).or_default() += 1;
            self.total += 1;
        }
    }
}

impl Latencies {
    /// The latency at a share of all, in milliseconds; `None` where there is none.
    fn at_ms(&self, share: f64) -> Option<f64> {
        let rank = (self.total.checked_sub(1)? as f64 * share).round() as usize;
        let mut passed = 0;
        let (steps, _) = self.counts.iter().find(|(_, count)| {
            passed += **count;
            passed > rank
        })?;
        Some((steps * LATENCY_STEP_US) as f64 / 1e3)
    }

    fn percentiles(&self) -> String {
        match (self.at_ms(0.5), self.at_ms(0.95)) {
            (Some(p50), Some(p95)) => format!("p50 {p50:.1} ms, p95 {p95:.1} ms"),
            _ => "not measured".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happy(face_id: &str, label: &str) -> FaceLine {
        FaceLine {
            face_id: face_id.to_owned(),
            label: label.to_owned(),
            confidence: 0.8,
            sure: true,
            valence: 0.5,
            arousal: 0.25,
        }
    }

    #[test]
    fn a_guess_has_a_question_mark() {
        let guess = FaceLine { sure: false, ..happy("face_1", "sad") };
        let changes = Account::default().frame(Duration::ZERO, None, vec![guess]);
        assert_eq!(changes, ["face_1 looks sad? (80 %)"]);
    }

    #[test]
    fn changes_are_told_once_and_the_summary_counts() {
        let ms = Duration::from_millis;
        let mut account = Account::default();
        assert_eq!(account.summary(), ["No emotion messages came."]);
        let told = account.frame(ms(1000), Some(ms(8)), vec![happy("face_1", "happy")]);
        assert_eq!(told, ["face_1 looks happy (80 %)"]);
        assert!(account.frame(ms(1100), Some(ms(10)), vec![happy("face_1", "happy")]).is_empty());
        assert_eq!(account.frame(ms(1200), None, vec![happy("face_1", "sad")]).len(), 1);
        account.frame(ms(1300), None, vec![]);
        let told = account.frame(ms(1400), None, vec![happy("face_1", "sad")]);
        assert!(told.is_empty(), "a face that was missed in one image is no news: {told:?}");
        account.response("answer-a-smile");
        let summary = account.summary().join("\n");
        for expected in [
            "5 in 0.4 s, 10.0 a second",
            "p50 10.0 ms, p95 10.0 ms",
            "80 % of the frames",
            "face_1       4 frames: happy 50 %, sad 50 %",
            "answer-a-smile: 1",
        ] {
            assert!(summary.contains(expected), "{expected} not in\n{summary}");
        }
    }

    #[test]
    fn the_status_is_about_the_last_moments_only() {
        let mut account = Account::default();
        account.frame(Duration::from_secs(1), Some(Duration::from_secs(9)), vec![]);
        for tenth in 0..20 {
            let now = Duration::from_millis(10_000 + tenth * 100);
            account.frame(now, Some(Duration::from_millis(5)), vec![happy("face_1", "happy")]);
        }
        let status = account.status();
        assert!(status.contains(" 10.0 frames/s   image to emotion p50 5.0 ms"), "{status}");
        assert!(account.faces()[0].contains("happy      80 % ████████████████ "), "{status}");
    }
}
