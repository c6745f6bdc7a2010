//! Many recordings: found in a fixed order, divided among processes, evaluated one by one so that a run
//! which was cut off goes on, and put together to one report.
//!
//! Each recording has a folder below `OUTPUT/recordings` with a report of its own and the file
//! `result.msgpack.zst`: all that the models saw in it, and the labels. The report of all is made of
//! these files alone, by counting every face again in the order of the recordings. So it is the same
//! whether one process evaluated all recordings or eight did, in whatever order.
//!
//! - `recordings`: which recordings, by which names. `shard`: which of them this process does.
//! - `plan`: `run.json`, by which results that do not belong together are told apart.
//! - `result`: the file of one recording. `many`: evaluates. `merge`: makes the report. `totals`: time
//!   and machines. `page`: what the page says of several recordings.

mod many;
mod merge;
mod page;
mod plan;
mod recordings;
mod result;
mod shard;
mod totals;

pub use many::{ManyOptions, ManyOutcome, evaluate_many};
pub use merge::{Merged, merge};
pub(crate) use page::{machines, recordings};
pub use recordings::{FoundRecording, Recordings};
pub(crate) use result::{OneOfMany, RecordingEnd, ResultWriter};
pub use shard::{Shard, ShardError};
pub(crate) use totals::Machine;
