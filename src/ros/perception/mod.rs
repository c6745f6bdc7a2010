//! The perception node: camera images in, the expressions of the people in them out.

mod health;
mod settings;
mod worker;

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use r2r::{Node, ParameterValue, QosProfile};

use super::arguments::process_arguments;
use super::clock::RosClock;
use super::diagnostics::Diagnostics;
use super::enable;
use super::handle::NodeHandle;
use super::hri::Hri;
use super::image_topic::{ImageTopic, Transport};
use super::intake::{Intake, IntakeStatus, Received};
use super::lifecycle::{Lifecycle, Managed};
use super::lock::lock;
use super::logging::RateLimitedLog;
use super::losses::Losses;
use super::parameters::{Changes, ParameterServices, Parameters, Values, given_to};
use super::namesake;
use super::processor::Processor;
use super::runner::Tasks;
use super::stats::Stats;
use health::{Loaded, PerceptionHealth};
use rapport_perception::frame::Decoder;
use rapport_perception::onnx;
use rapport_perception::track::FaceId;
use rapport_perception::{Networks, Session};
use rapport_recording::message::EmotionsMessage;
use settings::{model_files, runtime_options, session_options, specs};
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
        topic: topic.name.clone(),
        switch: processor.switch(),
        state: lifecycle.view(),
        loaded: loaded.clone(),
        stats: stats.clone(),
        intake: intake.clone(),
        namesake,
    };
    tasks.endless(Diagnostics::start(node, clock, "expressions", health)?.run());
    let switched = processor.clone();
    let enable = move |on| switched.set(|switch| switch.enabled = on);
    tasks.endless(enable::start(node, ENABLE, enable)?);
    tasks.endless(processor.clone().run());
    let intake = Intake {
        node: handle.clone(),
        request: topic.request(&at_start),
        topic,
        switch: processor.switch(),
        slot: processor.slot(),
        stats: stats.clone(),
        status: intake,
        parameters: parameters.clone(),
        losses: Losses::default(),
    };
    tasks.endless(intake.run());
    let perception =
        Perception { node: handle, parameters, processor, stats, loaded, next_id: None };
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

/// What the lifecycle moves.
struct Perception {
    node: NodeHandle,
    parameters: Parameters,
    processor: ImageProcessor,
    stats: Arc<Mutex<Stats>>,
    loaded: Arc<Mutex<Loaded>>,
    /// Where face ids go on after a cleanup.
    next_id: Option<FaceId>,
}

impl Perception {
    /// Loads the networks and advertises the topics that the values ask for.
    async fn load(&self, values: &Values, changes: Changes) -> anyhow::Result<Worker> {
        let load = || Networks::load(&model_files(values), &runtime_options(values));
        let networks = tokio::task::block_in_place(load)?;
        let mut session = Session::new(networks, session_options(values));
        if let Some(next) = self.next_id {
            session.count_on_from(next);
        }
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
        Ok(Worker {
            decoder: Decoder::default(),
            session,
            origin: TimeOrigin::now(),
            changes,
            emotions,
            annotated,
            hri,
            stats: self.stats.clone(),
            errors: RateLimitedLog::default(),
            last: None,
            hold: session_options(values).track.hold,
        })
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
        let failure = loaded.as_ref().err().map(|error| format!("{error:#}"));
        *lock(&self.loaded) = Loaded {
            model: match &loaded {
                Ok(worker) => worker.session.networks().emotion_model().path.display().to_string(),
                Err(_) => String::new(),
            },
            threads: values.number("threads") as u64,
            failure,
        };
        let worker = loaded?;
        tracing::info!(
            "{} on ONNX Runtime {}",
            worker.session.networks().emotion_model().path.display(),
            onnx::runtime_version().unwrap_or_default()
        );
        self.processor.replace_worker(Some(worker));
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
        let worker = self.processor.replace_worker(None);
        *lock(&self.loaded) = Loaded::default();
        self.parameters.set_configured(false);
        if let Some(worker) = worker {
            let Worker { session, emotions, annotated, hri, .. } = worker;
            self.next_id = Some(session.next_id());
            if let Some(hri) = hri {
                hri.end().await?;
            }
            let withdraw = |node: &mut Node| {
                node.destroy_publisher_untyped(emotions);
                node.destroy_publisher(annotated);
            };
            self.node.with(withdraw).await?;
        }
        Ok(())
    }
}
            was_set_back: false,
