//! Recordings, read without ROS: pictures as arrays, messages as bytes.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rapport_evaluation::images::{ImageReader, ImageTopic};
use rapport_perception::frame::Encoding;
use rapport_recording::bag::{Bag, BagWarning, Message, Messages as BagMessages, Topic};
use rapport_vocabulary::ImageClock;

use crate::errors::Kind;
use crate::named;

/// A recording; see `_native.pyi`.
#[pyclass(frozen, module = "rapport")]
pub struct Recording {
    path: PathBuf,
    bag: Bag,
}

#[pymethods]
impl Recording {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let bag = py.detach(|| Bag::open(&path)).map_err(|error| Kind::Recording.error(error))?;
        Ok(Self { path, bag })
    }

    #[getter]
    fn path(&self) -> &PathBuf {
        &self.path
    }

    #[getter]
    fn topics<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let fields = |topic: &Topic| {
            let Topic { name, type_name, message_count, recorded, .. } = topic;
            named::TOPIC.of(py, (name, type_name, *message_count, &recorded.definition))
        };
        self.bag.topics().iter().map(fields).collect()
    }

    #[getter]
    fn duration_secs(&self) -> Option<f64> {
        self.bag.bounds_ns().map(|(first, last)| last.saturating_sub(first) as f64 / 1e9)
    }

    #[getter]
    fn bounds_ns(&self) -> Option<(i64, i64)> {
        self.bag.bounds_ns()
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.bag.warnings().iter().map(ToString::to_string).collect()
    }

    /// The pictures of a topic, one after another; of the only one that has some, if none is named.
    #[pyo3(signature = (topic = None))]
    fn pictures(&self, topic: Option<&str>) -> PyResult<Pictures> {
        let images = ImageTopic::choose(&self.bag, topic).map_err(|error| {
            Kind::Recording.error(format!("{}: {error:#}", self.path.display()))
        })?;
        let wanted = self.bag.topics().get(images.index);
        let messages = self.bag.messages_on(|topic| Some(topic) == wanted);
        Ok(Pictures {
            images,
            state: Mutex::new(State {
                messages,
                reader: ImageReader::default(),
                clock: ImageClock::default(),
                first: None,
                number: 0,
            }),
        })
    }

    /// The messages of some topics, or of all.
    #[pyo3(signature = (topics = None))]
    fn messages(&self, topics: Option<Vec<String>>) -> PyResult<Messages> {
        let known = self.bag.topics();
        for name in topics.iter().flatten() {
            if !known.iter().any(|topic| topic.name == *name) {
                let names: Vec<_> = known.iter().map(|topic| topic.name.as_str()).collect();
                return Err(Kind::Recording.error(format!(
                    "{}: no topic {name} in the recording, found: {}",
                    self.path.display(),
                    names.join(", ")
                )));
            }
        }
        let wanted =
            |topic: &Topic| topics.as_ref().is_none_or(|names| names.contains(&topic.name));
        Ok(Messages {
            topics: known.iter().map(|t| (t.name.clone(), t.type_name.clone())).collect(),
            messages: Mutex::new(self.bag.messages_on(wanted)),
        })
    }

    fn __iter__(&self) -> PyResult<Pictures> {
        self.pictures(None)
    }

    fn __repr__(&self) -> String {
        format!("Recording('{}', {} topics)", self.path.display(), self.bag.topics().len())
    }
}

struct State {
    messages: BagMessages,
    reader: ImageReader,
    clock: ImageClock,
    first: Option<Duration>,
    number: u64,
}

/// The pictures of a topic.
#[pyclass(frozen, module = "rapport._native")]
pub struct Pictures {
    images: ImageTopic,
    state: Mutex<State>,
}

/// A picture as Python gets it.
struct Picture {
    pixels: Vec<u8>,
    /// Height, width, and 3 for a colour image.
    shape: (usize, usize, Option<usize>),
    time: Duration,
    stamp: Option<Duration>,
    log_time_ns: i64,
    frame_id: String,
    number: u64,
}

/// What comes next.
enum Next {
    Picture(Box<Picture>),
    Warning(String),
    End,
}

impl State {
    fn next(&mut self, images: ImageTopic) -> Next {
        let message = match self.messages.next() {
            None => return Next::End,
            Some(Err(warning)) => return Next::Warning(warning.to_string()),
            Some(Ok(message)) => message,
        };
        let number = self.number;
        self.number += 1;
        let (header, frame) = match self.reader.read(images, &message.data) {
            Ok(found) => found,
            Err(error) => return Next::Warning(format!("frame {number}: {error:#}")),
        };
        let arrival = Duration::from_nanos(message.log_time_ns.try_into().unwrap_or_default());
        let stamp = header.stamp();
        let time = self.clock.time(stamp, arrival).time;
        let first = *self.first.get_or_insert(time);
        let (width, height) = (frame.width_px() as usize, frame.height_px() as usize);
        let is_grey = frame.encoding() == Encoding::Mono8;
        let mut pixels = frame.to_rgb();
        if is_grey {
            // The three are alike.
            pixels = pixels.into_iter().step_by(3).collect();
        }
        Next::Picture(Box::new(Picture {
            pixels,
            shape: (height, width, (!is_grey).then_some(3)),
            // A clock that was set back begins anew.
            time: time.saturating_sub(first),
            stamp,
            log_time_ns: message.log_time_ns,
            frame_id: header.frame_id.to_owned(),
            number,
        }))
    }
}

#[pymethods]
impl Pictures {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let picture = match py.detach(|| lock(&self.state).next(self.images)) {
                Next::End => return Ok(None),
                Next::Warning(text) => {
                    warn(py, &text)?;
                    continue;
                }
                Next::Picture(picture) => *picture,
            };
            let Picture { pixels, shape, time, stamp, log_time_ns, frame_id, number } = picture;
            let flat = PyArray1::from_vec(py, pixels);
            let pixels = match shape {
                (height, width, None) => flat.reshape([height, width])?.into_any(),
                (height, width, Some(depth)) => flat.reshape([height, width, depth])?.into_any(),
            };
            let (time_secs, stamp_ns) = (time.as_secs_f64(), stamp.map(|stamp| stamp.as_nanos()));
            return named::PICTURE
                .of(py, (pixels, time_secs, stamp_ns, log_time_ns, frame_id, number))
                .map(Some);
        }
    }
}

/// The messages of some topics.
#[pyclass(frozen, module = "rapport._native")]
pub struct Messages {
    topics: Vec<(String, String)>,
    messages: Mutex<BagMessages>,
}

#[pymethods]
impl Messages {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let next: Option<Result<Message, BagWarning>> =
                py.detach(|| lock(&self.messages).next());
            let message = match next {
                None => return Ok(None),
                Some(Err(warning)) => {
                    warn(py, &warning.to_string())?;
                    continue;
                }
                Some(Ok(message)) => message,
            };
            let (topic, type_name) =
                self.topics.get(message.topic).map_or(("", ""), |(name, kind)| (name, kind));
            let data = PyBytes::new(py, &message.data);
            let Message { log_time_ns, publish_time_ns, .. } = message;
            return named::MESSAGE
                .of(py, (topic, type_name, log_time_ns, publish_time_ns, data))
                .map(Some);
        }
    }
}

/// Nothing is half changed where reading panicked: the reader goes on with the next message.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let category = py.import("rapport._errors")?.getattr("RecordingWarning")?;
    let category =
        category.cast_into().unwrap_or_else(|_| py.get_type::<PyUserWarning>().into_any());
    let text = std::ffi::CString::new(text.replace('\0', " ")).unwrap_or_default();
    PyErr::warn(py, &category, &text, 1)
}
