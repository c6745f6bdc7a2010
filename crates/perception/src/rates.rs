//! How often images are searched and faces classified. Between two searches the known faces are
//! followed; between two classifications a face keeps its distribution.

use std::collections::HashMap;
use std::time::Duration;

use rapport_vocabulary::{Distribution, Emotion};
use serde::{Deserialize, Serialize};

use crate::frame::Frame;
use crate::geometry::Point;
use crate::track::FaceId;
use crate::zones::Zones;

/// Faces classified in one image at most, so that a crowd slows down how often each is classified,
/// and not the image.
const MOST_CLASSIFIED: usize = 12;

/// Rows and columns of the samples that tell whether something moved.
const SAMPLE_ROWS: u32 = 12;
const SAMPLE_COLUMNS: u32 = 16;

/// Change of a sample, of 255, that is no noise.
const CHANGE: u8 = 24;

/// So many samples that changed since the last search are another scene, or a camera that turned: new
/// faces may be anywhere.
const ANOTHER_SCENE: usize = (SAMPLE_ROWS * SAMPLE_COLUMNS / 8) as usize;

/// So many are somebody who may have come where nobody was.
const SOMEBODY: usize = 2;

/// How often images are searched and faces classified, in the time of the images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateOptions {
    /// How many images a second are searched for faces; the others follow the faces that are known. 0:
    /// every image is searched.
    pub search_hz: f32,
    /// How often a second each face is classified; in other images its last distribution counts. 0: in
    /// every image.
    pub classify_hz: f32,
}

impl RateOptions {
    /// Every image in full.
    pub const EVERY_IMAGE: Self = Self { search_hz: 0.0, classify_hz: 0.0 };
}

impl Default for RateOptions {
    fn default() -> Self {
        Self { search_hz: 5.0, classify_hz: 10.0 }
    }
}

/// The period of a rate; nothing where the rate is 0, negative or not a number.
fn period(hz: f32) -> Option<Duration> {
    (hz > 0.0).then(|| Duration::try_from_secs_f32(1.0 / hz).unwrap_or(Duration::MAX))
}

/// Whether it is time, to the nearest image: half an interval early is nearer than half of one late.
fn is_due(since_last: Duration, period: Duration, interval: Duration) -> bool {
    since_last + interval / 2 >= period
}

/// Decides which images are searched.
#[derive(Debug, Default)]
pub struct Searches {
    last_image: Option<Duration>,
    last_search: Option<Duration>,
    /// Since the image before.
    interval: Duration,
    /// While somebody is missed: how long after the last search the next one comes. It doubles with
    /// each that does not find them.
    retry: Option<Duration>,
    /// Of the image now, and of the one that was searched last.
    samples: Vec<u8>,
    searched_samples: Vec<u8>,
}

impl Searches {
    /// Takes the time of the next image, and says whether it is to be searched whatever following it
    /// would show. `is_empty`: nobody was in view in the image before.
    pub fn begin(
        &mut self,
        frame: &Frame<'_>,
        time: Duration,
        is_empty: bool,
        options: RateOptions,
        zones: &Zones,
    ) -> bool {
        let Some(period) = period(options.search_hz) else {
            // Whoever turns the rate on later begins with a search.
            *self = Self::default();
            return true;
        };
        let changed = self.sample(frame, zones);
        let (last_image, last_search) = (self.last_image.replace(time), self.last_search);
        let (Some(last_image), Some(last_search)) = (last_image, last_search) else { return true };
        // Where stamps stand still or go back, nobody knows how much time has passed.
        if time <= last_image {
            return true;
        }
        self.interval = time - last_image;
        let since = time.saturating_sub(last_search);
        changed >= if is_empty { SOMEBODY } else { ANOTHER_SCENE }
            || is_due(since, period, self.interval)
            || self.retry.is_some_and(|retry| is_due(since, retry, self.interval))
    }

