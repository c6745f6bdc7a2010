//! `rapport record`: a copy of a recording with what the people in it show.

use std::io::Cursor;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::commands::analyze::parse_field_of_view;
use crate::commands::calibration::CalibrationArgs;
use crate::commands::emotions::emotions_cdr;
use crate::commands::evaluate::parse_rows;
use crate::commands::output::print_line;
use crate::commands::progress::Progress;
use crate::commands::rates::RateArgs;
use rapport_evaluation::images::{ImageReader, ImageTopic};
use rapport_evaluation::labels::FrameLabels;
use rapport_evaluation::seen::{Place, Seen};
use rapport_evaluation::tables::{FacesTable, FramesSeen, PARTS_ENDING, ROWS_OF_A_GROUP};
use rapport_evaluation::warnings::Warnings;
use rapport_perception::annotate::annotate;
use rapport_perception::detect::WorkingSize;
use rapport_perception::frame::Frame;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::{Networks, Person, Session, SessionOptions};
use rapport_recording::bag::{Bag, BagWriter, NewTopic, Qos, Recorded, Reliability};
use rapport_recording::message::{Definition, Header, compressed_image_cdr};
use rapport_vocabulary::ImageStamp;

/// Quality of the annotated images, of 100.
const JPEG_QUALITY: u8 = 90;

/// Copies a recording and adds the messages that perception_node would have published.
///
/// The copy is MCAP. It has every message of the recording, and for every image a
/// rapport/msg/FaceEmotionArray with the stamp of the image. Exit status: 0 success, 1 failed, 2 wrong
/// options, 3 finished with warnings.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordArgs {
    /// The recording: its directory, or one .mcap or .db3 file of it.
    pub bag: PathBuf,

    /// The copy: a file if it ends in .mcap, else a directory. It must not exist yet.
    pub out: PathBuf,

    /// Add the images with boxes and captions too, as JPEG.
    #[arg(long)]
    pub annotated: bool,

    /// Write a row for each face and frame into a Parquet file beside the copy too, OUT.faces.parquet.
    /// While it runs, the rows are in OUT.faces.parts.
    #[arg(long)]
    pub parquet: bool,

    /// Rows that are written together: as many are lost if the program is killed.
    #[arg(long, value_name = "ROWS", requires = "parquet", default_value_t = ROWS_OF_A_GROUP,
        value_parser = parse_rows)]
    pub parquet_group_rows: usize,

    /// Topic of images, where the recording has several.
    #[arg(long, value_name = "NAME")]
    pub topic: Option<String>,

    /// Topic of the added messages.
    #[arg(long, value_name = "NAME", default_value = "/emotions")]
    pub emotions_topic: String,

    /// Topic of the added images.
    #[arg(long, value_name = "NAME", default_value = "/annotated_image/compressed")]
    pub annotated_topic: String,

    /// How wide the images are, from their left to their right edge: adds where each head is.
    #[arg(long, value_name = "DEGREES", value_parser = parse_field_of_view)]
    pub horizontal_fov_deg: Option<f64>,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

    /// Largest size at which faces are searched. Default: the node's 480x360.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub working_size: Option<WorkingSize>,

    /// How often images are searched and faces classified; a recording's only.
    #[command(flatten)]
    pub rates: RateArgs,

    /// What `rapport adapt` learnt about the network.
    #[command(flatten)]
    pub calibration: CalibrationArgs,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

