//! Where the files that come with the package lie: installed, or in the checkout that built it;
//! and whether two paths lead to one file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where an embedding program says that the files lie.
struct Embedded {
    share: PathBuf,
    onnxruntime: Option<PathBuf>,
}

static EMBEDDED: OnceLock<Embedded> = OnceLock::new();

/// For a program that does not lie where the package does, as a Python interpreter: the folder that
/// has `models` and `config`, and ONNX Runtime's library if it is known. Counts once in a process;
/// gives whether it was this time.
pub fn embed(share: PathBuf, onnxruntime: Option<PathBuf>) -> bool {
    EMBEDDED.set(Embedded { share, onnxruntime }).is_ok()
}

/// Finds a file of the package (`models/emotion.onnx`, `config/policy.yaml`) by its path below the
/// package's share folder, or nothing.
///
/// Looked for in the folder given to [`embed`]; then, upwards from the running program:
/// `share/rapport/<path>` as an installation has it (the program lies in `lib/rapport`), then
/// `<path>` as the checkout has it.
pub fn shared_file(path: &str) -> Option<PathBuf> {
    let embedded = EMBEDDED.get().map(|embedded| embedded.share.join(path));
    if let Some(found) = embedded.filter(|path| path.exists()) {
        return Some(found);
    }
    let share = Path::new("share").join("rapport").join(path);
    upwards(&share).or_else(|| upwards(Path::new(path)))
}

/// Finds ONNX Runtime's shared library without being told where it is, or nothing.
///
/// Looked for: the variable `ORT_DYLIB_PATH`; what [`embed`] was given; upwards from the running
/// program, the place where `tools/setup` puts it and `lib/rapport` of an installation.
pub fn onnxruntime_library() -> Option<PathBuf> {
    std::env::var_os("ORT_DYLIB_PATH")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| EMBEDDED.get()?.onnxruntime.clone())
        .or_else(|| upwards(Path::new(".prefix/lib/libonnxruntime.so")))
        .or_else(|| upwards(Path::new("lib/rapport/libonnxruntime.so")))
}

/// Whether two paths lead to the same file; not so where one of them does not exist.
pub fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

fn upwards(path: &Path) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().skip(1).map(|folder| folder.join(path)).find(|path| path.exists())
}
