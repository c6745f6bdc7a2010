//! The behavior node: emotion messages in, the robot's responses out.

mod health;
mod outputs;
mod performer;
mod readings;
mod robot;
mod settings;
mod staff;
mod states;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt;
use r2r::rapport::msg::FaceEmotionArray;
use r2r::{Node, QosProfile};
use tokio::time::{MissedTickBehavior, interval};

use super::arguments::process_arguments;
use super::clock::RosClock;
use super::diagnostics::Diagnostics;
use super::enable;
use super::handle::NodeHandle;
use super::lifecycle::{Lifecycle, Managed};
use super::lock::lock;
use super::namesake;
use super::parameters::{Changes, ParameterServices, Parameters, given_to};
use super::raw::local_hour;
use super::raw::resolve_topic;
use super::runner::Tasks;
use super::status::RESPONSES;
use super::switch::Switch;
use health::{BehaviorHealth, Loaded};
use performer::{Surroundings, read_robot};
use rapport_behavior::robot_file::RobotFile;
use rapport_behavior::{Outcome, Policy, StateValue};
use robot::Robot;
use settings::{read_policy, specs};
use staff::StaffTopic;
use states::StateTopics;

pub use outputs::describe;

/// How often the node looks whether a response is over while no messages come.
const TICK: Duration = Duration::from_millis(100);

const ENABLE: enable::Words = enable::Words {
    once_active: "people are answered once the node is active",
    disabled: "nobody is answered",
};

/// Subscribes `emotions`, advertises the node's services and starts its tasks; people are answered
/// once it is active.
///
/// # Errors
/// If a parameter is wrong, or the policy of a node that configures itself: file, line, what was
/// found and what is allowed.
pub fn start_node(node: &mut Node, handle: NodeHandle) -> anyhow::Result<Tasks> {
    let parameters = Parameters::declare(&given_to(node)?, specs())?;
    let values = parameters.values();
    let autostart = values.flag("autostart");
    // What is wrong with it is a wrong setting, which ends the process as other ones do.
    let policy = autostart.then(|| read_policy(values.text("policy_file"))).transpose()?;
    let robot_file = autostart.then(|| read_robot(values.text("robot"))).transpose()?;
    let (_, ros_arguments) = process_arguments();
    let topic = resolve_topic("emotions", &node.name()?, &node.namespace()?, &ros_arguments)?;
    let mut emotions = node.subscribe::<FaceEmotionArray>("emotions", QosProfile::default())?;

    let mut tasks = Tasks::default();
    let clock = RosClock::start(handle.clone(), &parameters, &mut tasks);
    let lifecycle = Lifecycle::start(node, clock.clone())?;
    let state = Arc::new(Mutex::new(State {
        robot: None,
        switch: Switch { active: false, enabled: true },
        start: Instant::now(),
        loaded: Loaded::default(),
        staff: StaffTopic::advertise(node)?,
        clock: clock.clone(),
        language: values.text("language").to_owned(),
        warned_of_states: false,
    }));
    let services = ParameterServices::start(node, parameters.clone(), clock.clone())?;
    tasks.endless(services.serve());
    let switched = state.clone();
    let enable = move |on| lock(&switched).set(|switch| switch.enabled = on);
    tasks.endless(enable::start(node, ENABLE, enable)?);
    tasks.endless(staff::start(node, state.clone())?);
    let namesake = namesake::Problem::default();
    tasks.endless(namesake::watch(handle.clone(), namesake.clone()));
    let health =
        BehaviorHealth::new(topic, lifecycle.view(), state.clone(), namesake, handle.clone());
    tasks.endless(Diagnostics::start(node, clock.clone(), RESPONSES, health)?.run());
    let state_topics = Arc::new(tokio::sync::Mutex::new(StateTopics::default()));
    let following =
        Following { node: handle.clone(), state: state.clone(), topics: state_topics.clone() };
    tasks.endless(follow_policy(following, parameters.changes()));
    let (words, mut robots_words) = tokio::sync::mpsc::unbounded_channel();
    let surroundings = Surroundings::new(clock, words);

    let listening = state.clone();
    tasks.endless(async move {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = emotions.next() => match message {
                    Some(message) => lock(&listening).respond_to(&message),
                    None => break,
                },
                Some((id, outcome)) = robots_words.recv() => lock(&listening).ended(&id, outcome),
                _ = tick.tick() => lock(&listening).tick(),
            }
        }
    });
    let last_word = state.clone();
    // No light or face of a response stays behind.
    tasks.at_end(move || {
        lock(&last_word).set(|switch| switch.active = false);
    });
    let behavior = Behavior {
        node: handle,
        parameters,
        state,
        policy,
        robot_file,
        surroundings,
        topics: state_topics,
    };
    lifecycle.run(behavior, autostart, &mut tasks);
    Ok(tasks)
}

