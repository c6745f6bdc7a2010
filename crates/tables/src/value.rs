//! One field of a row.

use std::borrow::Cow;

/// One field of a row. One that is of another kind than its column counts as absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// There is none: null.
    #[default]
    Absent,
    /// Text in UTF-8.
    Text(Cow<'a, str>),
    /// A count, or a time in the unit of its column since 1970 in UTC.
    Integer(i64),
    /// A number of 64 bits.
    Double(f64),
    /// A number of 32 bits.
    Float(f32),
    /// Yes or no.
    Flag(bool),
}

impl Value<'_> {
    /// A count; absent where it exceeds 2^63 - 1.
    pub fn count(count: u64) -> Self {
        i64::try_from(count).map_or(Self::Absent, Self::Integer)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<f32> for Value<'_> {
    fn from(number: f32) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}
