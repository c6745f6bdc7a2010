//! From an image to the people in it. A pipeline has two sessions over the same networks: one for
//! the frames of a camera or film, which come with their time, and one for pictures on their own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use rapport_perception::detect::WorkingSize;
use rapport_perception::frame::{Frame, FrameError};
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_perception::{ModelFiles, Networks, Observation, Session, SessionOptions, Timings};
use rapport_vocabulary::{Emotion, ImageStamp};

use crate::errors::Kind;
use crate::explanation::Explanation;
use crate::named;
use crate::people::Person;
use crate::pixels::{Channels, Image, Pixels};

/// Why an image was not processed.
enum Failure {
    Frame(FrameError),
    Model(ModelError),
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Frame(error) => Kind::Image.error(error),
            Failure::Model(error) => Kind::Model.error(error),
        }
    }
}

/// What `rapport.Pipeline` is made of.
#[pyclass(frozen, module = "rapport._native")]
pub struct Core {
    sequence: Mutex<Session>,
    pictures: Mutex<Session>,
    /// Sets of networks for the other threads of a batch, loaded when they are first asked for.
    spare: Mutex<Vec<Arc<Networks>>>,
    files: ModelFiles,
    runtime: RuntimeOptions,
    labels: Arc<[Emotion]>,
    timings: Mutex<Timings>,
}

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (*, model, detector, landmarks, calibration, place, working_size,
        min_confidence, search_hz, classify_hz, horizontal_fov_deg, threads, onnxruntime))]
    fn new(
        py: Python<'_>,
        model: Option<PathBuf>,
        detector: Option<PathBuf>,
        landmarks: Option<PathBuf>,
        calibration: Option<PathBuf>,
        place: Option<String>,
        working_size: Option<(u32, u32)>,
        min_confidence: Option<f32>,
        search_hz: Option<f32>,
        classify_hz: Option<f32>,
        horizontal_fov_deg: Option<f64>,
        threads: usize,
        onnxruntime: Option<PathBuf>,
    ) -> PyResult<Self> {
        let (mut sequence, mut pictures) =
            (SessionOptions::default(), SessionOptions::for_pictures());
        check("min_confidence", min_confidence, 0.0..=1.0)?;
        check("search_hz", search_hz, 0.0..=1000.0)?;
        check("classify_hz", classify_hz, 0.0..=1000.0)?;
        check("horizontal_fov_deg", horizontal_fov_deg, 1.0..=175.0)?;
        if !(1..=64).contains(&threads) {
            return Err(Kind::Setting.error(format!("threads is {threads}, expected 1 to 64")));
        }
        for options in [&mut sequence, &mut pictures] {
            if let Some((width_px, height_px)) = working_size {
                options.detect.working_size = working_size_of(width_px, height_px)?;
            }
            options.min_confidence = min_confidence;
            options.pose.horizontal_fov_deg = horizontal_fov_deg;
        }
        sequence.rates.search_hz = search_hz.unwrap_or(sequence.rates.search_hz);
        sequence.rates.classify_hz = classify_hz.unwrap_or(sequence.rates.classify_hz);
        let files = ModelFiles {
            detector: detector.unwrap_or_default(),
            landmarks: landmarks.unwrap_or_default(),
            emotion: model.unwrap_or_default(),
            calibration: calibration.unwrap_or_default(),
            place: place.unwrap_or_default(),
        };
        let runtime = RuntimeOptions { library: onnxruntime, threads };
        let networks = py
            .detach(|| Networks::load(&files, &runtime))
            .map_err(|error| Kind::Model.error(error))?;
        Ok(Self {
            labels: networks.labels().iter().collect(),
            sequence: Mutex::new(Session::new(Arc::clone(&networks), sequence)),
            pictures: Mutex::new(Session::new(networks, pictures)),
            spare: Mutex::default(),
            files,
            runtime,
            timings: Mutex::default(),
        })
    }

    /// The people of one image: the next of a sequence, or a picture where no time is given.
    fn process(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        time_secs: Option<f64>,
        channels: &str,
    ) -> PyResult<Vec<Person>> {
        let time = time_secs.map(time_of).transpose()?;
        let image = Image::take(image)?;
        let pixels = Pixels::of(&image.view(), Channels::parse(channels)?)?;
        let observation = py.detach(|| match time {
            Some(time) => look(&mut lock(&self.sequence), &pixels, time),
            None => look_at_picture(&mut lock(&self.pictures), &pixels),
        })?;
        *lock(&self.timings) = observation.timings;
        Ok(self.people(&observation))
    }

    /// The people of many pictures, by so many threads.
    fn process_batch(
        &self,
        py: Python<'_>,
        images: Vec<Bound<'_, PyAny>>,
        channels: &str,
        jobs: usize,
    ) -> PyResult<Vec<Vec<Person>>> {
        let channels = Channels::parse(channels)?;
        let named = |number: usize| move |error: PyErr| in_batch(py, number, error);
        let mut taken = Vec::with_capacity(images.len());
        for (number, image) in images.iter().enumerate() {
            taken.push(Image::take(image).map_err(named(number))?);
        }
        let views: Vec<_> = taken.iter().map(Image::view).collect();
        let mut pixels = Vec::with_capacity(views.len());
        for (number, view) in views.iter().enumerate() {
            pixels.push(Pixels::of(view, channels).map_err(named(number))?);
        }
        let found = py.detach(|| self.look_at_all(&pixels, jobs));
        let people = found.into_iter().enumerate().map(|(number, observation)| {
            let observation = observation.map_err(PyErr::from).map_err(named(number))?;
            Ok(self.people(&observation))
        });
        people.collect()
    }

    /// Which parts of a face speak for each label.
    fn explain(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        person: &Person,
        channels: &str,
    ) -> PyResult<Explanation> {
        let image = Image::take(image)?;
        let pixels = Pixels::of(&image.view(), Channels::parse(channels)?)?;
        let explained = py.detach(|| {
            let frame = pixels.frame().map_err(Failure::Frame)?;
            lock(&self.pictures).explain(&frame, person.face()).map_err(Failure::Model)
        })?;
        Ok(Explanation::new(explained, person.emotion()))
    }

    /// Forgets everybody; the next frame may be of any time.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| lock(&self.sequence).reset());
    }

    /// The labels of the emotion network, in its order.
    #[getter]
    fn labels(&self) -> Vec<&'static str> {
        self.labels.iter().map(|label| label.as_str()).collect()
    }

    /// Name, path and SHA-256 of the emotion network.
    #[getter]
    fn model(&self, py: Python<'_>) -> (String, PathBuf, String) {
        let model = py.detach(|| lock(&self.pictures).networks().emotion_model().clone());
        (model.name, model.path, model.sha256)
    }

    /// Where the time of the image went that was processed last, by `process`.
    #[getter]
    fn timings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let times = *lock(&self.timings);
        let Timings { detect, verify, crop, classify, total, inference } = times;
        let secs = |time: Duration| time.as_secs_f64();
        named::TIMINGS.of(
            py,
            (secs(detect), secs(verify), secs(crop), secs(classify), secs(total), secs(inference)),
        )
    }
}

