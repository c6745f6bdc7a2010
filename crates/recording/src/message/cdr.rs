//! Plain CDR, version 1: a header of four bytes, then fields, each at a multiple of its size.

/// Why bytes are no message of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CdrError {
    /// The four bytes at the beginning are not those of plain CDR.
    #[error("message begins with {found:02x?}, expected the header of plain CDR (00 00 or 00 01)")]
    Header {
        /// The first bytes, four at most.
        found: Vec<u8>,
    },
    /// The message ends before a field does.
    #[error("message ends in `{field}`: found {left_bytes} bytes, expected {need_bytes}")]
    End {
        /// The field.
        field: &'static str,
        /// Bytes that are left.
        left_bytes: usize,
        /// Bytes that the field needs.
        need_bytes: usize,
    },
    /// A text that is not UTF-8 or has no NUL at its end.
    #[error("`{field}` is not a text: expected UTF-8 that ends in NUL")]
    Text {
        /// The field.
        field: &'static str,
    },
    /// The message goes on after its last field.
    #[error("message has {left_bytes} bytes after `{field}`, expected its end there")]
    Left {
        /// The last field.
        field: &'static str,
        /// Bytes after it.
        left_bytes: usize,
    },
}

/// Reads fields one after another. Nothing is copied.
#[derive(Debug, Clone)]
pub struct CdrReader<'a> {
    body: &'a [u8],
    at: usize,
    is_big_endian: bool,
}

impl<'a> CdrReader<'a> {
    /// Checks the header.
    ///
    /// # Errors
    /// [`CdrError::Header`] for anything but plain CDR of either byte order.
    pub fn new(message: &'a [u8]) -> Result<Self, CdrError> {
        match message {
            [0, order @ (0 | 1), _, _, body @ ..] => {
                Ok(Self { body, at: 0, is_big_endian: *order == 0 })
            }
            _ => Err(CdrError::Header { found: message.iter().take(4).copied().collect() }),
        }
    }

    fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], CdrError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..count) else {
            let (left_bytes, need_bytes) = (rest.len(), count);
            return Err(CdrError::End { field, left_bytes, need_bytes });
        };
        self.at += count;
        Ok(taken)
    }

    /// `N` bytes at a multiple of `N`.
    fn aligned<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], CdrError> {
        self.at = self.at.next_multiple_of(N);
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(field, N)?);
        if self.is_big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    /// An octet.
    ///
    /// # Errors
    /// If the message ends before it.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, CdrError> {
        Ok(self.take(field, 1)?.first().copied().unwrap_or_default())
    }

    /// An unsigned integer of 32 bits.
    ///
    /// # Errors
    /// If the message ends before it does.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, CdrError> {
        Ok(u32::from_le_bytes(self.aligned(field)?))
    }

    /// A signed integer of 32 bits.
    ///
    /// # Errors
    /// If the message ends before it does.
    pub fn i32(&mut self, field: &'static str) -> Result<i32, CdrError> {
        Ok(self.u32(field)?.cast_signed())
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// If the message ends before it does.
    pub fn f32(&mut self, field: &'static str) -> Result<f32, CdrError> {
        Ok(f32::from_le_bytes(self.aligned(field)?))
    }

    /// A number of 64 bits.
    ///
    /// # Errors
    /// If the message ends before it does.
    pub fn f64(&mut self, field: &'static str) -> Result<f64, CdrError> {
        Ok(f64::from_le_bytes(self.aligned(field)?))
    }

    /// A sequence, whose elements `read` reads one after another. Every element takes at least a
    /// byte, so that a length that lies ends with the message.
    ///
    /// # Errors
    /// If the message ends before it does, or an element is wrong.
    pub fn sequence<T>(
        &mut self,
        field: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<T, CdrError>,
    ) -> Result<Vec<T>, CdrError> {
        let count = self.u32(field)?;
        // No memory is set aside for a length that nothing has confirmed.
        (0..count).map(|_| read(self)).collect::<Result<_, _>>()
    }

    /// Checks that the message ends after its last field, but for the zeros with which DDS fills it
    /// up to a multiple of four bytes.
    ///
    /// # Errors
    /// [`CdrError::Left`] if it goes on.
    pub fn finish(self, field: &'static str) -> Result<(), CdrError> {
        let left = self.body.get(self.at..).unwrap_or_default();
        if left.len() < 4 && left.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        Err(CdrError::Left { field, left_bytes: left.len() })
    }

    /// A sequence of octets.
    ///
    /// # Errors
    /// If the message ends before it does.
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], CdrError> {
        let count = self.u32(field)?;
        self.take(field, count as usize)
    }

    /// A text, without the NUL at its end.
    ///
    /// # Errors
    /// If the message ends before it does, or it is none.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, CdrError> {
        let bytes = match self.bytes(field)? {
            // Some writers leave the NUL of an empty text out.
            [] => return Ok(""),
            [text @ .., 0] => text,
            _ => return Err(CdrError::Text { field }),
        };
        std::str::from_utf8(bytes).map_err(|_| CdrError::Text { field })
    }
}

