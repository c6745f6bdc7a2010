//! MCAP files, read record by record from the front: memory holds one message, not the file.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use mcap::records::{self, Record, op};
use mcap::sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions};
use mcap::{MAGIC, McapError, parse_record};

use super::compression::decompress_message;
use super::error::{BagError, BagWarning};
use super::qos::Qos;
use super::types::{CDR, FileInfo, FileTopic, Message, ReadSoFar, Recorded, Topic, Wanted, total};

/// The longest record that is believed; a damaged length must not exhaust the memory.
const LONGEST_RECORD_BYTES: usize = 256 << 20;

/// How much is asked of the file at once, so that memory grows only with what is really there.
const READ_BYTES: usize = 1 << 20;

/// Opcode, length, the three fields of a footer and the magic after it.
const FOOTER_BYTES: u64 = 1 + 8 + 20 + MAGIC.len() as u64;

/// The topics of a file: from its summary where it has a whole one, else by reading through it.
pub(super) fn inspect(path: &Path, compressed: bool) -> Result<FileInfo, BagError> {
    if !compressed && let Some(info) = read_summary(path)? {
        return Ok(info);
    }
    let mut records = Records::open(path, compressed)?;
    let mut catalog = Catalog::default();
    let mut bounds: Option<(i64, i64)> = None;
    let end = records.find(|opcode, body| match catalog.note(opcode, body) {
        Err(reason) => Some(reason),
        Ok(None) => None,
        Ok(Some(header)) => {
            *catalog.counts.entry(header.channel_id).or_default() += 1;
            let time = log_time_ns(&header);
            let (first, last) = bounds.get_or_insert((time, time));
            (*first, *last) = ((*first).min(time), (*last).max(time));
            None
        }
    });
    // A file cut or damaged further on still has what came before. `McapMessages` tells of it.
    if let Err(Stop::Unreadable(error)) = end {
        return Err(BagError::io(path, error));
    }
    catalog.counts_known = true;
    Ok(catalog.into_info(bounds))
}

/// What the summary section says, or `None` where there is none that can be relied on.
fn read_summary(path: &Path) -> Result<Option<FileInfo>, BagError> {
    let io = |error| BagError::io(path, error);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length < FOOTER_BYTES + MAGIC.len() as u64 {
        return Ok(None);
    }
    let mut end = [0; FOOTER_BYTES as usize];
    file.seek(SeekFrom::End(-(FOOTER_BYTES as i64))).map_err(io)?;
    file.read_exact(&mut end).map_err(io)?;
    let (footer, magic) = end.split_at(end.len() - MAGIC.len());
    if magic != MAGIC || footer[0] != op::FOOTER {
        return Ok(None);
    }
    let Ok(Record::Footer(footer)) = parse_record(op::FOOTER, &footer[9..]) else {
        return Ok(None);
    };
    if footer.summary_start == 0 || footer.summary_start > length - FOOTER_BYTES {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(footer.summary_start)).map_err(io)?;

    let options = LinearReaderOptions::default().with_skip_start_magic(true);
    let left = Some(length - footer.summary_start);
    let mut records = Records::new(Box::new(BufReader::new(file)), left, options);
    let mut catalog = Catalog::default();
    let mut statistics = None;
    let found = records.find(|opcode, body| match opcode {
        op::STATISTICS => match parse_record(opcode, body) {
            Ok(Record::Statistics(read)) => {
                statistics = Some(read);
                None
            }
            _ => Some(()),
        },
        _ => catalog.note(opcode, body).is_err().then_some(()),
    });
    let (Ok(None), Some(statistics)) = (found, statistics) else {
        return Ok(None);
    };
    // Writers may leave channels or their types out of the summary.
    let is_typed = |channel: &records::Channel| {
        channel.schema_id == 0 || catalog.schemas.contains_key(&channel.schema_id)
    };
    if statistics.channel_count as usize != catalog.channels.len()
        || !catalog.channels.values().all(is_typed)
    {
        return Ok(None);
    }
    let (start, end) = (statistics.message_start_time, statistics.message_end_time);
    let bounds = match (i64::try_from(start), i64::try_from(end)) {
        _ if statistics.message_count == 0 => None,
        (Ok(start), Ok(end)) => Some((start, end)),
        // Times that cannot be counted: what stands in for them stands in the messages.
        _ => return Ok(None),
    };
    let counted = total(statistics.channel_message_counts.values().copied().map(Some));
    catalog.counts_known = counted == Some(statistics.message_count);
    catalog.counts = statistics.channel_message_counts;
    Ok(Some(catalog.into_info(bounds)))
}

/// The type of a channel.
#[derive(Default)]
struct Schema {
    type_name: String,
    encoding: String,
    definition: String,
}

/// The schemas and channels seen so far.
#[derive(Default)]
struct Catalog {
    schemas: HashMap<u16, Schema>,
    channels: BTreeMap<u16, records::Channel>,
    counts: BTreeMap<u16, u64>,
    counts_known: bool,
}

