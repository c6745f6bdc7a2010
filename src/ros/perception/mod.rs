//! The perception node: camera images in, the expressions of the people in them out.

mod camera_info;
mod engagement;
mod health;
mod people;
mod settings;
mod worker;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use r2r::{Node, ParameterValue, QosProfile};
use tokio::sync::watch;

use super::arguments::process_arguments;
use super::clock::RosClock;
use super::diagnostics::Diagnostics;
use super::enable;
use super::handle::NodeHandle;
use super::hri;
use super::hri::{Hri, Recognizer, Source};
use super::image_topic::{ImageTopic, Transport};
use super::intake::{Intake, IntakeStatus, Received};
use super::lifecycle::{Lifecycle, Managed};
use super::lock::lock;
use super::logging::RateLimitedLog;
use super::losses::Losses;
use super::namesake;
use super::parameters::{Changes, ParameterServices, Parameters, Values, given_to};
use super::processor::Processor;
use super::runner::Tasks;
use super::stats::Stats;
use super::status::EXPRESSIONS;
use health::{Loaded, PerceptionHealth};
use people::PeopleTopics;
use rapport_perception::frame::Decoder;
use rapport_perception::onnx;
use rapport_perception::pose::Camera;
use rapport_perception::track::FaceId;
use rapport_perception::zones::Zones;
use rapport_perception::{Networks, Session, SessionOptions};
use rapport_recording::message::EmotionsMessage;
use settings::{model_files, runtime_options, session_options, specs, zones};
use worker::{TimeOrigin, Worker};

/// Advertises the node's services and starts its tasks; images are taken once it is active.
///
/// # Errors
/// If a parameter is wrong.
pub fn start_node(node: &mut Node, handle: NodeHandle) -> anyhow::Result<Tasks> {
    let (_, ros_arguments) = process_arguments();
    let given = given_to(node)?;
    let topic = ImageTopic::find(node, transport_given(&given), &ros_arguments)?;
    let mut table = specs();
    table.extend(topic.qos_parameters());
    let parameters = Parameters::declare(&given, table)?;
    let at_start = parameters.values();
    zones(&at_start).context("parameter ignore_zones")?;
    let faces_from = Source::named(at_start.text("faces_from"));
    let mut tasks = Tasks::default();
    let clock = RosClock::start(handle.clone(), &parameters, &mut tasks);
    let lifecycle = Lifecycle::start(node, clock.clone())?;
    let processor = ImageProcessor::new();
    let (stats, intake, loaded) = (
        Arc::new(Mutex::new(Stats::default())),
        Arc::new(Mutex::new(IntakeStatus::default())),
        Arc::new(Mutex::new(Loaded::default())),
    );

    let services = ParameterServices::start(node, parameters.clone(), clock.clone())?;
    tasks.endless(services.serve());
    let namesake = namesake::Problem::default();
    tasks.endless(namesake::watch(handle.clone(), namesake.clone()));
    let health = PerceptionHealth {
        topic: match faces_from {
            Source::Image => topic.name.clone(),
            Source::Cropped | Source::Aligned => hri::TRACKED.to_owned(),
        },
        transport: match faces_from {
            Source::Image => topic.transport.name(),
            Source::Cropped | Source::Aligned => Transport::Raw.name(),
        },
        parameters: parameters.clone(),
        switch: processor.switch(),
        state: lifecycle.view(),
        loaded: loaded.clone(),
        stats: stats.clone(),
        intake: intake.clone(),
        namesake,
    };
    tasks.endless(Diagnostics::start(node, clock, EXPRESSIONS, health)?.run());
    let switched = processor.clone();
    let enable = move |on| switched.set(|switch| switch.enabled = on);
    tasks.endless(enable::start(node, ENABLE, enable)?);
    tasks.computing("faces", processor.clone().run())?;
    let camera = match faces_from {
        Source::Image => {
            let calibration = camera_info::topic(node, &topic, &ros_arguments)?;
            let (camera, task) = camera_info::start(node, calibration, &topic)?;
            // Without images there is nothing to be calibrated: the node lives on.
            tasks.endless(async {
                task.await;
                std::future::pending().await
            });
            camera
        }
        // Images of faces alone do not say where they are.
        Source::Cropped | Source::Aligned => watch::channel(None).1,
    };
    let perception = Perception {
        camera,
        node: handle.clone(),
        name: node.name()?,
        parameters: parameters.clone(),
        processor: processor.clone(),
        stats: stats.clone(),
        loaded,
        intake: intake.clone(),
        next_id: None,
        recognizer: None,
    };
    // Where another detector finds the faces, its images of them are all that is looked at.
    if faces_from == Source::Image {
        let intake = Intake {
            node: handle,
            request: topic.request(&at_start),
            topic,
            switch: processor.switch(),
            slot: processor.slot(),
            stats,
            status: intake,
            parameters,
            losses: Losses::default(),
        };
        tasks.endless(intake.run());
    }
    let last_word = perception.processor.clone();
    tasks.at_end(move || {
        last_word.set(|switch| switch.active = false);
    });
    lifecycle.run(perception, at_start.flag("autostart"), &mut tasks);
    Ok(tasks)
}

