//! What every part of Rapport speaks of: expressions, the labels of a model, distributions over them,
//! valence and arousal, the time of an image, and percentiles, which all of them need.

mod clock;
mod color;
mod decision;
mod emotion;
mod engagement;
mod labels;
mod statistics;

pub use clock::{Advance, ImageClock, ImageStamp, ImageTime, LATE, LONGEST_STEP, SteadyClock};
pub use color::Rgb;
pub use decision::{DEFAULT_MIN_CONFIDENCE, DecisionRule};
pub use emotion::{AFFECT_SOURCE, Affect, Distribution, Emotion, UnknownEmotion};
pub use engagement::Engagement;
pub use labels::{LabelSet, LabelSetError};
pub use statistics::{mean, median, nearest_rank, percentile};