    /// Takes note that the image at `time` was searched, and whether somebody known was not found.
    pub fn searched(&mut self, time: Duration, misses_somebody: bool) {
        self.last_search = Some(time);
        self.searched_samples.clone_from(&self.samples);
        self.retry = misses_somebody
            .then(|| self.retry.map_or(self.interval, |retry| retry.saturating_mul(2)));
    }

    /// Samples the frame, and says how many samples changed since the last search.
    fn sample(&mut self, frame: &Frame<'_>, zones: &Zones) -> usize {
        let middle = |index: u32, count: u32, side: u32| (2 * index + 1) * side / (2 * count);
        let sample = |i| {
            let x = middle(i % SAMPLE_COLUMNS, SAMPLE_COLUMNS, frame.width_px());
            let y = middle(i / SAMPLE_COLUMNS, SAMPLE_ROWS, frame.height_px());
            let point = Point { x: x as f32 + 0.5, y: y as f32 + 0.5 };
            // What moves where nothing is looked for is no reason to look.
            if zones.contains(point, frame.width_px(), frame.height_px()) {
                return 0;
            }
            let [r, g, b] = frame.rgb(x, y).map(u16::from);
            ((r + 2 * g + b) / 4) as u8
        };
        self.samples.clear();
        self.samples.extend((0..SAMPLE_ROWS * SAMPLE_COLUMNS).map(sample));
        let pairs = self.samples.iter().zip(&self.searched_samples);
        pairs.filter(|(now, before)| now.abs_diff(**before) > CHANGE).count()
    }
}

/// What the network said of a face last.
#[derive(Debug, Clone, Copy)]
pub struct Classified {
    /// The time of that image.
    pub time: Duration,
    /// The distribution.
    pub probabilities: Distribution,
    /// The label of that image alone.
    pub emotion: Emotion,
}

/// Decides which faces of an image are classified, and keeps what was said of the others.
#[derive(Debug, Default)]
pub struct Turns {
    last_image: Option<Duration>,
    faces: HashMap<FaceId, Classified>,
}

impl Turns {
    /// Which of these faces, by index, are classified in the image at `time`: those that never were
    /// first, then those whose turn is longest ago. The turns are spread evenly over the images.
    pub fn choose(&mut self, faces: &[FaceId], time: Duration, options: RateOptions) -> Vec<usize> {
        let last_image = self.last_image.replace(time);
        let Some(period) = period(options.classify_hz) else {
            return (0..faces.len()).collect();
        };
        // Where stamps stand still or go back, nobody knows how much time has passed.
        let interval = last_image.map(|last| time.saturating_sub(last));
        let known = |id: &FaceId| self.faces.get(id).map(|seen| seen.time);
        let mut due: Vec<(Option<Duration>, usize)> = (0..)
            .zip(faces)
            .filter_map(|(index, id)| {
                let (Some(last), Some(interval)) = (known(id), interval) else {
                    return Some((known(id), index));
                };
                let is_due = interval.is_zero()
                    || time < last
                    || is_due(time.saturating_sub(last), period, interval);
                is_due.then_some((Some(last), index))
            })
            .collect();
        due.sort();
        let new = due.iter().filter(|(last, _)| last.is_none()).count();
        let share = interval
            .filter(|interval| !interval.is_zero())
            .map_or(1.0, |interval| (interval.as_secs_f32() / period.as_secs_f32()).min(1.0));
        let fair = (faces.len() as f32 * share).ceil() as usize;
        due.truncate(fair.max(new).min(MOST_CLASSIFIED));
        let mut chosen: Vec<usize> = due.into_iter().map(|(_, index)| index).collect();
        chosen.sort_unstable();
        chosen
    }

    /// Keeps what was said of a face.
    pub fn classified(&mut self, id: FaceId, said: Classified) {
        self.faces.insert(id, said);
    }

    /// What was said of a face last.
    pub fn of(&self, id: FaceId) -> Option<&Classified> {
        self.faces.get(&id)
    }

    /// Forgets all faces but those that `known` keeps.
    pub fn retain(&mut self, known: impl Fn(FaceId) -> bool) {
        self.faces.retain(|&id, _| known(id));
    }
}
