//! A table that is written over a long time, and can be read at every moment.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use parquet::column::writer::ColumnCloseResult;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::SerializedFileWriter;

use crate::TableError;
use crate::value::Value;
use crate::writer::{Table, TableWriter};

/// How the folder of parts is called beside `NAME.parquet`: `NAME.parts`.
pub const PARTS_ENDING: &str = "parts";

/// How a file is called while it is written: readers that look for `*.parquet` do not see it.
const UNFINISHED_ENDING: &str = "unfinished";

/// Writes `NAME.parquet`. Until [`Parts::finish`], its rows are in the folder `NAME.parts`, one file for
/// each group of rows: whatever ends the program, each file there is whole, and no more rows are lost
/// than those of the group that was not full.
pub struct Parts {
    table: Table,
    path: PathBuf,
    folder: PathBuf,
    rows_of_a_part: usize,
    part: TableWriter<Vec<u8>>,
    written: Vec<PathBuf>,
}

impl Parts {
    /// Begins a table at `path`, which ends in `.parquet`. Parts that an earlier run left there are
    /// removed; an earlier file stays until this one is whole. `rows_of_a_part`: at least 1.
    ///
    /// # Errors
    /// If the folder cannot be made or emptied.
    pub fn create(path: &Path, table: Table, rows_of_a_part: usize) -> Result<Self, TableError> {
        let folder = path.with_extension(PARTS_ENDING);
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(TableError::io(&folder))?;
        let rows_of_a_part = rows_of_a_part.max(1);
        // The part is ended here, not by its writer.
        let part = TableWriter::new(Vec::new(), &table, usize::MAX)?;
        Ok(Self { part, table, path: path.to_owned(), folder, rows_of_a_part, written: Vec::new() })
    }

    /// Takes a row: its values in the order of the columns.
    ///
    /// # Errors
    /// If the row ends a part and that cannot be written.
    pub fn push<'v>(&mut self, row: impl IntoIterator<Item = Value<'v>>) -> Result<(), TableError> {
        self.part.push(row)?;
        if self.part.waiting_rows() >= self.rows_of_a_part { self.end_part() } else { Ok(()) }
    }

    fn end_part(&mut self) -> Result<(), TableError> {
        let next = TableWriter::new(Vec::new(), &self.table, usize::MAX)?;
        let bytes = std::mem::replace(&mut self.part, next).finish()?;
        let path = self.folder.join(format!("{:06}.parquet", self.written.len()));
        write_whole(&path, |file| file.write_all(&bytes).map_err(TableError::io(&path)))?;
        self.written.push(path);
        Ok(())
    }

    /// Makes one file of all parts and removes them. `more`: what the file says beside the table's
    /// metadata.
    ///
    /// # Errors
    /// If a part cannot be read again, or the file cannot be written. The parts stay then.
    pub fn finish(mut self, more: &[(String, String)]) -> Result<PathBuf, TableError> {
        if self.part.waiting_rows() > 0 {
            self.end_part()?;
        }
        let Self { table, path, folder, written, .. } = self;
        write_whole(&path, |file| {
            let (schema, properties) = (table.schema()?, table.properties(more));
            let mut whole = SerializedFileWriter::new(file, schema, properties)?;
            written.iter().try_for_each(|part| append(&mut whole, part))?;
            whole.finish()?;
            Ok(())
        })?;
        remove(&folder)?;
        Ok(path)
    }
}

/// Copies the groups of a part as they are, without decoding them.
fn append(
    whole: &mut SerializedFileWriter<&mut BufWriter<File>>,
    part: &Path,
) -> Result<(), TableError> {
    let open = || File::open(part).map_err(TableError::io(part));
    let file = open()?;
    let reader = SerializedFileReader::new(open()?)?;
    for group in reader.metadata().row_groups() {
        let mut to = whole.next_row_group()?;
        for column in group.columns() {
            let chunk = ColumnCloseResult {
                bytes_written: column.compressed_size().unsigned_abs(),
                rows_written: group.num_rows().unsigned_abs(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            to.append_column(&file, chunk)?;
        }
        to.close()?;
    }
    Ok(())
}

/// Writes a file under another name and gives it its own once it is on the disk.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let unfinished = path.with_extension(UNFINISHED_ENDING);
    let mut file = BufWriter::new(File::create(&unfinished).map_err(TableError::io(&unfinished))?);
    write(&mut file)?;
    let file = file.into_inner().map_err(|error| error.into_error());
    file.and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(TableError::io(path))
}

/// Removes a folder of parts, if there is one.
fn remove(folder: &Path) -> Result<(), TableError> {
    match fs::remove_dir_all(folder) {
        Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => {
            Err(TableError::Io { path: folder.to_owned(), reason })
        }
        _ => Ok(()),
    }
}
