//! What a TIFF claims, checked before its decoder takes memory for it.

/// Bytes of a value of each type of field, from the first.
const TYPE_BYTES: [u64; 13] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/// The most bytes of values that a field of the first directory claims, if more than the file has.
pub(super) fn claimed_bytes(data: &[u8]) -> Option<u64> {
    let is_little = data.first() == Some(&b'I');
    let number = |at: usize, bytes: usize| {
        let field = data.get(at..at.checked_add(bytes)?)?.iter();
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if is_little { field.rev().fold(0, append) } else { field.fold(0, append) })
    };
    let directory = usize::try_from(number(4, 4)?).ok()?;
    let fields = number(directory, 2)? as usize;
    let claimed = |field: usize| {
        let at = directory + 2 + 12 * field;
        let (kind, count) = (number(at + 2, 2)?, number(at + 4, 4)?);
        Some(count * TYPE_BYTES.get(kind as usize).copied().unwrap_or(8))
    };
    (0..fields).map_while(claimed).max().filter(|bytes| *bytes > data.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_more_values_than_the_file_has_bytes_is_found_in_both_byte_orders() {
        let little = |count: u8| {
            let mut file = b"II*\0\x08\0\0\0\x01\0\x00\x01\x03\0".to_vec();
            file.extend([1, 0, 0, count, 7, 0, 0, 0, 0, 0, 0, 0]);
            file
        };
        let big = |count: u8| {
            let mut file = b"MM\0*\0\0\0\x08\0\x01\x01\0\0\x03".to_vec();
            file.extend([count, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0]);
            file
        };
        assert_eq!([claimed_bytes(&little(0)), claimed_bytes(&big(0))], [None; 2]);
        let claimed = Some(2 * 0x4200_0001);
        assert_eq!([claimed_bytes(&little(0x42)), claimed_bytes(&big(0x42))], [claimed; 2]);
        assert_eq!(claimed_bytes(b"II*\0\xff\xff\xff\xff"), None);
    }
}
