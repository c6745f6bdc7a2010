//! Messages of a sqlite3 file that was cut off.
//!
//! sqlite3 finds rows from the root of a table downwards. A growing table moves the pages near its
//! root towards the end of the file, so a cut hides from sqlite3 even rows that are whole. Here
//! the leaf pages, which hold the rows, are read one after another, without the tree above.
//! sqlite3's own means save less (`of_a_cut_database_sqlite3_itself_saves_less` in `tests/bag.rs`):
//! reading and `VACUUM INTO` stop at the first page that is gone, and `.recover` is not in Debian's
//! `sqlite3` (3.40.1).
//! See <https://www.sqlite.org/fileformat2.html> for the format.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// The type of a page that holds rows of a table: its first byte. Overflow pages and free pages
/// begin with the number of another page, whose first byte is 0 in any file below 64 GB.
const TABLE_LEAF: u8 = 13;

/// A whole row of the table `messages`.
pub(super) struct SalvagedRow {
    pub topic_id: i64,
    pub timestamp_ns: i64,
    pub data: Vec<u8>,
}

/// The rows that are whole, page by page: for a recording this is the order of writing.
pub(super) struct Salvage {
    file: File,
    page_bytes: usize,
    /// The part of a page that sqlite3 uses; extensions may reserve the rest.
    usable_bytes: usize,
    /// Whole pages in the file.
    pages: u32,
    next_page: u32,
    page: Vec<u8>,
    next_cell: usize,
}

impl Salvage {
    /// `header` is the first 100 bytes of the file, `length` its length in bytes.
    pub fn new(file: File, header: &[u8; 100], length: u64) -> Self {
        let page_bytes = page_bytes(header).max(512);
        Self {
            file,
            page_bytes,
            usable_bytes: page_bytes.saturating_sub(usize::from(header[20])).max(480),
            pages: u32::try_from(length / page_bytes as u64).unwrap_or(u32::MAX),
            // Page 1 holds the schema.
            next_page: 2,
            page: Vec::new(),
            next_cell: 0,
        }
    }

    /// Makes the next leaf page the current one; `None` at the end of the file.
    fn advance(&mut self) -> Option<()> {
        while self.next_page <= self.pages {
            let number = self.next_page;
            self.next_page += 1;
            let mut kind = [0];
            self.file.read_exact_at(&mut kind, self.place(number)).ok()?;
            if kind[0] == TABLE_LEAF {
                self.page = self.read_page(number)?;
                self.next_cell = 0;
                return Some(());
            }
        }
        None
    }

    fn place(&self, number: u32) -> u64 {
        u64::from(number.saturating_sub(1)) * self.page_bytes as u64
    }

    fn read_page(&self, number: u32) -> Option<Vec<u8>> {
        if number == 0 || number > self.pages {
            return None;
        }
        let mut page = vec![0; self.page_bytes];
        self.file.read_exact_at(&mut page, self.place(number)).ok()?;
        Some(page)
    }

    /// The row in a cell of the current page, where it is a whole row of `messages`.
    fn row(&self, cell: usize) -> Option<SalvagedRow> {
        let place = be16(&self.page, 8 + 2 * cell)?;
        let mut at = usize::from(place);
        let payload_bytes = usize::try_from(varint(&self.page, &mut at)?).ok()?;
        varint(&self.page, &mut at)?; // the row's number
        let payload = self.payload(at, payload_bytes)?;

        // A header of column types, then the columns. `id` is stored as NULL, since it is the
        // row's number.
        let mut types = 0;
        let header_bytes = usize::try_from(varint(&payload, &mut types)?).ok()?;
        let mut column = || varint(&payload, &mut types);
        let (id, topic_id, timestamp, data) = (column()?, column()?, column()?, column()?);
        if types != header_bytes || id != 0 || data < 12 || data % 2 != 0 {
            return None;
        }
        let mut at = header_bytes;
        let topic_id = integer(&payload, &mut at, topic_id)?;
        let timestamp_ns = integer(&payload, &mut at, timestamp)?;
        let data_bytes = usize::try_from((data - 12) / 2).ok()?;
        let data = payload.get(at..at.checked_add(data_bytes)?)?.to_vec();
        Some(SalvagedRow { topic_id, timestamp_ns, data })
    }

    /// The content of a cell, with what did not fit into its page.
    fn payload(&self, at: usize, payload_bytes: usize) -> Option<Vec<u8>> {
        if payload_bytes as u64 > u64::from(self.pages) * self.page_bytes as u64 {
            return None;
        }
        let usable = self.usable_bytes;
        let (most, least) = (usable - 35, (usable - 12) * 32 / 255 - 23);
        let local_bytes = if payload_bytes <= most {
            payload_bytes
        } else {
            let fitting = least + (payload_bytes - least) % (usable - 4);
            if fitting <= most { fitting } else { least }
        };
        let local_end = at.checked_add(local_bytes)?;
        let mut payload = self.page.get(at..local_end)?.to_vec();
        let mut next = if local_bytes < payload_bytes { be32(&self.page, local_end)? } else { 0 };
        while payload.len() < payload_bytes {
            let page = self.read_page(next)?;
            next = be32(&page, 0)?;
            let rest = page.get(4..usable)?;
            payload.extend_from_slice(&rest[..rest.len().min(payload_bytes - payload.len())]);
        }
        Some(payload)
    }
}

impl Iterator for Salvage {
    type Item = SalvagedRow;

    fn next(&mut self) -> Option<SalvagedRow> {
        loop {
            let cells = be16(&self.page, 3).unwrap_or_default();
            while self.next_cell < usize::from(cells) {
                let cell = self.next_cell;
                self.next_cell += 1;
                if let Some(row) = self.row(cell) {
                    return Some(row);
                }
            }
            self.advance()?;
        }
    }
}

/// The size of a page by the header of the file, where 1 stands for 65536.
pub(super) fn page_bytes(header: &[u8; 100]) -> usize {
    match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        bytes => usize::from(bytes),
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Seven bits a byte, the highest first; a ninth byte gives all its eight.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}

/// An integer column of a type from the header: 1 to 6 by length, 8 and 9 the constants 0 and 1.
fn integer(payload: &[u8], at: &mut usize, column_type: u64) -> Option<i64> {
    let length = match column_type {
        1..=4 => column_type as usize,
        5 => 6,
        6 => 8,
        8 => return Some(0),
        9 => return Some(1),
        _ => return None,
    };
    let bytes = payload.get(*at..at.checked_add(length)?)?;
    *at += length;
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let start = if negative { -1 } else { 0 };
    Some(bytes.iter().fold(start, |value: i64, byte| value << 8 | i64::from(*byte)))
}
