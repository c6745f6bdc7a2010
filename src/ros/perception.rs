//! The perception node: camera images in, the expressions of the people in them out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use r2r::rapport::msg::FaceEmotionArray;
use r2r::sensor_msgs::msg::Image;
use r2r::{Node, Publisher, QosProfile};
use tokio::sync::watch;

use super::convert;
use super::logging::Complaints;
use super::parameters::{Kind, Parameters, Spec, live, start};
use super::runner::Tasks;
use crate::annotate::annotate;
use crate::detect::WorkingSize;
use crate::onnx::{self, RuntimeOptions};
use crate::pipeline::{ModelFiles, Observation, Pipeline, PipelineOptions, Timings};
use crate::smooth::SmoothOptions;
use crate::track::TrackOptions;

static PARAMETERS: [Spec; 13] = [
    start(
        "emotion_model",
        Kind::Text(""),
        "Emotion network (ONNX); empty: models/emotion.onnx of the package",
    ),
    start(
        "yunet_model",
        Kind::Text(""),
        "Face finder (ONNX); empty: models/yunet.onnx of the package",
    ),
    start(
        "onet_model",
        Kind::Text(""),
        "Face verifier (ONNX); empty: models/onet.onnx of the package",
    ),
    start(
        "onnxruntime_library",
        Kind::Text(""),
        "ONNX Runtime's libonnxruntime.so; empty: found by itself",
    ),
    start("threads", Kind::Integer(1, 1..=64), "Threads that ONNX Runtime computes with"),
    live(
        "working_width",
        Kind::Integer(480, 32..=4096),
        "Greatest width in pixels at which faces are looked for",
    ),
    live(
        "working_height",
        Kind::Integer(360, 32..=4096),
        "Greatest height in pixels at which faces are looked for",
    ),
    live("min_score", Kind::Number(0.5, 0.1..=1.0), "Least score of a face, 0 to 1"),
    live(
        "min_face_probability",
        Kind::Number(0.7, 0.0..=1.0),
        "Least probability that the verifier gives a face, 0 to 1",
    ),
    live(
        "confirm_hits",
        Kind::Integer(2, 1..=100),
        "In how many images a face must be found before it is reported",
    ),
    live(
        "hold_secs",
        Kind::Number(1.0, 0.0..=60.0),
        "For how many seconds a face may be missed and keep its id",
    ),
    live(
        "smoothing_secs",
        Kind::Number(0.4, 0.0..=60.0),
        "Time constant of the smoothing of probabilities in seconds; 0: none",
    ),
    live(
        "switch_margin",
        Kind::Number(0.08, 0.0..=1.0),
        "Lead in probability that another label needs to replace the present one",
    ),
];

/// Loads the networks, subscribes `image`, advertises `emotions` and `annotated_image`.
///
/// # Errors
/// If a parameter, a model or ONNX Runtime is wrong or missing.
pub fn start_node(node: &mut Node) -> anyhow::Result<Tasks> {
    let (parameters, services, changes) = Parameters::declare(node, &PARAMETERS)?;
    let pipeline = load(&parameters)?;
    tracing::info!(
        "{} on {}",
        pipeline.emotion_model().display(),
        onnx::runtime_info().unwrap_or("ONNX Runtime")
    );
    let images = node.subscribe::<Image>("image", QosProfile::sensor_data())?;
    let worker = Worker {
        pipeline,
        parameters,
        emotions: node.create_publisher("emotions", QosProfile::default())?,
        annotated: node.create_publisher("annotated_image", QosProfile::sensor_data())?,
        complaints: Complaints::default(),
    };
    let (newest, next) = watch::channel(None);
    let (changed, change) = watch::channel(());
    let mut tasks = Tasks::default();
    tasks.endless(services);
    tasks.endless(changes.for_each(move |()| {
        changed.send_replace(());
        std::future::ready(())
    }));
    // The subscription's own queue drops the newest image when full: it is emptied at once into a
    // slot that drops the oldest.
    tasks.endless(images.for_each(move |image| {
        newest.send_replace(Some(Arc::new(image)));
        std::future::ready(())
    }));
    tasks.endless(worker.work(next, change));
    Ok(tasks)
}

fn load(parameters: &Parameters) -> anyhow::Result<Pipeline> {
    let path = |name| PathBuf::from(parameters.text(name));
    let files = ModelFiles {
        yunet: path("yunet_model"),
        onet: path("onet_model"),
        emotion: path("emotion_model"),
    };
    let library = path("onnxruntime_library");
    let runtime = RuntimeOptions {
        library: (!library.as_os_str().is_empty()).then_some(library),
        threads: parameters.number("threads") as usize,
    };
    Ok(Pipeline::load(&files, &runtime, options(parameters))?)
}

fn options(parameters: &Parameters) -> PipelineOptions {
    let secs = |name| Duration::from_secs_f64(parameters.number(name));
    PipelineOptions {
        working_size: WorkingSize {
            width_px: parameters.number("working_width") as u32,
            height_px: parameters.number("working_height") as u32,
        },
        min_score: parameters.number("min_score") as f32,
        min_face_probability: parameters.number("min_face_probability") as f32,
        track: TrackOptions {
            hold: secs("hold_secs"),
            confirm_hits: parameters.number("confirm_hits") as u32,
        },
        smooth: SmoothOptions {
            time_constant: secs("smoothing_secs"),
            switch_margin: parameters.number("switch_margin") as f32,
        },
        ..PipelineOptions::default()
    }
}

struct Worker {
    pipeline: Pipeline,
    parameters: Parameters,
    emotions: Publisher<FaceEmotionArray>,
    annotated: Publisher<Image>,
    complaints: Complaints,
}

impl Worker {
    /// Works on the newest image whenever there is one that it has not seen.
    async fn work(
        mut self,
        mut next: watch::Receiver<Option<Arc<Image>>>,
        mut change: watch::Receiver<()>,
    ) {
        while next.changed().await.is_ok() {
            let Some(image) = next.borrow_and_update().clone() else {
                continue;
            };
            if change.has_changed().unwrap_or(false) {
                change.mark_unchanged();
                self.pipeline.set_options(options(&self.parameters));
            }
            // One frame computes for milliseconds: other tasks move to another thread meanwhile.
            tokio::task::block_in_place(|| {
                if let Err(error) = self.answer(&image) {
                    self.complaints.log(format!("image passed over: {error:#}"));
                }
            });
        }
    }

    fn answer(&mut self, image: &Image) -> anyhow::Result<()> {
        let frame = convert::frame(image)?;
        // A camera that sets no stamps still has its faces followed, by the time of arrival.
        let stamp = convert::stamp(&image.header.stamp).unwrap_or_else(convert::time_of_day);
        let Observation { people, timings } = self.pipeline.process(&frame, stamp)?;
        let (width, height) = (frame.width_px(), frame.height_px());
        self.emotions.publish(&convert::emotions(&image.header, width, height, &people))?;
        if self.annotated.get_inter_process_subscription_count()? > 0 {
            let rgb = annotate(&frame, &people);
            self.annotated.publish(&convert::rgb_image(&image.header, width, height, rgb))?;
        }
        log_timings(&timings);
        Ok(())
    }
}

fn log_timings(timings: &Timings) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    tracing::debug!(
        "frame: total_ms={:.3} inference_ms={:.3} detect_ms={:.3} verify_ms={:.3} crop_ms={:.3} classify_ms={:.3}",
        ms(timings.total),
        ms(timings.inference),
        ms(timings.detect),
        ms(timings.verify),
        ms(timings.crop),
        ms(timings.classify)
    );
}
