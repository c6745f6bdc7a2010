//! The states of a managed node and how it gets from one to another, with the numbers and names of
//! `lifecycle_msgs` and of rcl's own state machine (design.ros2.org, "Managed nodes").

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Nothing is loaded.
    Unconfigured = 1,
    /// Everything is loaded, no image is taken.
    Inactive = 2,
    /// At work.
    Active = 3,
    /// At its end.
    Finalized = 4,
    /// Loading.
    Configuring = 10,
    /// Letting go of what was loaded.
    CleaningUp = 11,
    /// Ending.
    ShuttingDown = 12,
    /// Going to work.
    Activating = 13,
    /// Ending its work.
    Deactivating = 14,
    /// After an error that no transition foresees. This node has none, but others' tools list it.
    ErrorProcessing = 15,
}

impl State {
    /// All states that a node can be in.
    pub const ALL: [State; 10] = [
        State::Unconfigured,
        State::Inactive,
        State::Active,
        State::Finalized,
        State::Configuring,
        State::CleaningUp,
        State::ShuttingDown,
        State::Activating,
        State::Deactivating,
        State::ErrorProcessing,
    ];

    /// The number in `lifecycle_msgs/msg/State`.
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The name that rcl gives it.
    pub const fn label(self) -> &'static str {
        match self {
            State::Unconfigured => "unconfigured",
            State::Inactive => "inactive",
            State::Active => "active",
            State::Finalized => "finalized",
            State::Configuring => "configuring",
            State::CleaningUp => "cleaningup",
            State::ShuttingDown => "shuttingdown",
            State::Activating => "activating",
            State::Deactivating => "deactivating",
            State::ErrorProcessing => "errorprocessing",
        }
    }
}

/// One edge between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The number in `lifecycle_msgs/msg/Transition`.
    pub id: u8,
    /// The name that rcl gives it.
    pub label: &'static str,
    /// From where.
    pub start: State,
    /// To where.
    pub goal: State,
}

/// What a transition asks the node to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Load.
    Configure,
    /// Let go of what was loaded.
    Cleanup,
    /// Go to work.
    Activate,
    /// End the work.
    Deactivate,
    /// End.
    Shutdown,
}

const fn edge(id: u8, label: &'static str, start: State, goal: State) -> Transition {
    Transition { id, label, start, goal }
}

/// Every edge, in the order in which rcl registers them.
pub const TRANSITIONS: [Transition; 25] = [
    edge(1, "configure", State::Unconfigured, State::Configuring),
    edge(10, "transition_success", State::Configuring, State::Inactive),
    edge(11, "transition_failure", State::Configuring, State::Unconfigured),
    edge(12, "transition_error", State::Configuring, State::ErrorProcessing),
    edge(2, "cleanup", State::Inactive, State::CleaningUp),
    edge(20, "transition_success", State::CleaningUp, State::Unconfigured),
    edge(21, "transition_failure", State::CleaningUp, State::Inactive),
    edge(22, "transition_error", State::CleaningUp, State::ErrorProcessing),
    edge(3, "activate", State::Inactive, State::Activating),
    edge(30, "transition_success", State::Activating, State::Active),
    edge(31, "transition_failure", State::Activating, State::Inactive),
    edge(32, "transition_error", State::Activating, State::ErrorProcessing),
    edge(4, "deactivate", State::Active, State::Deactivating),
    edge(40, "transition_success", State::Deactivating, State::Inactive),
    edge(41, "transition_failure", State::Deactivating, State::Active),
    edge(42, "transition_error", State::Deactivating, State::ErrorProcessing),
    edge(5, "shutdown", State::Unconfigured, State::ShuttingDown),
    edge(6, "shutdown", State::Inactive, State::ShuttingDown),
    edge(7, "shutdown", State::Active, State::ShuttingDown),
    edge(50, "transition_success", State::ShuttingDown, State::Finalized),
    edge(51, "transition_failure", State::ShuttingDown, State::Finalized),
    edge(52, "transition_error", State::ShuttingDown, State::ErrorProcessing),
    edge(60, "transition_success", State::ErrorProcessing, State::Unconfigured),
    edge(61, "transition_failure", State::ErrorProcessing, State::Finalized),
    edge(62, "transition_error", State::ErrorProcessing, State::Finalized),
];

/// The edges that lead out of a state.
pub fn available(state: State) -> impl Iterator<Item = &'static Transition> {
    TRANSITIONS.iter().filter(move |transition| transition.start == state)
}

/// A transition that somebody asked for and that cannot start now.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "transition {asked} cannot start in state {}, expected {}", state.label(), expected(*state)
)]
pub struct NotAvailable {
    asked: String,
    state: State,
}

fn expected(state: State) -> String {
    let labels: Vec<_> =
        available(state).filter(|edge| step(edge).is_some()).map(|edge| edge.label).collect();
    if labels.is_empty() { "none".to_owned() } else { format!("one of {}", labels.join(", ")) }
}

/// The step that a requested edge stands for; nothing for edges that no one can ask for.
fn step(transition: &Transition) -> Option<Step> {
    match transition.id {
        1 => Some(Step::Configure),
        2 => Some(Step::Cleanup),
        3 => Some(Step::Activate),
        4 => Some(Step::Deactivate),
        5..=7 => Some(Step::Shutdown),
        _ => None,
    }
}

/// Finds the edge that a request means: by its label if it has one, else by its number, as rclcpp
/// does.
///
/// # Errors
/// If no such edge that can be asked for leads out of the state.
pub fn requested(
    state: State,
    id: u8,
    label: &str,
) -> Result<(Step, &'static Transition), NotAvailable> {
    available(state)
        .filter_map(|edge| step(edge).map(|step| (step, edge)))
        .find(|(_, edge)| if label.is_empty() { edge.id == id } else { edge.label == label })
        .ok_or_else(|| NotAvailable {
            asked: if label.is_empty() { id.to_string() } else { format!("`{label}`") },
            state,
        })
}

/// The edge that a step in work ends by.
pub fn outcome(state: State, success: bool) -> Option<&'static Transition> {
    let label = if success { "transition_success" } else { "transition_failure" };
    available(state).find(|edge| edge.label == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_by_number_and_by_name_and_only_where_they_lead_out() {
        let (step, edge) = requested(State::Unconfigured, 1, "").unwrap();
        assert_eq!((step, edge.goal), (Step::Configure, State::Configuring));
        let (step, edge) = requested(State::Active, 0, "shutdown").unwrap();
        assert_eq!((step, edge.id), (Step::Shutdown, 7));
        assert_eq!(
            requested(State::Unconfigured, 3, "").unwrap_err().to_string(),
            "transition 3 cannot start in state unconfigured, expected one of configure, shutdown"
        );
        // What a step ends by is not for others to ask.
        assert!(requested(State::Configuring, 10, "").is_err());
        assert!(requested(State::Finalized, 0, "shutdown").is_err());
    }

    #[test]
    fn every_step_ends_in_a_state_that_lasts() {
        for edge in TRANSITIONS.iter().filter(|edge| step(edge).is_some()) {
            let success = outcome(edge.goal, true).unwrap().goal;
            let failure = outcome(edge.goal, false).unwrap().goal;
            assert!(success.id() < 10 && failure.id() < 10);
            assert!(failure == edge.start || failure == State::Finalized);
        }
    }
}
