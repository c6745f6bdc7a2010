//! A person of a frame, for Python. What a program does not read is never converted.

use std::sync::Arc;
use std::time::Duration;

use ndarray::Array2;
use numpy::{PyArray2, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rapport_perception::detect::Face;
use rapport_perception::geometry::{Point, Rect};
use rapport_perception::pose::{Facing, HeadPose};
use rapport_vocabulary::{Affect, Distribution, Emotion, Engagement};

use crate::errors::Kind;
use crate::named;

/// One person in one frame; see `_native.pyi`.
#[pyclass(frozen, eq, module = "rapport")]
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    id: String,
    face: Face,
    first_seen: Duration,
    pose: Option<HeadPose>,
    facing: Option<Facing>,
    engagement: Option<Engagement>,
    emotion: Emotion,
    probabilities: Distribution,
    instant_emotion: Emotion,
    instant_probabilities: Distribution,
    distribution_age: Duration,
    affect: Affect,
    #[pyo3(get)]
    sure: bool,
    labels: Arc<[Emotion]>,
}

impl Person {
    /// A person as a session found them; `labels` are those of its networks.
    pub fn new(person: &rapport_perception::Person, labels: &Arc<[Emotion]>) -> Self {
        Self {
            id: person.id.to_string(),
            face: person.face,
            first_seen: person.first_seen,
            pose: person.pose,
            facing: person.facing,
            engagement: person.engagement,
            emotion: person.emotion,
            probabilities: person.probabilities,
            instant_emotion: person.instant_emotion,
            instant_probabilities: person.instant_probabilities,
            distribution_age: person.distribution_age,
            affect: person.affect,
            sure: person.sure,
            labels: Arc::clone(labels),
        }
    }

    /// Box and landmarks.
    pub fn face(&self) -> &Face {
        &self.face
    }

    /// The label.
    pub fn emotion(&self) -> Emotion {
        self.emotion
    }

    fn by_label<'py>(
        &self,
        py: Python<'py>,
        distribution: &Distribution,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for label in self.labels.iter() {
            found.set_item(label.as_str(), distribution.of(*label))?;
        }
        Ok(found)
    }
}

#[pymethods]
impl Person {
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    #[getter]
    fn label(&self) -> &'static str {
        self.emotion.as_str()
    }

    #[getter]
    fn confidence(&self) -> f32 {
        self.probabilities.of(self.emotion)
    }

    #[getter(r#box)]
    fn roi<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Rect { x, y, width, height } = self.face.roi_in_image;
        named::BOX.of(py, (x, y, width, height))
    }

    #[getter]
    fn landmarks<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f32>> {
        let points = self.face.landmarks;
        Array2::from_shape_fn((points.len(), 2), |(point, axis)| match axis {
            0 => points[point].x,
            _ => points[point].y,
        })
        .to_pyarray(py)
    }

    #[getter]
    fn detection_confidence(&self) -> f32 {
        self.face.score
    }

    #[getter]
    fn face_probability(&self) -> f32 {
        self.face.probability
    }

    #[getter]
    fn probabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.by_label(py, &self.probabilities)
    }

    #[getter]
    fn instant_label(&self) -> &'static str {
        self.instant_emotion.as_str()
    }

    #[getter]
    fn instant_probabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.by_label(py, &self.instant_probabilities)
    }

    #[getter]
    fn distribution_age_secs(&self) -> f64 {
        self.distribution_age.as_secs_f64()
    }

    #[getter]
    fn first_seen_secs(&self) -> f64 {
        self.first_seen.as_secs_f64()
    }

    #[getter]
    fn valence(&self) -> f32 {
        self.affect.valence
    }

    #[getter]
    fn arousal(&self) -> f32 {
        self.affect.arousal
    }

    #[getter]
    fn engagement(&self) -> Option<&'static str> {
        self.engagement.map(Engagement::as_str)
    }

    #[getter]
    fn yaw_deg(&self) -> Option<f64> {
        self.facing.map(|facing| facing.yaw_deg)
    }

    #[getter]
    fn pitch_deg(&self) -> Option<f64> {
        self.facing.map(|facing| facing.pitch_deg)
    }

    #[getter]
    fn pose<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let fields = |pose: HeadPose| {
            let HeadPose { position_m: p, orientation: o, distance_std_m } = pose;
            let (position, turn) = ((p[0], p[1], p[2]), (o[0], o[1], o[2], o[3]));
            named::POSE.of(py, (pose.distance_m(), distance_std_m, position, turn))
        };
        self.pose.map(fields).transpose()
    }

    /// A flat dictionary: a row of a table.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Rect { x, y, width, height } = self.face.roi_in_image;
        let row = PyDict::new(py);
        row.set_item("id", &self.id)?;
        row.set_item("label", self.label())?;
        row.set_item("confidence", self.confidence())?;
        row.set_item("sure", self.sure)?;
        row.set_item("x_px", x)?;
        row.set_item("y_px", y)?;
        row.set_item("width_px", width)?;
        row.set_item("height_px", height)?;
        row.set_item("detection_confidence", self.face.score)?;
        row.set_item("valence", self.affect.valence)?;
        row.set_item("arousal", self.affect.arousal)?;
        row.set_item("yaw_deg", self.yaw_deg())?;
        row.set_item("pitch_deg", self.pitch_deg())?;
        row.set_item("distance_m", self.pose.map(|pose| pose.distance_m()))?;
        for label in self.labels.iter() {
            row.set_item(label.as_str(), self.probabilities.of(*label))?;
        }
        Ok(row)
    }

    fn __repr__(&self) -> String {
        let Rect { x, y, width, height } = self.face.roi_in_image;
        format!(
            "Person(id='{}', label='{}', confidence={:.2}, sure={}, box=({x:.0}, {y:.0}, {width:.0}, \
             {height:.0}))",
            self.id,
            self.label(),
            self.confidence(),
            if self.sure { "True" } else { "False" },
        )
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let state = State {
            id: self.id.clone(),
            labels: self.labels.iter().map(ToString::to_string).collect(),
            label: self.label().to_owned(),
            instant_label: self.instant_label().to_owned(),
            engagement: self.engagement().map(str::to_owned),
            sure: self.sure,
            face: face_numbers(&self.face),
            distributions: (self.probabilities.0.to_vec(), self.instant_probabilities.0.to_vec()),
            affect: (self.affect.valence, self.affect.arousal),
            times_ns: (nanos(self.first_seen), nanos(self.distribution_age)),
            pose: self.pose.map(|pose| (pose.position_m, pose.orientation, pose.distance_std_m)),
            facing: self.facing.map(|f| [f.yaw_deg, f.pitch_deg, f.off_deg, f.bearing_deg]),
        };
        let restore = py.import("rapport._native")?.getattr("restore_person")?;
        Ok((restore, PyTuple::new(py, [state.into_pyobject(py)?])?))
    }
}

