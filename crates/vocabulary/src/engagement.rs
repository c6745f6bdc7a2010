//! Whether a person attends to the robot, in the words of REP-155.

use std::fmt;

/// How a person stands to the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engagement {
    /// Does not attend to it.
    Disengaged,
    /// Begins to attend to it.
    Engaging,
    /// Attends to it.
    Engaged,
    /// Begins to turn away from it.
    Disengaging,
}

impl Engagement {
    /// All of them, in the order in which a visit goes through them.
    pub const ALL: [Self; 4] = [Self::Disengaged, Self::Engaging, Self::Engaged, Self::Disengaging];

    /// The word in messages and policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disengaged => "disengaged",
            Self::Engaging => "engaging",
            Self::Engaged => "engaged",
            Self::Disengaging => "disengaging",
        }
    }

    /// The engagement that a word names; nothing where it names none.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engagement| engagement.as_str() == word)
    }
}

impl fmt::Display for Engagement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_name_each_other() {
        for engagement in Engagement::ALL {
            assert_eq!(Engagement::from_word(&engagement.to_string()), Some(engagement));
        }
        assert_eq!(Engagement::from_word("Engaged"), None);
    }
}