/// Writes fields one after another, little-endian.
#[derive(Debug, Clone)]
pub struct CdrWriter {
    message: Vec<u8>,
}

impl Default for CdrWriter {
    fn default() -> Self {
        Self { message: vec![0, 1, 0, 0] }
    }
}

/// The bytes before the body, from which on fields are aligned.
const HEADER_BYTES: usize = 4;

impl CdrWriter {
    fn align(&mut self, to: usize) {
        let body = self.message.len() - HEADER_BYTES;
        self.message.resize(HEADER_BYTES + body.next_multiple_of(to), 0);
    }

    /// An octet, a boolean among them.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.message.push(value);
        self
    }

    /// An unsigned integer of 32 bits.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.align(4);
        self.message.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A signed integer of 32 bits.
    pub fn i32(&mut self, value: i32) -> &mut Self {
        self.u32(value.cast_unsigned())
    }

    /// A number of 32 bits.
    pub fn f32(&mut self, value: f32) -> &mut Self {
        self.u32(value.to_bits())
    }

    /// A number of 64 bits.
    pub fn f64(&mut self, value: f64) -> &mut Self {
        self.align(8);
        self.message.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// The number of elements of a sequence, which follow it.
    pub fn length(&mut self, count: usize) -> &mut Self {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// A sequence of octets.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.message.extend_from_slice(bytes);
        self
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.length(text.len() + 1);
        self.message.extend_from_slice(text.as_bytes());
        self.u8(0)
    }

    /// The message, header included.
    pub fn finish(self) -> Vec<u8> {
        self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_aligned_from_the_end_of_the_header() {
        let mut writer = CdrWriter::default();
        writer.u8(7).u32(1).text("ab").i32(-2).bytes(&[9]);
        let message = writer.finish();
        assert_eq!(
            message,
            [
                0, 1, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', 0, 0, 0xFE, 0xFF, 0xFF,
                0xFF, 1, 0, 0, 0, 9
            ]
        );
        let mut reader = CdrReader::new(&message).unwrap();
        assert_eq!(reader.u8("a"), Ok(7));
        assert_eq!(reader.u32("b"), Ok(1));
        assert_eq!(reader.text("c"), Ok("ab"));
        assert_eq!(reader.i32("d"), Ok(-2));
        assert_eq!(reader.bytes("e"), Ok(&[9][..]));
        let error = reader.u32("f").unwrap_err().to_string();
        assert_eq!(error, "message ends in `f`: found 0 bytes, expected 4");
    }

    #[test]
    fn numbers_of_64_bits_are_aligned_to_eight_bytes() {
        let mut writer = CdrWriter::default();
        writer.u8(1).f64(0.5).f32(-2.0).f64(f64::NAN);
        let message = writer.finish();
        assert_eq!(message.len(), 4 + 8 + 8 + 8 + 8);
        let mut reader = CdrReader::new(&message).unwrap();
        assert_eq!((reader.u8("a"), reader.f64("b"), reader.f32("c")), (Ok(1), Ok(0.5), Ok(-2.0)));
        assert!(reader.f64("d").unwrap().is_nan());
        assert_eq!(reader.finish("d"), Ok(()));
        let big = [0, 0, 0, 0, 0x3F, 0xE0, 0, 0, 0, 0, 0, 0];
        assert_eq!(CdrReader::new(&big).unwrap().f64("n"), Ok(0.5));
    }

    #[test]
    fn a_sequence_that_lies_about_its_length_ends_with_the_message() {
        let mut writer = CdrWriter::default();
        writer.length(u32::MAX as usize).text("a").text("b");
        let message = writer.finish();
        let mut reader = CdrReader::new(&message).unwrap();
        let error = reader.sequence("names", |reader| reader.text("name")).unwrap_err();
        assert!(matches!(error, CdrError::End { field: "name", .. }), "{error}");
    }

    #[test]
    fn what_is_left_after_the_last_field_is_told() {
        let padded = CdrReader::new(&[0, 1, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!(padded.finish("data"), Ok(()));
        let more = CdrReader::new(&[0, 1, 0, 0, 7]).unwrap();
        assert_eq!(more.finish("data"), Err(CdrError::Left { field: "data", left_bytes: 1 }));
    }

    #[test]
    fn big_endian_is_read_and_other_headers_are_refused() {
        assert_eq!(CdrReader::new(&[0, 0, 0, 0, 0, 0, 0, 5]).unwrap().u32("n"), Ok(5));
        for head in [&[][..], &[0, 1, 0], &[0, 7, 0, 0, 1, 2], &[1, 1, 0, 0]] {
            assert!(matches!(CdrReader::new(head), Err(CdrError::Header { .. })), "{head:?}");
        }
        let mut lying = CdrReader::new(&[0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1]).unwrap();
        let error = lying.bytes("data").unwrap_err().to_string();
        assert_eq!(error, "message ends in `data`: found 1 bytes, expected 4294967295");
        let mut no_nul = CdrReader::new(&[0, 1, 0, 0, 1, 0, 0, 0, b'x']).unwrap();
        assert_eq!(no_nul.text("name"), Err(CdrError::Text { field: "name" }));
    }
}
