//! `rapport rehearse`: what the robot would have done about the people of a recording.

mod account;
mod page;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::commands::calibration::CalibrationArgs;
use crate::commands::output::print_text;
use crate::commands::progress::Progress;
use crate::commands::rates::RateArgs;
use account::{People, Rehearsal, Rehearsed};
use rapport_behavior::{Engine, FaceBox, FaceReading, ModelLabels, Policy, StateValue};
use rapport_evaluation::images::{ImageReader, ImageTopic};
use rapport_evaluation::warnings::Warnings;
use rapport_evaluation::write_whole_file;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::{Networks, Person, Session, SessionOptions, paths};
use rapport_recording::bag::{Bag, Topic};
use rapport_recording::message::StringMessage;
use rapport_vocabulary::ImageStamp;

/// Shows what the robot would have done about the people of a recording, without a robot.
///
/// Prints a timeline: who came, which rule fired for whom and why, which nearly did and what was
/// missing, and what the manners held back. The same recording and policies give the same output.
/// States of the robot are taken from the recording where it has their topics; else they are unknown.
///
/// Exit status: 0 success, 1 failed, 2 wrong options, 3 finished with warnings.
#[derive(Debug, Clone, clap::Args)]
pub struct RehearseArgs {
    /// The recording: its directory, or one .mcap or .db3 file of it.
    pub recording: PathBuf,

    /// A policy; several are shown side by side. Default: config/policy.yaml of the package.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,

    /// Write everything as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write one page that needs no other file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Language that the robot speaks. Default: the first of each text.
    #[arg(long, value_name = "LANGUAGE", default_value = "")]
    pub language: String,

    /// Topic of images, where the recording has several.
    #[arg(long, value_name = "NAME")]
    pub topic: Option<String>,

    /// How wide the images are, from their left to their right edge. Without it no distance is known,
    /// as on a robot without camera_info.
    #[arg(long, value_name = "DEGREES", value_parser = parse_degrees)]
    pub horizontal_fov_deg: Option<f64>,

    /// Hours that local time is ahead of UTC, for rules about hours of the day.
    #[arg(long, value_name = "HOURS", default_value_t = 0.0, allow_negative_numbers = true, value_parser = parse_offset)]
    pub utc_offset: f64,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

    /// How often images are searched and faces classified.
    #[command(flatten)]
    pub rates: RateArgs,