/// What the tasks share.
struct State {
    /// Only a configured node has one.
    robot: Option<Robot>,
    switch: Switch,
    /// The origin of the arrivals of messages.
    start: Instant,
    loaded: Loaded,
    staff: StaffTopic,
    clock: RosClock,
    language: String,
    /// Whether the log said which states of the robot are unknown.
    warned_of_states: bool,
}

impl State {
    fn respond_to(&mut self, message: &FaceEmotionArray) {
        let arrival = self.start.elapsed();
        self.loaded.received(Instant::now());
        let Some(robot) = &mut self.robot else {
            return;
        };
        if !self.switch.is_on() {
            robot.watch(message, arrival);
            return;
        }
        let engine = robot.engine();
        engine.set_hour(hour_of(self.clock.now()));
        if !std::mem::replace(&mut self.warned_of_states, true) {
            let unknown: Vec<&str> = engine.unknown_states().collect();
            if !unknown.is_empty() {
                tracing::info!(
                    "no message yet tells the states {}: conditions on them do not hold, and nothing \
                     is held back by them",
                    unknown.join(", ")
                );
            }
        }
        let (rule, staff) = robot.respond_to(message, arrival);
        if let Some(request) = staff {
            self.staff.ask(&message.header, &request);
        }
        if let Some(rule) = rule {
            self.loaded.responded(rule);
        }
    }

    /// A state of the robot was told.
    fn state_is(&mut self, name: &str, value: StateValue) {
        if let Some(robot) = &mut self.robot {
            robot.engine().set_state(name, value);
        }
    }

    fn speak(&mut self, language: &str) {
        language.clone_into(&mut self.language);
        if let Some(robot) = &mut self.robot {
            robot.engine().set_language(language);
        }
    }

    fn ended(&mut self, id: &str, outcome: Outcome) {
        if let Some(robot) = &mut self.robot {
            robot.ended(id, outcome, self.start.elapsed());
        }
    }

    fn tick(&mut self) {
        self.staff.tick();
        if let Some(robot) = &mut self.robot {
            robot.tick(self.start.elapsed());
        }
    }

    /// Changes the switch and returns what it is now. The robot is brought to rest when it becomes
    /// active, and when it is switched off while it responds.
    fn set(&mut self, change: impl FnOnce(&mut Switch)) -> Switch {
        let before = self.switch;
        change(&mut self.switch);
        if let Some(robot) = &mut self.robot {
            if self.switch.active && !before.active {
                robot.rest();
            } else if !self.switch.is_on() {
                robot.stop(match self.switch.active {
                    true => "the node is disabled",
                    false => "the node is no longer active",
                });
            }
        }
        if self.switch.is_on() && !before.is_on() {
            self.loaded.waits_since(Instant::now());
        }
        self.switch
    }
}

/// The hour of the day; nothing before the first message on `/clock`, where that counts.
fn hour_of(now: Duration) -> Option<f64> {
    (!now.is_zero()).then(|| local_hour(now.as_secs())).flatten()
}

/// What following the parameters needs.
struct Following {
    node: NodeHandle,
    state: Arc<Mutex<State>>,
    topics: Arc<tokio::sync::Mutex<StateTopics>>,
}

