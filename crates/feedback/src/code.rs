//! The code by which a person withdraws.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::FeedbackError;

/// Letters and digits that are not taken for one another: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 60 bits: nobody finds the code of somebody else by trying, and it fits on a slip of paper.
const LENGTH: usize = 12;

/// The same for messages.
pub(crate) const LETTERS: usize = LENGTH;

const GROUP: usize = 4;

/// What a person is shown when they consent; `abcd-efgh-jkmn`. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; LENGTH]);

impl Code {
    /// A new one.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn new() -> Result<Self, FeedbackError> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random).map_err(FeedbackError::Random)?;
        Ok(Self(random.map(|byte| ALPHABET[usize::from(byte % 32)])))
    }

    /// What the folder knows of it, as hexadecimal digits.
    pub(crate) fn hash(&self) -> String {
        let mut hasher = Sha256::new_with_prefix(b"rapport consent ");
        hasher.update(self.0);
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", *letter as char)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// Reads a code as people write it: in any case, with or without dashes and spaces.
impl FromStr for Code {
    type Err = FeedbackError;

    fn from_str(text: &str) -> Result<Self, FeedbackError> {
        let letters: Vec<u8> = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| u8::try_from(letter.to_ascii_lowercase()).unwrap_or(b'?'))
            .collect();
        if let Some(wrong) = letters.iter().find(|letter| !ALPHABET.contains(letter)) {
            let found = format!("`{}`", wrong.escape_ascii());
            return Err(FeedbackError::Code { found });
        }
        let found = format!("{} letters and digits", letters.len());
        letters.try_into().map(Self).map_err(|_| FeedbackError::Code { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it_and_never_shown_by_debug() {
        let code = Code::new().unwrap();
        let text = code.to_string();
        assert_eq!(text.len(), 14);
        assert_ne!(code, Code::new().unwrap());
        for written in
            [text.clone(), text.replace('-', " "), text.to_uppercase(), format!(" {text}\n")]
        {
            assert_eq!(written.parse::<Code>().unwrap(), code);
        }
        assert!(!format!("{code:?}").contains(&text[..4]));
        assert!(!code.hash().contains(&text.replace('-', "")));
        let error = |text: &str| text.parse::<Code>().unwrap_err().to_string();
        assert!(error("abcd").contains("4 letters"), "{}", error("abcd"));
        assert!(error("abcd-efgh-jkm1").contains("`1`"));
        assert!(error("äbcd-efgh-jkmn").contains("`\\xe4`"));
    }
}
