//! The perception node: camera images in, the expressions of the people in them out.

mod settings;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use futures::StreamExt;
use r2r::std_srvs::srv::SetBool;
use r2r::{Node, ParameterValue, QosProfile};
use tokio::sync::watch;

use super::arguments::process_arguments;
use super::clock::RosClock;
use super::diagnostics::{Diagnostics, Loaded, Sources};
use super::handle::NodeHandle;
use super::hri::Hri;
use super::image_topic::{ImageTopic, Transport};
use super::intake::{Intake, IntakeStatus, Received, Switch};
use super::lifecycle::{Lifecycle, Managed};
use super::logging::Complaints;
use super::parameters::{ParameterServices, Parameters, given_to};
use super::runner::Tasks;
use super::slot::Slot;
use super::stats::Stats;
use rapport_perception::frame::Decoder;
use rapport_perception::onnx;
use rapport_perception::pipeline::Pipeline;
use rapport_perception::track::FaceId;
use rapport_recording::message::EmotionsMessage;
use rapport_vocabulary::ImageClock;
use settings::{model_files, pipeline_options, runtime_options, specs};
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
    let mut tasks = Tasks::default();
    let clock = RosClock::start(node, &parameters, &mut tasks)?;
    let lifecycle = Lifecycle::start(node, clock.clone())?;
    let switch = Arc::new(watch::Sender::new(Switch { active: false, enabled: true }));
    let (slot, stats, intake, loaded) = (
        Arc::new(Slot::new()),
        Arc::new(Mutex::new(Stats::default())),
        Arc::new(Mutex::new(IntakeStatus::default())),
        Arc::new(Mutex::new(Loaded::default())),
    );
    let worker = Arc::new(Mutex::new(None));

    let services = ParameterServices::start(node, parameters.clone(), clock.clone())?;
    tasks.endless(services.serve());
    let diagnostics = Diagnostics::start(
        node,
        clock,
        Sources {
            topic: topic.name.clone(),
            switch: switch.subscribe(),
            state: lifecycle.view(),
            loaded: loaded.clone(),
            stats: stats.clone(),
            intake: intake.clone(),
        },
    )?;
    tasks.endless(diagnostics.run());
    let desk = Desk { slot, worker, switch };
    tasks.endless(enable(node, desk.clone())?);
    tasks.endless(desk.clone().work());
    let intake = Intake {
        node: handle.clone(),
        request: topic.request(&parameters),
        topic,
        switch: desk.switch.subscribe(),
        slot: desk.slot.clone(),
        stats: stats.clone(),
        status: intake,
    };
    tasks.endless(intake.run());
    let autostart = parameters.flag("autostart");
    let perception = Perception { node: handle, parameters, desk, stats, loaded, next_id: None };
    lifecycle.run(perception, autostart, &mut tasks);
    Ok(tasks)
}

/// The transport, needed before the parameters are declared: the QoS overrides among them are
/// named after the topic. A wrong value is refused when they are.
fn transport_given(given: &[(String, ParameterValue)]) -> Transport {
    match given.iter().rev().find(|(name, _)| name == "image_transport") {
        Some((_, ParameterValue::String(name))) => Transport::named(name),
        _ => Transport::Raw,
    }
}

/// The service `enable`: whether an active node takes images.
fn enable(node: &mut Node, desk: Desk) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let name = format!("{}/enable", node.name()?);
    let mut requests = node.create_service::<SetBool::Service>(&name, QosProfile::default())?;
    Ok(async move {
        while let Some(request) = requests.next().await {
            let enabled = request.message.data;
            let switch = desk.set(|switch| switch.enabled = enabled);
            let message = match (enabled, switch.active) {
                (true, true) => "enabled",
                (true, false) => "enabled; images are taken once the node is active",
                (false, _) => "disabled; no images are taken",
            };
            tracing::info!("{message}");
            let answer = SetBool::Response { success: true, message: message.to_owned() };
            if let Err(error) = request.respond(answer) {
                tracing::warn!("enable: answer not sent: {error}");
            }
        }
    })
}

