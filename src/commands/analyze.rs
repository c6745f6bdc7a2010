//! `rapport analyze`: the people in still pictures, as a table, as JSON, as annotated pictures.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use image::RgbImage;

use rapport_evaluation::picture_file::read_picture;
use rapport_perception::annotate::annotate_with_note;
use rapport_perception::detect::WorkingSize;
use rapport_perception::explain::draw_heat;
use rapport_perception::frame::{Encoding, Frame};
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::paths::same_file;
use rapport_perception::report::PictureReport;
use rapport_perception::{Networks, Observation, Person, Session, SessionOptions};
use rapport_vocabulary::{Emotion, ImageStamp};

use crate::commands::calibration::CalibrationArgs;

/// Finds the faces in pictures and prints their expressions.
///
/// Prints where each face is, which expression it shows, and how sure that is. Exit status: 0 all
/// pictures read, 1 none read, 2 wrong options, 3 some not read.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    /// Pictures: JPEG, PNG, WebP, TIFF, BMP, GIF, PNM.
    #[arg(required = true, value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,

    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Write the annotated picture here (.png, .jpg); for several pictures, a folder.
    #[arg(long, short, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// Draw a heat map over each face: which parts support the predicted label; with =LABEL, that
    /// label.
    #[arg(long, value_name = "LABEL", num_args = 0..=1, require_equals = true, requires = "output")]
    pub explain: Option<Option<Emotion>>,

    /// Largest size at which faces are searched; larger pictures are scaled down for it.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1920x1920")]
    pub working_size: WorkingSize,

    /// How wide the pictures are, from their left to their right edge: adds to the JSON where each head
    /// is and what it turns to.
    #[arg(long, value_name = "DEGREES", value_parser = parse_field_of_view, requires = "json")]
    pub horizontal_fov_deg: Option<f64>,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

    /// Smallest confidence of a sure label; a label below it gets a question mark. Default: as the
    /// emotion network's decision rule has it.
    #[arg(long, value_name = "0..1", value_parser = parse_share)]
    pub min_confidence: Option<f32>,

    /// What `rapport adapt` learnt about the network.
    #[command(flatten)]
    pub calibration: CalibrationArgs,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

/// How the pictures went: of how many, how many were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Pictures given.
    pub given: usize,
    /// Pictures read.
    pub read: usize,
}

/// Runs the command. A picture that cannot be read is reported on standard error and skipped.
///
/// # Errors
/// If the networks do not load, one fails, or the output cannot be written.
pub fn run(args: &AnalyzeArgs) -> anyhow::Result<Outcome> {
    let files = args.calibration.model_files(args.model.clone());
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let mut options = SessionOptions::for_pictures();
    options.detect.working_size = args.working_size;
    options.min_confidence = args.min_confidence;
    options.pose.horizontal_fov_deg = args.horizontal_fov_deg;
    let mut session = Session::new(Networks::load(&files, &runtime)?, options);
    let mut documents = Vec::new();
    let mut read = 0;
    let mut written = HashSet::new();
    let mut out = std::io::stdout().lock();
    for path in &args.pictures {
        let warn = |warning: &str| eprintln!("rapport: {}: {warning}", path.display());
        let picture = match read_picture(path, warn) {
            Ok(picture) => picture,
            Err(error) => {
                eprintln!("rapport: {}: {error:#}", path.display());
                continue;
            }
        };
        let frame = frame_of(&picture)?;
        session.reset();
        let observation = session.process(&frame, ImageStamp::at(Duration::ZERO))?;
        if args.json {
            let (width, height) = picture.dimensions();
            let (name, labels) = (path.display().to_string(), session.networks().labels());
            let people = &observation.people;
            documents.push(PictureReport::new(name, people, labels, width, height));
        } else {
            write_table(&mut out, path, &picture, &observation)?;
        }
        read += 1;
        if let Some(output) = &args.output {
            let target = output_path(output, path, args.pictures.len())?;
            check_target(&target, &args.pictures, &mut written)?;
            let people = &observation.people;
            match args.explain {
                None => write_annotated(&target, &frame, people, "")?,
                Some(label) => {
                    let heat = explain(&session, &frame, people, label)?;
                    let note = label.map(|label| format!(", heat: {label}")).unwrap_or_default();
                    write_annotated(&target, &frame_of(&heat)?, people, &note)?;
                }
            }
        }
    }
    if args.json {
        serde_json::to_writer_pretty(&mut out, &documents)?;
        writeln!(out)?;
    }
    Ok(Outcome { given: args.pictures.len(), read })
}

