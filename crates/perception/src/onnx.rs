//! ONNX Runtime: finding its library, loading models, and saying what is wrong with them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ndarray::{ArrayView, ArrayViewD, Dim, Dimension};
use ort::environment::{Environment, GlobalThreadPoolOptions};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{TensorElementType, ValueType};

use sha2::{Digest, Sha256};

use crate::paths;

/// Why a network or ONNX Runtime itself cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No library given and none found.
    #[error(
        "ONNX Runtime not found: no library was given, ORT_DYLIB_PATH is not set, and none lies \
         beside this program; run `make setup` or name a libonnxruntime.so"
    )]
    LibraryNotFound,
    /// The library does not load.
    #[error("ONNX Runtime library {}: {reason}", path.display())]
    Library {
        /// The library that was tried.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The model file cannot be found or read.
    #[error("model {}: {reason}", path.display())]
    File {
        /// The model file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The file is not a model that ONNX Runtime can load.
    #[error("model {}: not loaded by ONNX Runtime: {reason}", path.display())]
    Load {
        /// The model file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// An input, output or metadata entry is not as it must be.
    #[error("model {}: {what} is {found}, expected {expected}", path.display())]
    Contract {
        /// The model file.
        path: PathBuf,
        /// The input, output or metadata entry.
        what: String,
        /// What the model has.
        found: String,
        /// What it must have.
        expected: String,
    },
    /// An output has another shape than the network declares.
    #[error("model {}: {error}", path.display())]
    Shape {
        /// The model file.
        path: PathBuf,
        /// Which tensor, what was found and what was expected.
        error: ShapeError,
    },
    /// The file that describes a model is wrong: a line for each mistake.
    #[error("{0}")]
    Sidecar(String),
    /// A calibration is wrong, a line for each mistake, or another model's.
    #[error("{0}")]
    Calibration(String),
    /// A run failed.
    #[error("model {}: inference failed: {reason}", path.display())]
    Run {
        /// The model file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
}

/// How networks are run.
#[derive(Debug, Clone, Default)]
pub struct RuntimeOptions {
    /// ONNX Runtime's shared library; found by [`paths::onnxruntime_library`] if not given.
    pub library: Option<PathBuf>,
    /// Threads inside one operator; 0 means 1: a robot's other work wants the other cores. All
    /// networks of the process share them, if they ask for as many as the first did.
    pub threads: usize,
}

/// Which model it is, for messages and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// The file's name without its ending: `emotion`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of the file's content, in hexadecimal.
    pub sha256: String,
}

/// A loaded network and the file it came from.
#[derive(Debug)]
pub struct Network {
    session: Session,
    path: PathBuf,
    sha256: String,
    busy: Duration,
}

impl Network {
    /// Loads a model file.
    ///
    /// # Errors
    /// If ONNX Runtime is missing or does not load, or the file is missing or no model.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let model = std::fs::read(path)
            .map_err(|e| ModelError::File { path: path.to_owned(), reason: e.to_string() })?;
        let started = environment(options)?;
        let session = build_session(&started, &model, options.threads.max(1))
            .map_err(|reason| ModelError::Load { path: path.to_owned(), reason })?;
        let sha256 = Sha256::digest(&model).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { session, path: path.to_owned(), sha256, busy: Duration::ZERO })
    }

    /// The file that the network was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Time spent inside ONNX Runtime's runs since loading.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// Which model it is.
    pub fn identity(&self) -> ModelIdentity {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ModelIdentity { name, path: self.path.clone(), sha256: self.sha256.clone() }
    }

    /// Names of the inputs, in order.
    pub fn input_names(&self) -> Vec<String> {
        self.session.inputs().iter().map(|input| input.name().to_owned()).collect()
    }

    /// Names of the outputs, in order.
    pub fn output_names(&self) -> Vec<String> {
        self.session.outputs().iter().map(|output| output.name().to_owned()).collect()
    }

    /// Dimensions of the first input, -1 where free; empty if it is no tensor.
    pub fn input_shape(&self) -> &[i64] {
        shape_of(self.session.inputs().first().map(|input| input.dtype()))
    }

    /// Dimensions of an output, -1 where free; empty if there is none of this name.
    pub fn output_shape(&self, name: &str) -> &[i64] {
        let outputs = self.session.outputs();
        shape_of(outputs.iter().find(|output| output.name() == name).map(|o| o.dtype()))
    }

    /// An entry of the model's metadata.
    pub fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// Checks that the model has exactly this input, float32, with these axes.
    ///
    /// # Errors
    /// [`ModelError::Contract`] with what was found.
    pub fn expect_input<const N: usize>(
        &self,
        name: &str,
        axes: Axes<N>,
    ) -> Result<(), ModelError> {
        let inputs = self.session.inputs();
        if inputs.len() != 1 {
            let found = format!("{} ({})", inputs.len(), names(inputs.iter().map(|i| i.name())));
            return Err(self.contract("number of inputs", found, format!("1 (`{name}`)")));
        }
        self.expect_tensor("input", name, axes, inputs.iter().map(|i| (i.name(), i.dtype())))
    }

    /// Checks that the model has this output, float32, with these axes.
    ///
    /// # Errors
    /// [`ModelError::Contract`] with what was found.
    pub fn expect_output<const N: usize>(
        &self,
        name: &str,
        axes: Axes<N>,
    ) -> Result<(), ModelError> {
        let outputs = self.session.outputs();
        self.expect_tensor("output", name, axes, outputs.iter().map(|o| (o.name(), o.dtype())))
    }

    fn expect_tensor<'a, const N: usize>(
        &self,
        side: &str,
        name: &str,
        axes: Axes<N>,
        found: impl Iterator<Item = (&'a str, &'a ValueType)> + Clone,
    ) -> Result<(), ModelError> {
        let Some((_, dtype)) = found.clone().find(|(found, _)| *found == name) else {
            let list = names(found.map(|(name, _)| name));
            return Err(self.contract(
                &format!("{side} list"),
                list,
                format!("one named `{name}`"),
            ));
        };
        let expected = format!("float32 {axes}");
        let fits = match dtype {
            ValueType::Tensor { ty: TensorElementType::Float32, shape: dims, .. } => {
                dims.len() == N
                    && dims.iter().zip(axes.lengths()).all(|(&dim, length)| {
                        length.is_none_or(|length| i64::try_from(length) == Ok(dim))
                    })
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let found = match dtype {
            ValueType::Tensor { ty, shape: dims, .. } => {
                let dims: Vec<_> = dims.iter().map(|&d| (d >= 0).then_some(d)).collect();
                format!("{ty} {}", show_shape(&dims))
            }
            other => format!("{other}"),
        };
        Err(self.contract(&format!("{side} `{name}`"), found, expected))
    }

    /// A [`ModelError::Contract`] about this model.
    pub fn contract(&self, what: &str, found: String, expected: String) -> ModelError {
        ModelError::Contract { path: self.path.clone(), what: what.to_owned(), found, expected }
    }

    /// Runs the network on one input tensor and hands its outputs, in the order of `outputs`, to
    /// `read`. The input must be contiguous, the last axis fastest.
    ///
    /// # Errors
    /// [`ModelError::Run`] with ONNX Runtime's reason, [`ModelError::Shape`] if `read` finds an
    /// output of another shape than it expects.
    pub fn run<D: Dimension + 'static, R, const N: usize>(
        &mut self,
        input: ArrayView<'_, f32, D>,
        outputs: [&str; N],
        read: impl FnOnce([ArrayViewD<'_, f32>; N]) -> Result<R, ShapeError>,
    ) -> Result<R, ModelError> {
        let path = &self.path;
        let failed = |e: ort::Error| ModelError::Run { path: path.clone(), reason: e.to_string() };
        let tensor = ort::value::TensorRef::from_array_view(input).map_err(failed)?;
        let start = Instant::now();
        let values = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        self.busy += start.elapsed();
        let arrays = outputs
            .iter()
            .map(|name| {
                let missing = || ort::Error::new(format!("no output `{name}`"));
                values.get(*name).ok_or_else(missing)?.try_extract_array::<f32>()
            })
            .collect::<ort::Result<Vec<_>>>()
            .map_err(failed)?;
        let arrays =
            arrays.try_into().map_err(|_| failed(ort::Error::new("outputs are missing")))?;
        read(arrays).map_err(|error| ModelError::Shape { path: path.clone(), error })
    }
}

/// The axes of a tensor: what each is called and how long it must be, `None` where it is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes<const N: usize>(pub [(&'static str, Option<usize>); N]);

/// `[face=?, label=7]`.
impl<const N: usize> fmt::Display for Axes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes = self.0.map(|(name, length)| match length {
            Some(length) => format!("{name}={length}"),
            None => format!("{name}=?"),
        });
        write!(f, "[{}]", axes.join(", "))
    }
}

