//! A managed node: the services and the topic that `ros2 lifecycle` and launch_ros'
//! `LifecycleNode` speak to.

mod machine;

use std::sync::{Arc, Mutex};

use futures::{Stream, StreamExt};
use r2r::lifecycle_msgs::msg::{
    State as StateMsg, Transition as TransitionMsg, TransitionDescription, TransitionEvent,
};
use r2r::lifecycle_msgs::srv::{
    ChangeState, GetAvailableStates, GetAvailableTransitions, GetState,
};
use r2r::{Node, Publisher, QosProfile, ServiceRequest};
use tokio::sync::mpsc;

use super::clock::RosClock;
use super::lock::lock;
use super::runner::Tasks;
use super::switches;
pub use machine::State;
use machine::{Step, TRANSITIONS, Transition, available, outcome, requested};

/// What a managed node does in its transitions. An error is a failed transition: the node stays
/// in the state it came from.
pub trait Managed: Send + 'static {
    /// Loads what is needed; nothing works yet.
    fn configure(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// Goes to work.
    fn activate(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// Ends the work, keeps what is loaded.
    fn deactivate(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// Lets go of what was loaded.
    fn cleanup(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

type Requests<T> = Box<dyn Stream<Item = ServiceRequest<T>> + Send + Unpin>;

/// The state as others see it, and the topic on which its changes are published.
#[derive(Clone)]
struct Shown {
    state: Arc<Mutex<State>>,
    events: Arc<Mutex<Publisher<TransitionEvent>>>,
    clock: RosClock,
}

/// Where the node stands, for those who only look.
#[derive(Debug, Clone)]
pub struct StateView(Arc<Mutex<State>>);

impl StateView {
    /// The state now.
    pub fn get(&self) -> State {
        *lock(&self.0)
    }
}

/// The lifecycle services of a node.
pub struct Lifecycle {
    shown: Shown,
    change: Requests<ChangeState::Service>,
    state: Requests<GetState::Service>,
    states: Requests<GetAvailableStates::Service>,
    transitions: Requests<GetAvailableTransitions::Service>,
    graph: Requests<GetAvailableTransitions::Service>,
}

impl Lifecycle {
    /// Advertises the services, in state unconfigured.
    ///
    /// # Errors
    /// If the node cannot have them.
    pub fn start(node: &mut Node, clock: RosClock) -> r2r::Result<Self> {
        let own = node.name()?;
        let name = |service: &str| format!("{own}/{service}");
        let qos = QosProfile::default;
        let events = node.create_publisher(&name("transition_event"), qos())?;
        Ok(Self {
            shown: Shown {
                state: Arc::new(Mutex::new(State::Unconfigured)),
                events: Arc::new(Mutex::new(events)),
                clock,
            },
            change: Box::new(node.create_service(&name("change_state"), qos())?),
            state: Box::new(node.create_service(&name("get_state"), qos())?),
            states: Box::new(node.create_service(&name("get_available_states"), qos())?),
            transitions: Box::new(node.create_service(&name("get_available_transitions"), qos())?),
            graph: Box::new(node.create_service(&name("get_transition_graph"), qos())?),
        })
    }

    /// Where the node stands.
    pub fn view(&self) -> StateView {
        StateView(self.shown.state.clone())
    }

    /// Adds the tasks that serve requests and move the node; with `autostart`, it configures and
    /// activates itself first.
    pub fn run(self, managed: impl Managed, autostart: bool, tasks: &mut Tasks) {
        let (wanted, changes) = mpsc::channel(8);
        tasks.endless(change(self.shown.clone(), managed, autostart, changes));
        tasks.endless(self.serve(wanted));
    }

    /// Serves requests; what takes time goes to [`change`], so that the state can be asked meanwhile.
    async fn serve(mut self, wanted: mpsc::Sender<ServiceRequest<ChangeState::Service>>) {
        loop {
            let responded = tokio::select! {
                Some(request) = self.change.next() => {
                    if wanted.send(request).await.is_err() {
                        return;
                    }
                    Ok(())
                }
                Some(request) = self.state.next() => {
                    let current_state = state_message(self.shown.state());
                    request.respond(GetState::Response { current_state })
                }
                Some(request) = self.states.next() => {
                    let available_states = State::ALL.into_iter().map(state_message).collect();
                    request.respond(GetAvailableStates::Response { available_states })
                }
                Some(request) = self.transitions.next() => {
                    let available = available(self.shown.state());
                    let available_transitions = available.map(description).collect();
                    request.respond(GetAvailableTransitions::Response { available_transitions })
                }
                Some(request) = self.graph.next() => {
                    let available_transitions = TRANSITIONS.iter().map(description).collect();
                    request.respond(GetAvailableTransitions::Response { available_transitions })
                }
                else => return,
            };
            if let Err(error) = responded {
                tracing::warn!("lifecycle service: response not sent: {error}");
            }
        }
    }
}

/// Who moves a node that configures and activates itself.
const AUTOSTART: &str = "its parameter autostart";

/// Moves the node as it is asked to, one transition after the other.
async fn change(
    shown: Shown,
    mut managed: impl Managed,
    autostart: bool,
    mut requests: mpsc::Receiver<ServiceRequest<ChangeState::Service>>,
) {
    if autostart && shown.take(&mut managed, 0, "configure", AUTOSTART).await {
        shown.take(&mut managed, 0, "activate", AUTOSTART).await;
    }
    while let Some(request) = requests.recv().await {
        let asked = &request.message.transition;
        let success =
            shown.take(&mut managed, asked.id, &asked.label, "the service change_state").await;
        if let Err(error) = request.respond(ChangeState::Response { success }) {
            tracing::warn!("change_state: response not sent: {error}");
        }
    }
}

impl Shown {
    fn state(&self) -> State {
        *lock(&self.state)
    }

    /// Takes a transition to its end and returns whether it succeeded.
    async fn take(&self, managed: &mut impl Managed, id: u8, label: &str, by: &str) -> bool {
        let (step, begin) = match requested(self.state(), id, label) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!("{error}");
                return false;
            }
        };
        self.move_along(begin);
        let result = match step {
            Step::Configure => managed.configure().await,
            Step::Activate => managed.activate().await,
            Step::Deactivate => managed.deactivate().await,
            Step::Cleanup => managed.cleanup().await,
            Step::Shutdown => {
                let ended = match begin.start {
                    State::Active => managed.deactivate().await,
                    _ => Ok(()),
                };
                let cleaned = match begin.start {
                    State::Unconfigured => Ok(()),
                    _ => managed.cleanup().await,
                };
                ended.and(cleaned)
            }
        };
        if let Some(end) = outcome(begin.goal, result.is_ok()) {
            self.move_along(end);
        }
        match &result {
            Ok(()) => {
                switches::say(&format!("{}: now {} (by {by})", begin.label, self.state().label()))
            }
            Err(error) => tracing::error!(
                "{} failed, the node stays {}: {error:#}",
                begin.label,
                self.state().label()
            ),
        }
        result.is_ok()
    }

    fn move_along(&self, edge: &Transition) {
        *lock(&self.state) = edge.goal;
        let event = TransitionEvent {
            timestamp: self.clock.now().as_nanos() as u64,
            transition: TransitionMsg { id: edge.id, label: edge.label.to_owned() },
            start_state: state_message(edge.start),
            goal_state: state_message(edge.goal),
        };
        let events = lock(&self.events);
        if let Err(error) = events.publish(&event) {
            tracing::warn!("transition_event: not published: {error}");
        }
    }
}

fn state_message(state: State) -> StateMsg {
    StateMsg { id: state.id(), label: state.label().to_owned() }
}

fn description(edge: &Transition) -> TransitionDescription {
    TransitionDescription {
        transition: TransitionMsg { id: edge.id, label: edge.label.to_owned() },
        start_state: state_message(edge.start),
        goal_state: state_message(edge.goal),
    }
}
