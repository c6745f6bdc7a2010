//! Finished buckets of a journal for an MQTT 5 broker, and whether the robot is online. Nothing else
//! is ever sent: no person, no face, no time finer than a bucket.
//!
//! | topic | what | QoS | retained |
//! |---|---|---|---|
//! | `rapport/NAME/status` | [`Presence`]; the last will says that the robot is offline | 1 | yes |
//! | `rapport/NAME/PLACE/visits`, `answers`, `ratings`, `health` | a [`BucketFigures`] | 1 | no |
//!
//! `NAME` is the robot's, `PLACE` the place's, without the characters that topics reserve. Both
//! payloads are JSON.
//!
//! [`Publisher`] sends on a task of its own. While the broker cannot be reached, up to
//! [`MOST_WAITING`] buckets wait in memory; then the oldest goes. A bucket is sent again until the
//! broker acknowledges it, so a store may get one twice: the same place, kind and span is the same
//! bucket.
//!
//! [`BucketFigures`]: rapport_journal::BucketFigures

mod options;
mod publisher;
mod queue;
mod session;
mod tls;
mod topic;

pub use options::{MqttError, MqttOptions};
pub use publisher::{MqttStatus, Publisher};
pub use queue::MOST_WAITING;
pub use topic::Presence;