    /// What `rapport adapt` learnt about the network.
    #[command(flatten)]
    pub calibration: CalibrationArgs,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

fn parse_degrees(text: &str) -> Result<f64, String> {
    let degrees = text.parse().ok().filter(|degrees| (10.0..=170.0).contains(degrees));
    degrees.ok_or_else(|| "expected degrees, 10 to 170".to_owned())
}

fn parse_offset(text: &str) -> Result<f64, String> {
    let hours = text.parse().ok().filter(|hours| (-14.0..=14.0).contains(hours));
    hours.ok_or_else(|| "expected hours, -14 to 14".to_owned())
}

/// Runs the command. Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// If the recording, a policy or a model cannot be used, or a file cannot be written.
pub fn run(args: &RehearseArgs) -> anyhow::Result<u8> {
    let files = match args.policies.is_empty() {
        false => args.policies.clone(),
        true => vec![
            paths::shared_file("config/policy.yaml")
                .context("config/policy.yaml of the package not found; name one by --policy")?,
        ],
    };
    let policies: Vec<Policy> =
        files.iter().map(|file| Policy::read(file)).collect::<Result<_, _>>()?;
    let (rehearsal, warnings) = rehearse(args, &files, policies)?;
    print_text(&text::timeline(&rehearsal))?;
    if let Some(file) = &args.json {
        let mut json = serde_json::to_string_pretty(&rehearsal)?;
        json.push('\n');
        write_whole_file(file, json.as_bytes())?;
    }
    if let Some(file) = &args.html {
        write_whole_file(file, page::page(&rehearsal).as_bytes())?;
    }
    Ok(if warnings.is_empty() { 0 } else { 3 })
}

fn rehearse(
    args: &RehearseArgs,
    files: &[PathBuf],
    policies: Vec<Policy>,
) -> anyhow::Result<(Rehearsal, Warnings)> {
    let bag = Bag::open(&args.recording)?;
    let images = ImageTopic::choose(&bag, args.topic.as_deref())
        .with_context(|| args.recording.display().to_string())?;
    let mut options = SessionOptions { rates: args.rates.into(), ..SessionOptions::default() };
    options.pose.horizontal_fov_deg = args.horizontal_fov_deg;
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let model_files = args.calibration.model_files(args.model.clone());
    let mut session = Session::new(Networks::load(&model_files, &runtime)?, options);
    let progress = Progress::new(bag.message_count(), "messages");
    let mut warnings = Warnings::default();
    for warning in bag.warnings() {
        progress.warn(&mut warnings, "recording", || warning.to_string());
    }
    let labels: Vec<String> =
        session.networks().labels().names().into_iter().map(str::to_owned).collect();
    let mut robots = Vec::new();
    for (file, policy) in files.iter().zip(policies) {
        for warning in ModelLabels::compare(&labels, &policy).warnings() {
            progress.warn(&mut warnings, "labels", || format!("{}: {warning}", file.display()));
        }
        let mut engine = Engine::new(policy);
        engine.set_language(&args.language);
        engine.explain(true);
        robots.push((engine, Rehearsed::default()));
    }
    let states = |topic: &Topic| {
        let is_it = |name: &str| topic.name == name || topic.name.strip_prefix('/') == Some(name);
        robots
            .iter()
            .any(|(engine, _)| engine.policy().states.values().any(|state| is_it(&state.topic)))
    };
    let is_state: Vec<bool> = bag.topics().iter().map(states).collect();
    let mut people = People::default();
    let mut reader = ImageReader::default();
    let (mut count, mut first) = (0_u64, None);
    for message in bag.messages() {
        progress.step();
        let message = match message {
            Ok(message) => message,
            Err(warning) => {
                progress.warn(&mut warnings, "recording", || warning.to_string());
                continue;
            }
        };
        if is_state.get(message.topic) == Some(&true) {
            let topic = &bag.topics()[message.topic];
            for (engine, _) in &mut robots {
                tell(engine, topic, &message.data);
            }
        }
        if message.topic != images.index {
            continue;
        }
        let (header, frame) = match reader.read(images, &message.data) {
            Ok(image) => image,
            Err(error) => {
                progress.warn(&mut warnings, "image not used", || format!("{error:#}"));
                continue;
            }
        };
        let width_px = frame.width_px();
        let arrival = Duration::from_nanos(message.log_time_ns.try_into().unwrap_or_default());
        let stamp = ImageStamp { stamp: header.stamp(), arrival };
        let seen = match session.process(&frame, stamp) {
            Ok(observation) => observation.people,
            Err(error) => {
                progress.warn(&mut warnings, "network failed", || error.to_string());
                continue;
            }
        };
        count += 1;
        let time = header.stamp().unwrap_or(arrival);
        let start = *first.get_or_insert(time);
        let at_secs = time.saturating_sub(start).as_secs_f64();
        let ids: Vec<String> = seen.iter().map(|person| person.id.to_string()).collect();
        let readings: Vec<FaceReading<'_>> =
            seen.iter().zip(&ids).map(|(person, id)| reading(person, id, width_px)).collect();
        people.see(at_secs, &readings);
        let hour = (time.as_secs_f64() / 3600.0 + args.utc_offset).rem_euclid(24.0);
        for (engine, rehearsed) in &mut robots {
            engine.set_hour(Some(hour));
            let decision = engine.observe(stamp, &readings);
            rehearsed.note(at_secs, decision, engine);
        }
    }
    progress.finish();
    let policies = files
        .iter()
        .zip(robots)
        .map(|(file, (engine, rehearsed))| rehearsed.finish(&file.display().to_string(), &engine))
        .collect();
    let rehearsal = Rehearsal {
        recording: args.recording.display().to_string(),
        images: count,
        secs: people.secs(),
        model: session.networks().emotion_model().name.clone(),
        knows_distance: args.horizontal_fov_deg.is_some(),
        people: people.finish(),
        policies,
    };
    Ok((rehearsal, warnings))
}

/// A person as the engine takes them.
fn reading<'a>(person: &Person, id: &'a str, image_width_px: u32) -> FaceReading<'a> {
    let roi = person.face.roi_in_image;
    FaceReading {
        sure: person.sure,
        valence: person.affect.valence,
        arousal: person.affect.arousal,
        engagement: person.engagement,
        position_m: person.pose.map(|pose| pose.position_m.map(|metres| metres as f32)),
        face_box: FaceBox::new(roi.x, roi.y, roi.width, roi.height)
            .map(|found| found.in_image(image_width_px)),
        ..FaceReading::new(id, person.emotion, person.confidence())
    }
}

/// Tells an engine what a message says about a state of the robot.
fn tell(engine: &mut Engine, topic: &Topic, cdr: &[u8]) {
    let names: Vec<(String, bool)> = engine
        .policy()
        .states
        .iter()
        .filter(|(_, state)| {
            topic.name == state.topic || topic.name.strip_prefix('/') == Some(&*state.topic)
        })
        .map(|(name, state)| (name.clone(), state.is_text))
        .collect();
    for (name, is_text) in names {
        let value = match is_text {
            true => {
                StringMessage::read(cdr).ok().map(|text| StateValue::Text(text.data.to_owned()))
            }
            // After the four bytes that tell the encoding, a std_msgs/Bool is one byte.
            false => cdr.get(4).map(|byte| StateValue::Flag(*byte != 0)),
        };
        if let Some(value) = value {
            engine.set_state(&name, value);
        }
    }
}
