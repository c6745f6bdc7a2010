//! The commands of `rapport` that need no ROS.

pub mod account;
pub mod adapt;
pub mod analyze;
pub mod calibration;
pub mod cli;
pub mod emotions;
pub mod evaluate;
pub mod feedback;
pub mod fleet;
pub mod journal;
pub mod log;
pub mod output;
pub mod policy;
pub mod progress;
pub mod rates;
pub mod record;
pub mod rehearse;
pub mod serve;
