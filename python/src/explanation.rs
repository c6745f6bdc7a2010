//! Which parts of a face speak for an expression, for Python.

use ndarray::array;
use numpy::{PyArray2, PyArray3, PyArrayMethods, ToPyArray};
use pyo3::prelude::*;
use rapport_perception::explain::draw_heat;
use rapport_perception::geometry::Similarity;
use rapport_vocabulary::Emotion;

use crate::errors::Kind;
use crate::pixels::{Channels, Image, Pixels};

/// The evidence maps of one face; see `_native.pyi`.
#[pyclass(frozen, module = "rapport")]
pub struct Explanation {
    explanation: rapport_perception::explain::Explanation,
    emotion: Emotion,
}

impl Explanation {
    /// Of a face with this label.
    pub fn new(explanation: rapport_perception::explain::Explanation, emotion: Emotion) -> Self {
        Self { explanation, emotion }
    }

    fn label_of(&self, text: Option<&str>) -> PyResult<Emotion> {
        let labels = &self.explanation.maps.labels;
        let found = match text {
            Some(text) => text.parse().ok().filter(|label| labels.contains(*label)),
            None => Some(self.emotion),
        };
        found.ok_or_else(|| {
            let (found, expected) = (text.unwrap_or_default(), labels.names().join(", "));
            Kind::Setting.error(format!("label is `{found}`, expected one of {expected}"))
        })
    }
}

#[pymethods]
impl Explanation {
    #[getter]
    fn labels(&self) -> Vec<&'static str> {
        self.explanation.maps.labels.names()
    }

    #[getter]
    fn maps<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray3<f32>> {
        self.explanation.maps.maps.to_pyarray(py)
    }

    #[getter]
    fn crop_side_px(&self) -> usize {
        self.explanation.crop_side_px
    }

    #[getter]
    fn crop_to_image<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f32>> {
        let Similarity { a, b, tx, ty } = self.explanation.crop_to_image;
        array![[a, -b, tx], [b, a, ty]].to_pyarray(py)
    }

    /// The map of one label, (rows, columns); of the person's own where none is named.
    #[pyo3(signature = (label = None))]
    fn map<'py>(
        &self,
        py: Python<'py>,
        label: Option<&str>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let label = self.label_of(label)?;
        let map = self.explanation.maps.of(label).ok_or_else(|| {
            Kind::Model.error(format!("the emotion network gives no map for {label}"))
        })?;
        Ok(map.to_pyarray(py))
    }

    /// The picture in RGB, with the evidence for a label laid over the face as heat.
    #[pyo3(signature = (image, label = None, *, channels = "rgb"))]
    fn overlay<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        label: Option<&str>,
        channels: &str,
    ) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let label = self.label_of(label)?;
        let image = Image::take(image)?;
        let pixels = Pixels::of(&image.view(), Channels::parse(channels)?)?;
        let frame = pixels.frame().map_err(|error| Kind::Image.error(error))?;
        let shape = [frame.height_px() as usize, frame.width_px() as usize, 3];
        let rgb = py.detach(|| draw_heat(&frame, &[(self.explanation.clone(), label)]));
        numpy::PyArray1::from_vec(py, rgb).reshape(shape)
    }

    fn __repr__(&self) -> String {
        let (labels, rows, columns) = self.explanation.maps.maps.dim();
        format!("Explanation({labels} maps of {rows}x{columns} for '{}')", self.emotion)
    }
}