/// Where images wait and are processed.
type ImageProcessor = Processor<Received, Worker>;

/// The transport, needed before the parameters are declared: the QoS overrides among them are
/// named after the topic. A wrong value is refused when they are.
fn transport_given(given: &[(String, ParameterValue)]) -> Transport {
    match given.iter().rev().find(|(name, _)| name == "image_transport") {
        Some((_, ParameterValue::String(name))) => Transport::named(name),
        _ => Transport::Raw,
    }
}

const ENABLE: enable::Words = enable::Words {
    once_active: "images are taken once the node is active",
    disabled: "no images are taken",
};

/// How images of single faces are processed: shares of the camera's image mean nothing in them.
fn face_options(values: &Values) -> SessionOptions {
    let mut options = session_options(values);
    options.detect.ignore_zones = Zones::default();
    options.pose.horizontal_fov_deg = None;
    options
}

/// A number that is another one in each process.
fn by_chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What the lifecycle moves.
struct Perception {
    node: NodeHandle,
    /// The calibrated camera.
    camera: watch::Receiver<Option<Camera>>,
    parameters: Parameters,
    processor: ImageProcessor,
    stats: Arc<Mutex<Stats>>,
    loaded: Arc<Mutex<Loaded>>,
    /// Where face ids go on after a cleanup.
    next_id: Option<FaceId>,
    /// The node's name.
    name: String,
    intake: Arc<Mutex<IntakeStatus>>,
    /// At work where another detector finds the faces.
    recognizer: Option<Recognizer>,
}

impl Perception {
    /// Loads the networks and makes ready who works with them. Returns the emotion network's file, and
    /// the revision of its calibration if there is one.
    async fn load(
        &mut self,
        values: &Values,
        changes: Changes,
    ) -> anyhow::Result<(String, Option<u32>)> {
        let load = || Networks::load(&model_files(values), &runtime_options(values));
        let networks = tokio::task::block_in_place(load)?;
        let model = networks.emotion_model().path.display().to_string();
        let revision = networks.calibration().map(|calibration| calibration.revision);
        match Source::named(values.text("faces_from")) {
            Source::Image => {
                let worker = self.work(values, changes, networks).await?;
                self.processor.replace_worker(Some(worker));
            }
            source => {
                self.recognizer = Some(self.recognize(source, values, changes, networks)?);
            }
        }
        Ok((model, revision))
    }

    /// Starts to read expressions in the faces that another detector finds.
    fn recognize(
        &self,
        source: Source,
        values: &Values,
        changes: Changes,
        networks: Arc<Networks>,
    ) -> anyhow::Result<Recognizer> {
        if values.flag("publish_hri") {
            tracing::warn!(
                "publish_hri has no effect: faces_from is {}, so another node publishes the faces",
                values.text("faces_from")
            );
        }
        Recognizer::start(hri::Setup {
            name: self.name.clone(),
            source,
            networks,
            options: face_options(values),
            changes,
            options_of: face_options,
            switch: self.processor.switch(),
            stats: self.stats.clone(),
            status: self.intake.clone(),
        })
    }