impl Core {
    fn people(&self, observation: &Observation) -> Vec<Person> {
        observation.people.iter().map(|person| Person::new(person, &self.labels)).collect()
    }

    /// Each picture as [`Core::process`] sees it; which thread takes which does not matter.
    fn look_at_all(&self, pixels: &[Pixels<'_>], jobs: usize) -> Vec<Result<Observation, Failure>> {
        let others = match self.networks_for(jobs.min(pixels.len()).saturating_sub(1)) {
            Ok(others) => others,
            Err(error) => return vec![Err(Failure::Model(error))],
        };
        let options = lock(&self.pictures).options().clone();
        let next = AtomicUsize::new(0);
        let work = |session: &mut Session| {
            let mut done = Vec::new();
            while let Some((number, pixels)) = {
                let number = next.fetch_add(1, Ordering::Relaxed);
                pixels.get(number).map(|pixels| (number, pixels))
            } {
                done.push((number, look_at_picture(session, pixels)));
            }
            done
        };
        let mut done = std::thread::scope(|scope| {
            let threads: Vec<_> = others
                .into_iter()
                .map(|networks| {
                    let mut session = Session::new(networks, options.clone());
                    scope.spawn(move || work(&mut session))
                })
                .collect();
            let mut done = work(&mut lock(&self.pictures));
            done.extend(threads.into_iter().filter_map(|thread| thread.join().ok()).flatten());
            done
        });
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, observation)| observation).collect()
    }

    /// So many sets of networks beside the pipeline's own.
    fn networks_for(&self, count: usize) -> Result<Vec<Arc<Networks>>, ModelError> {
        let mut spare = lock(&self.spare);
        while spare.len() < count {
            spare.push(Networks::load(&self.files, &self.runtime)?);
        }
        Ok(spare.iter().take(count).cloned().collect())
    }
}

fn look(
    session: &mut Session,
    pixels: &Pixels<'_>,
    time: Duration,
) -> Result<Observation, Failure> {
    let frame = pixels.frame().map_err(Failure::Frame)?;
    session.process(&frame, ImageStamp::at(time)).map_err(Failure::Model)
}

fn look_at_picture(session: &mut Session, pixels: &Pixels<'_>) -> Result<Observation, Failure> {
    session.reset();
    look(session, pixels, Duration::ZERO)
}

/// A panic in another thread leaves nothing half changed that the next frame would not replace.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn time_of(secs: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(secs).map_err(|_| {
        Kind::Setting.error(format!("time_secs is {secs}, expected a number of seconds from 0 on"))
    })
}

fn in_batch(py: Python<'_>, number: usize, error: PyErr) -> PyErr {
    let text = format!("image {number}: {}", error.value(py));
    PyErr::from_type(error.get_type(py), text)
}

fn check<T: PartialOrd + std::fmt::Display>(
    name: &str,
    value: Option<T>,
    range: std::ops::RangeInclusive<T>,
) -> PyResult<()> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (least, most) = (range.start(), range.end());
            Err(Kind::Setting.error(format!("{name} is {value}, expected {least} to {most}")))
        }
        _ => Ok(()),
    }
}

/// The largest size at which faces are searched.
pub fn working_size_of(width_px: u32, height_px: u32) -> PyResult<WorkingSize> {
    format!("{width_px}x{height_px}").parse().map_err(|_| {
        let most = Frame::MAX_SIDE_PX;
        Kind::Setting.error(format!(
            "working_size is ({width_px}, {height_px}), expected (width, height) in pixels, each 32 to \
             {most}"
        ))
    })
}
