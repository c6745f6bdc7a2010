//! What every part of Rapport speaks of: expressions, the labels of a model, distributions over them,
//! valence and arousal, and the time of an image.

mod clock;
mod decision;
mod emotion;
mod labels;

pub use clock::{ImageClock, ImageStamp, ImageTime, LATE};
pub use decision::{DEFAULT_MIN_CONFIDENCE, Decision};
pub use emotion::{AFFECT_SOURCE, Affect, Distribution, Emotion, UnknownEmotion};
pub use labels::{LabelSet, LabelSetError};