    /// Advertises the topics that the values ask for.
    async fn work(
        &self,
        values: &Values,
        changes: Changes,
        networks: Arc<Networks>,
    ) -> anyhow::Result<Worker> {
        let mut session = Session::new(networks, session_options(values));
        let in_letters = !values.flag("deterministic_ids");
        // Nobody gets an id of a session before.
        match self.next_id.filter(|next| next.is_in_letters() == in_letters) {
            Some(next) => session.count_on_from(next),
            None if in_letters => session.count_on_from(FaceId::in_letters(by_chance())),
            None => {}
        }
        let people = PeopleTopics::start(self.node.clone(), values).await?;
        let hri = match values.flag("publish_hri") {
            true => Some(Hri::start(self.node.clone()).await?),
            false => None,
        };
        let advertise = |node: &mut Node| -> r2r::Result<_> {
            let kind = EmotionsMessage::TYPE_NAME;
            let emotions =
                node.create_publisher_untyped("emotions", kind, QosProfile::default())?;
            // Reliable, as image_transport publishes: `republish` and RViz ask for that, and those
            // who ask for best effort get it too.
            let annotated =
                node.create_publisher("annotated_image", QosProfile::default().keep_last(1))?;
            Ok((emotions, annotated))
        };
        let (emotions, annotated) =
            self.node.with(advertise).await?.context("topics not advertised")?;
        let mut worker = Worker {
            decoder: Decoder::default(),
            session,
            origin: TimeOrigin::now(),
            changes,
            emotions,
            annotated,
            hri,
            people,
            camera: self.camera.clone(),
            stats: self.stats.clone(),
            errors: RateLimitedLog::default(),
            was_set_back: false,
            last: None,
            hold: session_options(values).track.hold,
        };
        worker.begin();
        Ok(worker)
    }
}

impl Managed for Perception {
    async fn configure(&mut self) -> anyhow::Result<()> {
        // From here on its parameters are read: what is set later would not count.
        self.parameters.set_configured(true);
        let mut changes = self.parameters.changes();
        let values = changes.newest();
        let loaded = self.load(&values, changes).await;
        if loaded.is_err() {
            self.parameters.set_configured(false);
        }
        *lock(&self.loaded) = Loaded {
            model: loaded.as_ref().map(|(model, _)| model.clone()).unwrap_or_default(),
            calibration: match &loaded {
                Ok((_, Some(revision))) => {
                    format!("{}, revision {revision}", values.text("calibration"))
                }
                _ => String::new(),
            },
            threads: values.number("threads") as u64,
            failure: loaded.as_ref().err().map(|error| format!("{error:#}")),
        };
        let version = onnx::runtime_version().unwrap_or_default();
        let (model, revision) = loaded?;
        let calibrated = revision.map_or(String::new(), |revision| {
            format!(", calibration {}, revision {revision}", values.text("calibration"))
        });
        tracing::info!("{model} on ONNX Runtime {version}{calibrated}");
        Ok(())
    }

    async fn activate(&mut self) -> anyhow::Result<()> {
        self.processor.set(|switch| switch.active = true);
        Ok(())
    }

    async fn deactivate(&mut self) -> anyhow::Result<()> {
        self.processor.set(|switch| switch.active = false);
        Ok(())
    }

    async fn cleanup(&mut self) -> anyhow::Result<()> {
        if let Some(recognizer) = self.recognizer.take() {
            tokio::task::block_in_place(|| recognizer.end());
        }
        let worker = self.processor.replace_worker(None);
        *lock(&self.loaded) = Loaded::default();
        self.parameters.set_configured(false);
        if let Some(worker) = worker {
            let Worker { session, emotions, annotated, hri, people, .. } = worker;
            self.next_id = Some(session.next_id());
            if let Some(hri) = hri {
                hri.end().await?;
            }
            people.end().await?;
            let withdraw = |node: &mut Node| {
                node.destroy_publisher_untyped(emotions);
                node.destroy_publisher(annotated);
            };
            self.node.with(withdraw).await?;
        }
        Ok(())
    }
}
