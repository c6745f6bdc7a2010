//! The text of a label file, as the programs of offices and laboratories write it.

/// A byte order mark, which Unicode has for this.
const MARK: char = '\u{feff}';

/// Decodes UTF-8, UTF-16 with or without a mark, or, where it is neither, the single bytes of Western
/// Windows: names of labels and numbers are the same in all of them.
pub(super) fn decode(bytes: &[u8]) -> String {
    let units = |of: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| of(*pair));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let text: String = match bytes {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        // Every other byte of Western text is 0 then, and none is in any other encoding.
        [first, 0, ..] if *first != 0 => units(u16::from_le_bytes),
        [0, second, ..] if *second != 0 => units(u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        },
    };
    text.strip_prefix(MARK).map_or(text.clone(), str::to_owned)
}

/// What separates the columns, and how many lines come before the header: Excel may say it in a first
/// line (`sep=;`); else it is what the header has most of.
pub(super) fn delimiter(text: &str) -> (u8, usize) {
    let first = text.lines().next().unwrap_or_default().trim();
    if let Some(&[delimiter]) = first.strip_prefix("sep=").map(str::as_bytes) {
        return (delimiter, 1);
    }
    // `sep=` and a tab, of which trimming left nothing.
    if first == "sep=" {
        return (b'\t', 1);
    }
    let is_header = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let header = text.lines().find(is_header).unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    let most = [b'|', b'\t', b';', b','].into_iter().max_by_key(count);
    (most.unwrap_or(b','), 0)
}

/// Whether a cell says that there is nothing, as programs for statistics write it.
pub(super) fn is_missing(cell: &str) -> bool {
    ["", "nan", "na", "n/a", "#n/a", "<na>", "null"].contains(&cell.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_kinds_are_read() {
        let text = "start;label\n1,5;happy\n";
        let utf16 = |of: fn(u16) -> [u8; 2]| -> Vec<u8> {
            [MARK].into_iter().chain(text.chars()).flat_map(|c| of(c as u16)).collect()
        };
        assert_eq!(decode(text.as_bytes()), text);
        assert_eq!(decode(format!("{MARK}{text}").as_bytes()), text);
        assert_eq!(decode(&utf16(u16::to_le_bytes)), text);
        assert_eq!(decode(&utf16(u16::to_be_bytes)), text);
        assert_eq!(decode(&utf16(u16::to_le_bytes)[2..]), text);
        assert_eq!(decode(&utf16(u16::to_be_bytes)[2..]), text);
        assert_eq!(decode(b"\xe4rger,label"), "\u{e4}rger,label");
    }

    #[test]
    fn the_delimiter_is_said_or_seen() {
        for (text, expected) in [
            ("start,end,label\n", (b',', 0)),
            ("start;end;label\n0,5;1,5;sad\n", (b';', 0)),
            ("start\tend\tlabel", (b'\t', 0)),
            ("sep=,\nstart,end", (b',', 1)),
            ("sep=\t\nstart\tend", (b'\t', 1)),
            ("# a, note, of, mine\n\nstart;end", (b';', 0)),
            ("", (b',', 0)),
        ] {
            assert_eq!(delimiter(text), expected, "{text:?}");
        }
    }
}