impl Catalog {
    /// Takes note of a schema or a channel; gives back the header of a message.
    fn note(&mut self, opcode: u8, body: &[u8]) -> Result<Option<records::MessageHeader>, String> {
        // Other records are left alone: parsing a damaged attachment panics in mcap 0.26.
        if !matches!(opcode, op::SCHEMA | op::CHANNEL | op::MESSAGE) {
            return Ok(None);
        }
        match parse_record(opcode, body).map_err(|error| error.to_string())? {
            Record::Schema { header, data } => {
                let schema = Schema {
                    type_name: header.name,
                    encoding: header.encoding,
                    definition: String::from_utf8_lossy(&data).into_owned(),
                };
                self.schemas.insert(header.id, schema);
            }
            Record::Channel(channel) => {
                self.channels.insert(channel.id, channel);
            }
            Record::Message { header, .. } => return Ok(Some(header)),
            _ => {}
        }
        Ok(None)
    }

    fn type_name(&self, channel: &records::Channel) -> &str {
        self.schemas.get(&channel.schema_id).map_or("", |schema| schema.type_name.as_str())
    }

    fn into_info(self, bounds: Option<(i64, i64)>) -> FileInfo {
        let topic = |(id, channel): (&u16, &records::Channel)| {
            let count = self.counts.get(id).copied().unwrap_or_default();
            let offered = channel.metadata.get("offered_qos_profiles");
            let schema = self.schemas.get(&channel.schema_id);
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            let topic = Topic {
                name: channel.topic.clone(),
                type_name: self.type_name(channel).to_owned(),
                message_count: self.counts_known.then_some(count),
                // Other writers may put anything there; without an offer the default serves.
                offered_qos: offered
                    .and_then(|yaml| Qos::parse_list(yaml).ok())
                    .unwrap_or_default(),
                recorded: Recorded {
                    offered_qos_yaml: text(offered),
                    type_hash: text(channel.metadata.get("topic_type_hash")),
                    definition_encoding: text(schema.map(|schema| &schema.encoding)),
                    definition: text(schema.map(|schema| &schema.definition)),
                },
            };
            FileTopic { topic, serialization: channel.message_encoding.clone() }
        };
        FileInfo { topics: self.channels.iter().map(topic).collect(), bounds_ns: bounds }
    }
}

/// The messages of one file in the order in which they were written.
pub(super) struct McapMessages {
    path: PathBuf,
    records: Records,
    catalog: Catalog,
    /// Channel id to index of the topic, for channels that are wanted.
    topics: HashMap<u16, Option<usize>>,
    wanted: Wanted,
    so_far: ReadSoFar,
    done: bool,
    /// What is left to say once all is read.
    warnings: VecDeque<BagWarning>,
}

impl McapMessages {
    pub fn open(path: &Path, compressed: bool, wanted: Wanted) -> Result<Self, BagError> {
        Ok(Self {
            path: path.to_owned(),
            records: Records::open(path, compressed)?,
            catalog: Catalog::default(),
            topics: HashMap::new(),
            wanted,
            so_far: ReadSoFar::default(),
            done: false,
            warnings: VecDeque::new(),
        })
    }

    fn read(&mut self) -> Result<Option<Message>, Stop> {
        let Self { records, catalog, topics, wanted, so_far, .. } = self;
        let found = records.find(|opcode, body| match catalog.note(opcode, body) {
            Err(reason) => Some(Err(reason)),
            Ok(None) => {
                if opcode == op::CHANNEL {
                    topics.clear();
                }
                None
            }
            Ok(Some(header)) => {
                let log_time_ns = log_time_ns(&header);
                so_far.count(log_time_ns);
                if i64::try_from(header.log_time).is_err() {
                    so_far.count_beyond_time();
                }
                let topic = (*topics.entry(header.channel_id).or_insert_with(|| {
                    let channel = catalog.channels.get(&header.channel_id)?;
                    let is_cdr = channel.message_encoding == CDR;
                    wanted.get(&channel.topic, catalog.type_name(channel)).filter(|_| is_cdr)
                }))?;
                // The header of a message record has 22 bytes: 2 + 4 + 8 + 8.
                match decompress_message(body.get(22..).unwrap_or_default()) {
                    Ok(data) => {
                        let publish_time_ns = time_ns(header.publish_time);
                        Some(Ok(Message { topic, log_time_ns, publish_time_ns, data }))
                    }
                    Err(error) => {
                        let channel = catalog.channels.get(&header.channel_id);
                        so_far.skip(channel.map_or("", |channel| &channel.topic), error)
                    }
                }
            }
        })?;
        found.transpose().map_err(Stop::Damaged)
    }