/// The picture with the evidence for one expression, or for each face's own, laid over the faces.
fn explain(
    session: &Session,
    frame: &Frame<'_>,
    people: &[Person],
    label: Option<Emotion>,
) -> anyhow::Result<RgbImage> {
    let explained = people
        .iter()
        .map(|person| Ok((session.explain(frame, &person.face)?, label.unwrap_or(person.emotion))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let rgb = draw_heat(frame, &explained);
    RgbImage::from_raw(frame.width_px(), frame.height_px(), rgb).context("picture too small")
}

fn frame_of(picture: &RgbImage) -> anyhow::Result<Frame<'_>> {
    let (width, height) = picture.dimensions();
    Ok(Frame::new(width, height, width as usize * 3, Encoding::Rgb8, picture.as_raw())?)
}

fn parse_share(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number, 0 to 1".to_owned())
}

/// Reads the degrees between the edges of an image.
///
/// # Errors
/// If it is no number of degrees that an image without distortion can be wide.
pub fn parse_field_of_view(text: &str) -> Result<f64, String> {
    let degrees = text.parse().ok().filter(|degrees| (1.0..=175.0).contains(degrees));
    degrees.ok_or_else(|| "expected degrees, 1 to 175".to_owned())
}

fn write_table(
    out: &mut impl Write,
    path: &Path,
    picture: &RgbImage,
    observation: &Observation,
) -> std::io::Result<()> {
    let people = &observation.people;
    let plural = if people.len() == 1 { "face" } else { "faces" };
    let ms = observation.timings.total.as_secs_f64() * 1e3;
    let (width, height) = picture.dimensions();
    writeln!(out, "{}: {width}x{height}, {} {plural}, {ms:.1} ms", path.display(), people.len())?;
    if people.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "  {:<9} {:>5} {:>5} {:>5} {:>6} {:>6}  {:<10} {:>10} {:>8} {:>8}",
        "face",
        "x",
        "y",
        "width",
        "height",
        "score",
        "expression",
        "confidence",
        "valence",
        "arousal"
    )?;
    for person in people {
        let (x, y, w, h) = person.face.roi_in_image.clipped(width, height);
        let affect = person.affect;
        let doubt = if person.sure { "" } else { "?" };
        writeln!(
            out,
            "  {:<9} {x:>5} {y:>5} {w:>5} {h:>6} {:>6.2}  {:<10} {:>9.0}% {:>8.2} {:>8.2}",
            person.id.to_string(),
            person.face.score,
            format!("{}{doubt}", person.emotion),
            person.confidence() * 100.0,
            affect.valence,
            affect.arousal
        )?;
    }
    Ok(())
}

fn output_path(output: &Path, picture: &Path, pictures: usize) -> anyhow::Result<PathBuf> {
    if pictures == 1 && !output.is_dir() {
        return Ok(output.to_owned());
    }
    ensure!(
        output.is_dir() || !output.exists(),
        "--output {} is a file; for several pictures it must be a folder",
        output.display()
    );
    std::fs::create_dir_all(output)
        .with_context(|| format!("folder {} not made", output.display()))?;
    // Not `with_extension`: it would take `.001` off `frame.001`.
    let mut name = picture.file_stem().unwrap_or(picture.as_os_str()).to_owned();
    name.push(".png");
    Ok(output.join(name))
}

/// Refuses to write over a picture that was given, or over one of this run.
fn check_target(
    target: &Path,
    pictures: &[PathBuf],
    written: &mut HashSet<PathBuf>,
) -> anyhow::Result<()> {
    ensure!(
        !(target.exists() && pictures.iter().any(|picture| same_file(picture, target))),
        "{} is one of the pictures given; expected another --output",
        target.display()
    );
    ensure!(
        written.insert(target.to_owned()),
        "{} was written for another picture of that name; expected them in two runs",
        target.display()
    );
    Ok(())
}

fn write_annotated(
    target: &Path,
    frame: &Frame<'_>,
    people: &[Person],
    note: &str,
) -> anyhow::Result<()> {
    let rgb = annotate_with_note(frame, people, note);
    image::save_buffer(
        target,
        &rgb,
        frame.width_px(),
        frame.height_px(),
        image::ExtendedColorType::Rgb8,
    )
    .with_context(|| format!("annotated picture {} not written", target.display()))
}