/// Runs the command. Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// If the recording or a model cannot be used, or the copy cannot be written.
pub fn run(args: &RecordArgs) -> anyhow::Result<u8> {
    let bag = Bag::open(&args.bag)?;
    let images = ImageTopic::choose(&bag, args.topic.as_deref())
        .with_context(|| args.bag.display().to_string())?;
    let added = [Some(&args.emotions_topic), args.annotated.then_some(&args.annotated_topic)];
    for name in added.into_iter().flatten() {
        let is_there = bag.topics().iter().any(|topic| topic.name == *name);
        let path = args.bag.display();
        ensure!(!is_there, "{path}: has a topic {name} already, name another one to add");
    }
    let mut options = SessionOptions { rates: args.rates.into(), ..SessionOptions::default() };
    options.detect.working_size = args.working_size.unwrap_or(options.detect.working_size);
    options.pose.horizontal_fov_deg = args.horizontal_fov_deg;
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let files = args.calibration.model_files(args.model.clone());
    let mut session = Session::new(Networks::load(&files, &runtime)?, options);

    let mut faces = args.parquet.then(|| faces_table(args, session.networks())).transpose()?;
    let mut copy = BagWriter::create(&args.out)?;
    for topic in bag.topics() {
        copy.add_topic(NewTopic::from(topic))?;
    }
    let reliable = Qos::default();
    let emotions = copy.add_topic(new(&args.emotions_topic, Definition::EMOTIONS, reliable))?;
    let sensor = Qos { reliability: Reliability::BestEffort, ..reliable };
    let annotated = match args.annotated {
        true => Some(copy.add_topic(new(
            &args.annotated_topic,
            Definition::COMPRESSED_IMAGE,
            sensor,
        ))?),
        false => None,
    };

    let progress = Progress::new(bag.message_count(), "messages");
    let mut warnings = Warnings::default();
    for warning in bag.warnings() {
        progress.warn(&mut warnings, "recording", || warning.to_string());
    }
    let mut reader = ImageReader::default();
    let (mut copied, mut processed) = (0u64, 0u64);
    let mut frames = 0u64;
    let mut begin_ns = bag.bounds_ns().map(|(first_ns, _)| first_ns);
    for message in bag.messages() {
        let message = match message {
            Ok(message) => message,
            Err(warning) => {
                progress.warn(&mut warnings, "recording", || warning.to_string());
                continue;
            }
        };
        let time_ns = message.log_time_ns;
        let begin_ns = *begin_ns.get_or_insert(time_ns);
        // Topics were added in the recording's own order, so that their numbers are the same.
        copy.write(message.topic, time_ns, message.publish_time_ns, &message.data)?;
        copied += 1;
        progress.step();
        if message.topic != images.index {
            continue;
        }
        let number = frames;
        frames += 1;
        let (header, frame) = match reader.read(images, &message.data) {
            Ok(image) => image,
            Err(error) => {
                progress.warn(&mut warnings, "image not used", || format!("{error:#}"));
                continue;
            }
        };
        let arrival = Duration::from_nanos(time_ns.try_into().unwrap_or_default());
        let people = match session.process(&frame, ImageStamp { stamp: header.stamp(), arrival }) {
            Ok(observation) => observation.people,
            Err(error) => {
                progress.warn(&mut warnings, "network failed", || error.to_string());
                continue;
            }
        };
        processed += 1;
        let (width, height) = (frame.width_px(), frame.height_px());
        let networks = session.networks();
        if let Some(table) = &mut faces {
            let place = Place {
                frame: number,
                time_secs: Some(time_ns.saturating_sub(begin_ns) as f64 / 1e9),
                stamp: Some(header.stamp().unwrap_or(arrival)),
                ..Place::default()
            };
            let seen: Vec<Seen> = people.iter().map(Seen::from).collect();
            let model = networks.emotion_model();
            let identity = (model.name.as_str(), model.sha256.as_str(), networks.labels());
            table.frame(identity, &place, &FrameLabels::default(), &seen)?;
        }
        let message = emotions_cdr(&header, width, height, &people, networks);
        copy.write(emotions, time_ns, time_ns, &message)?;
        if let Some(topic) = annotated {
            copy.write(topic, time_ns, time_ns, &annotated_cdr(&header, &frame, &people)?)?;
        }
        if let Some(warning) = reader.warning() {
            progress.warn(&mut warnings, "damaged image", || warning.to_owned());
        }
    }
    copy.finish()?;
    let seen = FramesSeen { frames, frames_used: processed };
    let faces = faces.map(|faces| faces.finish(seen)).transpose()?;
    progress.finish();
    print_line(&format!(
        "{}: {copied} messages copied, {processed} images processed, emotions on {}; {} warnings",
        args.out.display(),
        args.emotions_topic,
        warnings.count()
    ))?;
    if let Some(faces) = faces {
        print_line(&format!("{}: faces", faces.display()))?;
    }
    Ok(if warnings.is_empty() { 0 } else { 3 })
}

/// Begins the table of faces beside the copy.
fn faces_table(args: &RecordArgs, networks: &Networks) -> anyhow::Result<FacesTable> {
    let is_file = args.out.extension().is_some_and(|ending| ending == "mcap");
    // Without a slash at its end.
    let folder: PathBuf = args.out.components().collect();
    let mut name = if is_file { folder.with_extension("") } else { folder }.into_os_string();
    name.push(".faces.parquet");
    let path = PathBuf::from(name);
    for path in [&path, &path.with_extension(PARTS_ENDING)] {
        ensure!(!path.exists(), "{}: not written: is there already", path.display());
    }
    let recording = args.bag.file_name().unwrap_or(args.bag.as_os_str()).to_string_lossy();
    let model = networks.emotion_model();
    let models = [(model.name.as_str(), model.sha256.as_str(), networks.labels())];
    Ok(FacesTable::create(&path, &recording, models.into_iter(), args.parquet_group_rows)?)
}

fn new(name: &str, definition: Definition, qos: Qos) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        type_name: definition.type_name.to_owned(),
        offered_qos: vec![qos],
        recorded: Recorded {
            type_hash: definition.type_hash.to_owned(),
            definition_encoding: "ros2msg".to_owned(),
            definition: definition.text(),
            ..Recorded::default()
        },
    }
}

fn annotated_cdr(
    header: &Header<'_>,
    frame: &Frame<'_>,
    people: &[Person],
) -> anyhow::Result<Vec<u8>> {
    let rgb = annotate(frame, people);
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .write_image(&rgb, frame.width_px(), frame.height_px(), ExtendedColorType::Rgb8)
        .context("annotated image not encoded")?;
    Ok(compressed_image_cdr(header, &jpeg.into_inner()))
}
