//! What a TIFF claims, checked before its decoder takes memory for it; and palettes, which that decoder
//! does not know.

/// Bytes of a value of each type of field, from the first.
const TYPE_BYTES: [u64; 13] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/// The most bytes of values that a field of the first directory claims, if more than the file has.
pub(super) fn claimed_bytes(data: &[u8]) -> Option<u64> {
    let claimed = fields(data).map(|at| {
        let (kind, count) = (number(data, at + 2, 2)?, number(data, at + 4, 4)?);
        Some(count * TYPE_BYTES.get(kind as usize).copied().unwrap_or(8))
    });
    claimed.map_while(|bytes| bytes).max().filter(|bytes| *bytes > data.len() as u64)
}

/// A picture whose pixels are the numbers of colours.
pub(super) struct Palette {
    /// The file, as one of grey pixels.
    pub as_grey: Vec<u8>,
    /// Red, green and blue of each number.
    pub colours: Vec<[u8; 3]>,
}

const PHOTOMETRIC: u64 = 262;
const COLOUR_MAP: u64 = 320;
const SHORT: u64 = 3;

impl Palette {
    /// The palette of a file of one byte a pixel, if it has one.
    pub fn of(data: &[u8]) -> Option<Self> {
        let value_of = |tag: u64| fields(data).find(|at| number(data, *at, 2) == Some(tag));
        let photometric = value_of(PHOTOMETRIC)? + 8;
        if number(data, photometric, 2) != Some(3) {
            return None;
        }
        let map = value_of(COLOUR_MAP)?;
        if number(data, map + 2, 2) != Some(SHORT) || number(data, map + 4, 4) != Some(3 * 256) {
            return None;
        }
        let map = usize::try_from(number(data, map + 8, 4)?).ok()?;
        // All red, then all green, then all blue, of two bytes each.
        let channel =
            |index: usize| Some((number(data, map.checked_add(2 * index)?, 2)? >> 8) as u8);
        let colour = |i: usize| Some([channel(i)?, channel(i + 256)?, channel(i + 512)?]);
        let colours = (0..256).map(colour).collect::<Option<_>>()?;
        let mut as_grey = data.to_vec();
        // Black is 0.
        let black_is_zero = if is_little(data) { [1, 0] } else { [0, 1] };
        as_grey.get_mut(photometric..photometric + 2)?.copy_from_slice(&black_is_zero);
        Some(Self { as_grey, colours })
    }

    /// Red, green and blue of grey pixels that are the numbers of colours.
    pub fn colour(&self, numbers: &[u8]) -> Vec<u8> {
        numbers.iter().flat_map(|number| self.colours[usize::from(*number)]).collect()
    }
}

fn is_little(data: &[u8]) -> bool {
    data.first() == Some(&b'I')
}

/// A number in the file's byte order; nothing where the file ends before it.
fn number(data: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let field = data.get(at..at.checked_add(bytes)?)?.iter();
    let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(if is_little(data) { field.rev().fold(0, append) } else { field.fold(0, append) })
}

/// Where the fields of the first directory begin, 12 bytes each.
fn fields(data: &[u8]) -> impl Iterator<Item = usize> {
    let directory = number(data, 4, 4).and_then(|at| usize::try_from(at).ok());
    let count = directory.and_then(|at| number(data, at, 2)).unwrap_or(0) as usize;
    (0..count).map(move |field| directory.unwrap_or(0) + 2 + 12 * field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_palette_is_found_and_its_numbers_become_colours() {
        // Two fields: the picture is coloured by numbers; the colours lie behind the directory.
        let mut file = b"II*\0\x08\0\0\0\x02\0".to_vec();
        file.extend(b"\x06\x01\x03\0\x01\0\0\0\x03\0\0\0");
        file.extend(b"\x40\x01\x03\0\0\x03\0\0\x26\0\0\0\0\0\0\0");
        for channel in 0..3_u16 {
            file.extend((0..256_u16).flat_map(|i| (((i + channel) % 256) << 8).to_le_bytes()));
        }
        let palette = Palette::of(&file).unwrap();
        assert_eq!(palette.colour(&[0, 7]), [0, 1, 2, 7, 8, 9]);
        assert_eq!((file[18], palette.as_grey[18]), (3, 1));
        assert!(Palette::of(&palette.as_grey).is_none(), "grey has none");
        for length in 0..file.len() {
            assert!(Palette::of(&file[..length]).is_none(), "cut to {length} bytes");
        }
    }

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