/// Nobody else's panic left it half changed: a frame that panics ends the process.
fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where images wait and are worked on, and whether they should be.
#[derive(Clone)]
struct Desk {
    slot: Arc<Slot<Received>>,
    /// Only a configured node has one.
    worker: Arc<Mutex<Option<Worker>>>,
    switch: Arc<watch::Sender<Switch>>,
}

impl Desk {
    /// Works on the newest image whenever there is one.
    async fn work(self) {
        loop {
            let received = self.slot.take().await;
            // One frame computes for milliseconds: other tasks move to another thread meanwhile.
            tokio::task::block_in_place(|| {
                let mut worker = lock(&self.worker);
                // An image may have come just as it was switched off.
                if let Some(worker) = worker.as_mut()
                    && self.switch.borrow().is_on()
                {
                    worker.work(&received);
                }
            });
        }
    }

    /// Changes the switch. Once it is off and this returns, nothing more is published.
    fn set(&self, change: impl FnOnce(&mut Switch)) -> Switch {
        let mut was_on = false;
        self.switch.send_modify(|switch| {
            was_on = switch.is_on();
            change(switch);
        });
        let switch = *self.switch.borrow();
        if !switch.is_on() {
            self.slot.clear();
            // Waits for the frame in work, also where somebody else has just switched it off.
            tokio::task::block_in_place(|| {
                let mut worker = lock(&self.worker);
                if let Some(worker) = worker.as_mut()
                    && was_on
                {
                    worker.leave();
                }
            });
        }
        switch
    }
}

/// What the lifecycle moves.
struct Perception {
    node: NodeHandle,
    parameters: Parameters,
    desk: Desk,
    stats: Arc<Mutex<Stats>>,
    loaded: Arc<Mutex<Loaded>>,
    /// Where face ids go on after a cleanup.
    next_id: Option<FaceId>,
}

impl Perception {
    async fn load(&self) -> anyhow::Result<Worker> {
        let changes = self.parameters.changes();
        let load = || {
            Pipeline::load(
                &model_files(&self.parameters),
                &runtime_options(&self.parameters),
                pipeline_options(&self.parameters),
            )
        };
        let mut pipeline = tokio::task::block_in_place(load)?;
        if let Some(next) = self.next_id {
            pipeline.count_on_from(next);
        }
        let hri = match self.parameters.flag("publish_hri") {
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
            pipeline,
            clock: ImageClock::default(),
            origin: TimeOrigin::now(),
            parameters: self.parameters.clone(),
            changes,
            emotions,
            annotated,
            hri,
            stats: self.stats.clone(),
            complaints: Complaints::default(),
        })
    }
}

impl Managed for Perception {
    async fn configure(&mut self) -> anyhow::Result<()> {
        // From here on its parameters are read: what is set later would not count.
        self.parameters.set_configured(true);
        let loaded = self.load().await;
        if loaded.is_err() {
            self.parameters.set_configured(false);
        }
        let failure = loaded.as_ref().err().map(|error| format!("{error:#}"));
        *lock(&self.loaded) = Loaded {
            model: match &loaded {
                Ok(worker) => worker.pipeline.emotion_model().display().to_string(),
                Err(_) => String::new(),
            },
            threads: self.parameters.number("threads") as u64,
            failure,
        };
        let worker = loaded?;
        tracing::info!(
            "{} on ONNX Runtime {}",
            worker.pipeline.emotion_model().display(),
            onnx::runtime_version().unwrap_or_default()
        );
        *lock(&self.desk.worker) = Some(worker);
        Ok(())
    }

    async fn activate(&mut self) -> anyhow::Result<()> {
        self.desk.set(|switch| switch.active = true);
        Ok(())
    }

    async fn deactivate(&mut self) -> anyhow::Result<()> {
        self.desk.set(|switch| switch.active = false);
        Ok(())
    }

    async fn cleanup(&mut self) -> anyhow::Result<()> {
        let worker = tokio::task::block_in_place(|| lock(&self.desk.worker).take());
        *lock(&self.loaded) = Loaded::default();
        self.parameters.set_configured(false);
        if let Some(worker) = worker {
            let Worker { pipeline, emotions, annotated, hri, .. } = worker;
            self.next_id = Some(pipeline.next_id());
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