/// Reads the policy anew whenever its parameter is set, and takes the language. A policy that is wrong
/// was refused before; where it went wrong since, the present rules stay.
async fn follow_policy(following: Following, mut changes: Changes) {
    let Following { node, state, topics } = following;
    let mut last_file = changes.newest().text("policy_file").to_owned();
    while changes.changed().await {
        let values = changes.newest();
        let (file, language) = (values.text("policy_file"), values.text("language"));
        let is_other_language = lock(&state).language != language;
        if is_other_language {
            lock(&state).speak(language);
            if file == last_file {
                continue;
            }
        }
        file.clone_into(&mut last_file);
        if lock(&state).robot.is_none() {
            // It is read on configuring.
            continue;
        }
        match read_policy(file) {
            Ok(policy) => {
                tracing::info!("{}", loaded(&policy));
                let states = policy.policy.states.clone();
                {
                    let mut state = lock(&state);
                    state.loaded.policy(&policy);
                    state.warned_of_states = false;
                    if let Some(robot) = &mut state.robot {
                        robot.replace_policy(policy.policy);
                    }
                }
                topics.lock().await.follow(&node, &states, &state).await;
            }
            Err(error) => tracing::error!("the present rules stay: {error:#}"),
        }
    }
}

fn loaded(policy: &settings::ReadPolicy) -> String {
    format!("{} rules from {}", policy.policy.rules.len(), policy.file.display())
}

/// What the lifecycle moves.
struct Behavior {
    node: NodeHandle,
    parameters: Parameters,
    state: Arc<Mutex<State>>,
    /// That was read at the start.
    policy: Option<settings::ReadPolicy>,
    /// As that.
    robot_file: Option<RobotFile>,
    surroundings: Surroundings,
    /// The robot's states.
    topics: Arc<tokio::sync::Mutex<StateTopics>>,
}

impl Behavior {
    async fn load(&mut self) -> anyhow::Result<(settings::ReadPolicy, Robot)> {
        let read = match self.policy.take() {
            Some(policy) => policy,
            None => read_policy(self.parameters.values().text("policy_file"))?,
        };
        let robot_file = match self.robot_file.take() {
            Some(robot) => robot,
            None => read_robot(self.parameters.values().text("robot"))?,
        };
        let policy = Policy::clone(&read.policy);
        let surroundings = self.surroundings.clone();
        let connect = move |node: &mut Node| Robot::connect(node, policy, robot_file, surroundings);
        let robot = self.node.with(connect).await?.context("the robot is not connected")?;
        Ok((read, robot))
    }
}

impl Managed for Behavior {
    async fn configure(&mut self) -> anyhow::Result<()> {
        match self.load().await {
            Ok((read, robot)) => {
                tracing::info!("{}; robot: {}", loaded(&read), robot.file().display());
                {
                    let mut state = lock(&self.state);
                    state.loaded.policy(&read);
                    state.loaded.robot(robot.file());
                    state.warned_of_states = false;
                    let language = self.parameters.values().text("language").to_owned();
                    state.robot = Some(robot);
                    state.speak(&language);
                }
                let mut topics = self.topics.lock().await;
                topics.follow(&self.node, &read.policy.states, &self.state).await;
                Ok(())
            }
            Err(error) => {
                lock(&self.state).loaded.failed(format!("{error:#}"));
                Err(error)
            }
        }
    }

    async fn activate(&mut self) -> anyhow::Result<()> {
        lock(&self.state).set(|switch| switch.active = true);
        Ok(())
    }

    async fn deactivate(&mut self) -> anyhow::Result<()> {
        lock(&self.state).set(|switch| switch.active = false);
        Ok(())
    }

    async fn cleanup(&mut self) -> anyhow::Result<()> {
        *self.topics.lock().await = StateTopics::default();
        let robot = {
            let mut state = lock(&self.state);
            state.loaded.cleaned();
            state.robot.take()
        };
        if let Some(robot) = robot {
            self.node.with(move |node| robot.withdraw(node)).await?;
        }
        Ok(())
    }
}