/// A tensor of another shape than expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{tensor}` has shape {found:?}, expected {expected}")]
pub struct ShapeError {
    /// The input or output.
    pub tensor: String,
    /// The length of each axis as found.
    pub found: Vec<usize>,
    /// The axes as expected, as [`Axes`] shows them.
    pub expected: String,
}

impl<const N: usize> Axes<N> {
    /// The length of each axis, `None` where it is free.
    pub fn lengths(&self) -> [Option<usize>; N] {
        self.0.map(|(_, length)| length)
    }

    /// A view of a tensor with these axes.
    ///
    /// # Errors
    /// If the tensor has other axes.
    pub fn view<'a>(
        &self,
        tensor: &str,
        array: ArrayViewD<'a, f32>,
    ) -> Result<ArrayView<'a, f32, Dim<[usize; N]>>, ShapeError>
    where
        Dim<[usize; N]>: Dimension,
    {
        let error = || ShapeError {
            tensor: tensor.to_owned(),
            found: array.shape().to_vec(),
            expected: self.to_string(),
        };
        let fits = array.ndim() == N
            && array
                .shape()
                .iter()
                .zip(self.0)
                .all(|(&found, (_, length))| length.is_none_or(|length| length == found));
        if !fits {
            return Err(error());
        }
        let shape = error();
        array.into_dimensionality().map_err(|_| shape)
    }
}