/// A person in values that can be pickled.
#[derive(FromPyObject, IntoPyObject)]
pub struct State {
    #[pyo3(item)]
    id: String,
    #[pyo3(item)]
    labels: Vec<String>,
    #[pyo3(item)]
    label: String,
    #[pyo3(item)]
    instant_label: String,
    #[pyo3(item)]
    engagement: Option<String>,
    #[pyo3(item)]
    sure: bool,
    /// Box, score, probability, landmarks.
    #[pyo3(item)]
    face: Vec<f32>,
    #[pyo3(item)]
    distributions: (Vec<f32>, Vec<f32>),
    #[pyo3(item)]
    affect: (f32, f32),
    #[pyo3(item)]
    times_ns: (u64, u64),
    #[pyo3(item)]
    pose: Option<([f64; 3], [f64; 4], f64)>,
    #[pyo3(item)]
    facing: Option<[f64; 4]>,
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

fn face_numbers(face: &Face) -> Vec<f32> {
    let Rect { x, y, width, height } = face.roi_in_image;
    let mut numbers = vec![x, y, width, height, face.score, face.probability];
    numbers.extend(face.landmarks.iter().flat_map(|point| [point.x, point.y]));
    numbers
}

/// The person that was pickled.
#[pyfunction]
pub fn restore_person(state: State) -> PyResult<Person> {
    let wrong = |what: &str| Kind::Setting.error(format!("{what} of a pickled person is not ours"));
    let label = |text: &str| text.parse::<Emotion>().map_err(|_| wrong("label"));
    let labels: Vec<Emotion> =
        state.labels.iter().map(|text| label(text)).collect::<PyResult<_>>()?;
    let distribution = |values: &[f32]| {
        let values = values.try_into().map_err(|_| wrong("distribution"))?;
        PyResult::Ok(Distribution(values))
    };
    let numbers: [f32; 16] = state.face.try_into().map_err(|_| wrong("face"))?;
    let [x, y, width, height, score, probability, ..] = numbers;
    let point = |index: usize| Point { x: numbers[6 + 2 * index], y: numbers[7 + 2 * index] };
    let engagement = match state.engagement {
        Some(word) => Some(Engagement::from_word(&word).ok_or_else(|| wrong("engagement"))?),
        None => None,
    };
    Ok(Person {
        id: state.id,
        face: Face {
            roi_in_image: Rect { x, y, width, height },
            score,
            probability,
            landmarks: std::array::from_fn(point),
        },
        first_seen: Duration::from_nanos(state.times_ns.0),
        pose: state.pose.map(|(position_m, orientation, distance_std_m)| HeadPose {
            position_m,
            orientation,
            distance_std_m,
        }),
        facing: state.facing.map(|[yaw_deg, pitch_deg, off_deg, bearing_deg]| Facing {
            yaw_deg,
            pitch_deg,
            off_deg,
            bearing_deg,
        }),
        engagement,
        emotion: label(&state.label)?,
        probabilities: distribution(&state.distributions.0)?,
        instant_emotion: label(&state.instant_label)?,
        instant_probabilities: distribution(&state.distributions.1)?,
        distribution_age: Duration::from_nanos(state.times_ns.1),
        affect: Affect { valence: state.affect.0, arousal: state.affect.1 },
        sure: state.sure,
        labels: labels.into(),
    })
}
