//! The named tuples of `rapport/_types.py`: small values that Python programs unpack and compare.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

/// A class of `rapport/_types.py`, looked up once.
pub struct Named {
    name: &'static str,
    class: PyOnceLock<Py<PyAny>>,
}

/// A face's box.
pub static BOX: Named = Named::new("Box");
/// Where a head is.
pub static POSE: Named = Named::new("Pose");
/// Where the time of a frame went.
pub static TIMINGS: Named = Named::new("Timings");
/// A topic of a recording.
pub static TOPIC: Named = Named::new("Topic");
/// A picture of a recording.
pub static PICTURE: Named = Named::new("BagPicture");
/// A message of a recording.
pub static MESSAGE: Named = Named::new("BagMessage");

impl Named {
    const fn new(name: &'static str) -> Self {
        Self { name, class: PyOnceLock::new() }
    }

    /// A value with these fields.
    pub fn of<'py>(
        &self,
        py: Python<'py>,
        fields: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = self.class.get_or_try_init(py, || {
            py.import("rapport._types")?.getattr(self.name).map(Bound::unbind)
        })?;
        class.bind(py).call1(fields.into_pyobject(py)?)
    }
}