/// The version of the loaded ONNX Runtime (`1.23.2`), as its file's name tells it, else its build;
/// nothing before a model is loaded.
pub fn runtime_version() -> Option<String> {
    let Some(Ok(Started { library, .. })) = ENVIRONMENT.get() else {
        return None;
    };
    // ort has no function for it. The library's own name is what it is linked by.
    let name = std::fs::canonicalize(library).ok();
    let name = name.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let version = name.and_then(|name| name.strip_prefix("libonnxruntime.so."));
    Some(version.unwrap_or_else(|| ort::info()).to_owned())
}

/// ONNX Runtime at work. One per process, as it has it: the library given first stays.
#[derive(Debug, Clone)]
struct Started {
    environment: Environment,
    library: PathBuf,
    /// Threads of the pool that networks share; 1: there is none.
    shared_threads: usize,
}

static ENVIRONMENT: OnceLock<Result<Started, (PathBuf, String)>> = OnceLock::new();

fn environment(options: &RuntimeOptions) -> Result<Started, ModelError> {
    let library = options.library.clone().or_else(paths::onnxruntime_library);
    let library = library.ok_or(ModelError::LibraryNotFound)?;
    // The loader would search its own path for a bare name and call a missing file a bad library.
    if ENVIRONMENT.get().is_none()
        && let Err(error) = std::fs::metadata(&library)
    {
        // Not kept: the file may be there the next time.
        return Err(ModelError::Library { path: library, reason: error.to_string() });
    }
    let shared_threads = options.threads.max(1);
    ENVIRONMENT
        .get_or_init(|| match start(&library, shared_threads) {
            Ok(environment) => Ok(Started { environment, library, shared_threads }),
            Err(reason) => Err((library, reason)),
        })
        .clone()
        .map_err(|(path, reason)| ModelError::Library { path, reason })
}

fn start(library: &Path, shared_threads: usize) -> Result<Environment, String> {
    let builder = ort::init_from(library).map_err(|e| e.to_string())?;
    let builder = builder.with_name("rapport").with_telemetry(false);
    let pool = || {
        GlobalThreadPoolOptions::default()
            .with_intra_threads(shared_threads)?
            .with_inter_threads(1)?
            // A waiting thread that spins would take a core from the robot's other work.
            .with_spin_control(false)
    };
    let build = || match shared_threads {
        1 => builder.build(),
        _ => builder.with_global_thread_pool(pool()?).build(),
    };
    build().map_err(|e: ort::Error| e.to_string())
}

fn build_session(started: &Started, model: &[u8], threads: usize) -> Result<Session, String> {
    let configure = || {
        let mut builder = Session::builder(&started.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?;
        if threads == 1 || threads != started.shared_threads {
            builder = builder
                .with_independent_thread_pool()?
                .with_intra_threads(threads)?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?;
        }
        builder.commit_from_memory(model)
    };
    configure().map_err(|e: ort::Error| e.to_string())
}

fn shape_of(kind: Option<&ValueType>) -> &[i64] {
    match kind {
        Some(ValueType::Tensor { shape, .. }) => shape,
        _ => &[],
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let list = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if list.is_empty() { "none".to_owned() } else { list }
}

fn show_shape(shape: &[Option<i64>]) -> String {
    let dims = shape.iter().map(|dim| dim.map_or("?".to_owned(), |d| d.to_string()));
    format!("[{}]", dims.collect::<Vec<_>>().join(","))
}