    fn warning(&self, stop: &Stop) -> BagWarning {
        let path = self.path.clone();
        let ReadSoFar { messages, last_log_time_ns, .. } = self.so_far;
        let at_byte = self.records.at_byte;
        match stop {
            Stop::Cut => {
                let length = std::fs::metadata(&path).map_or(at_byte, |file| file.len());
                BagWarning::Cut { path, at_byte: length, messages, last_log_time_ns }
            }
            Stop::Damaged(reason) => {
                let reason = reason.clone();
                BagWarning::Damaged { path, at_byte, reason, messages, last_log_time_ns }
            }
            Stop::Unreadable(error) => {
                let reason = error.to_string();
                BagWarning::Damaged { path, at_byte, reason, messages, last_log_time_ns }
            }
        }
    }
}

impl Iterator for McapMessages {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.done {
            let stop = match self.read() {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => self.records.failed_checksum.take().map(Stop::Damaged),
                Err(stop) => Some(stop),
            };
            self.done = true;
            self.warnings.extend(stop.map(|stop| self.warning(&stop)));
            self.warnings.extend(self.so_far.warnings(&self.path));
        }
        self.warnings.pop_front().map(Err)
    }
}

/// Why reading ended before the end of the data.
enum Stop {
    Cut,
    Damaged(String),
    Unreadable(std::io::Error),
}

/// The records of a file, those inside chunks included, decompressed on the way.
struct Records {
    source: Box<dyn Read + Send>,
    reader: LinearReader,
    /// Bytes between here and the end of the file, where the file as a whole is not compressed.
    left: Option<u64>,
    at_byte: u64,
    /// The first chunk whose checksum is wrong. Its messages were whole records, so they count.
    failed_checksum: Option<String>,
}

impl Records {
    fn open(path: &Path, compressed: bool) -> Result<Self, BagError> {
        let io = |error| BagError::io(path, error);
        let file = File::open(path).map_err(io)?;
        let options = LinearReaderOptions::default().with_validate_chunk_crcs(true);
        if compressed {
            let decoder = zstd::Decoder::new(file).map_err(io)?;
            return Ok(Self::new(Box::new(BufReader::new(decoder)), None, options));
        }
        let length = file.metadata().map_err(io)?.len();
        let buffered = BufReader::with_capacity(READ_BYTES / 4, file);
        Ok(Self::new(Box::new(buffered), Some(length), options))
    }

    fn new(source: Box<dyn Read + Send>, left: Option<u64>, options: LinearReaderOptions) -> Self {
        let options = options.with_record_length_limit(LONGEST_RECORD_BYTES);
        let reader = LinearReader::new_with_options(options);
        Self { source, reader, left, at_byte: 0, failed_checksum: None }
    }

    /// Shows records to `visit` until it returns something; `None` at the end of the section.
    fn find<T>(
        &mut self,
        mut visit: impl FnMut(u8, &[u8]) -> Option<T>,
    ) -> Result<Option<T>, Stop> {
        loop {
            let need = match self.reader.next_event() {
                None => return Ok(None),
                Some(Ok(LinearReadEvent::ReadRequest(need))) => need,
                Some(Ok(LinearReadEvent::Record { opcode, data })) => match opcode {
                    op::DATA_END | op::FOOTER => return Ok(None),
                    // The reader takes chunks apart; it shows one whole only after a record
                    // inside a chunk has led it past the chunk's end.
                    op::CHUNK => {
                        return Err(Stop::Damaged("a record is longer than its chunk".to_owned()));
                    }
                    _ => match visit(opcode, data) {
                        Some(found) => return Ok(Some(found)),
                        None => continue,
                    },
                },
                Some(Err(McapError::UnexpectedEof)) => return Err(Stop::Cut),
                Some(Err(error @ McapError::BadChunkCrc { .. })) => {
                    self.failed_checksum.get_or_insert_with(|| error.to_string());
                    continue;
                }
                Some(Err(error)) => return Err(Stop::Damaged(error.to_string())),
            };
            if self.left.is_some_and(|left| need as u64 > left) {
                return Err(Stop::Cut);
            }
            let read = self.fill(need.min(READ_BYTES))?;
            self.at_byte += read as u64;
            self.left = self.left.map(|left| left.saturating_sub(read as u64));
        }
    }

    fn fill(&mut self, need: usize) -> Result<usize, Stop> {
        let read = loop {
            match self.source.read(self.reader.insert(need)) {
                Ok(read) => break read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // How the zstd decoder says that its input ended in the middle of a frame.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(Stop::Cut),
                Err(error) if self.left.is_none() => return Err(Stop::Damaged(error.to_string())),
                Err(error) => return Err(Stop::Unreadable(error)),
            }
        };
        self.reader.notify_read(read);
        Ok(read)
    }
}

/// When a message was recorded, or else sent, where that can be counted in signed nanoseconds.
fn log_time_ns(header: &records::MessageHeader) -> i64 {
    i64::try_from(header.log_time).unwrap_or_else(|_| time_ns(header.publish_time))
}

/// MCAP counts nanoseconds unsigned; the year 2262 is where both agree to end.
fn time_ns(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
