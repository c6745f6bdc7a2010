//! Limits over all rules: what the robot does not do, whatever the rules say.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::condition::{Hours, StateIs};

/// The manners of a policy.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Manners {
    /// Nobody is answered while any of these is so: the robot speaks, somebody else does, it is
    /// muted. What is unknown is not so.
    pub not_while: Vec<StateIs>,
    /// The most answers to one group in any hour, 1 to 1000.
    pub per_person_per_hour: Option<usize>,
    /// The most answers in any hour, 1 to 1000.
    pub per_hour: Option<usize>,
    /// When nobody is answered. Where the hour is unknown, it is not.
    pub quiet_hours: Vec<Hours>,
    /// For how long somebody may be out of sight without having left: who is seen in the same place
    /// within this time counts as the same person, under whatever id. 0 to 3600 s.
    pub visit_gap: Duration,
    /// People within this distance of one another who came together are one group, in metres. 0 to 5;
    /// 0: everybody is alone.
    pub group_m: f64,
    /// Least time between two requests of one kind to the staff. 10 to 86400 s.
    pub staff_pause: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            not_while: Vec::new(),
            per_person_per_hour: None,
            per_hour: None,
            quiet_hours: Vec::new(),
            visit_gap: Duration::from_secs(30),
            group_m: 1.2,
            staff_pause: Duration::from_secs(300),
        }
    }
}

/// Why a rule whose conditions all hold does not fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldBack {
    /// Another response is running.
    Responding,
    /// The pause after the last response is not over.
    Pause,
    /// The robot is in a state in which it answers nobody.
    State(String),
    /// It is a quiet hour.
    QuietHours,
    /// As many answers as an hour may have were given.
    HourlyLimit(usize),
    /// As many answers as a group may get in an hour were given to it.
    PersonLimit(usize),
    /// The rule answered this group not long ago.
    Cooldown,
    /// The rule answered somebody not long ago.
    CooldownAnyone,
    /// The visit had its greeting.
    Greeted,
    /// Another rule or another person was before it.
    Outdone,
    /// Staff is asked already, or was not long ago.
    StaffAsked,
    /// The engine was told to answer nobody.
    Off,
}

impl HeldBack {
    /// One word for it, for tables and programs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Responding => "responding",
            Self::Pause => "pause",
            Self::State(_) => "not_while",
            Self::QuietHours => "quiet_hours",
            Self::HourlyLimit(_) => "per_hour",
            Self::PersonLimit(_) => "per_person_per_hour",
            Self::Cooldown => "cooldown_secs",
            Self::CooldownAnyone => "cooldown_anyone_secs",
            Self::Greeted => "greeting",
            Self::Outdone => "priority",
            Self::StaffAsked => "call_staff",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Responding => f.write_str("another response is running"),
            Self::Pause => f.write_str("the pause after the last response is not over"),
            Self::State(state) => write!(f, "the robot is {state}"),
            Self::QuietHours => f.write_str("it is a quiet hour"),
            Self::HourlyLimit(most) => write!(f, "{most} answers were given in this hour"),
            Self::PersonLimit(most) => {
                write!(f, "{most} answers were given to this group in this hour")
            }
            Self::Cooldown => f.write_str("the rule answered this group not long ago"),
            Self::CooldownAnyone => f.write_str("the rule answered somebody not long ago"),
            Self::Greeted => f.write_str("this visit had its greeting"),
            Self::Outdone => f.write_str("another rule or person came first"),
            Self::StaffAsked => f.write_str("staff is asked already, or was not long ago"),
            Self::Off => f.write_str("the node is switched off"),
        }
    }
}

/// The time that limits by the hour look back on.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// When something happened, as far back and as often as a limit by the hour needs to know.
#[derive(Debug, Clone, Default)]
pub(super) struct LastHour(VecDeque<Duration>);

impl LastHour {
    /// Notes that it happens now. `most`: the limit.
    pub fn note(&mut self, now: Duration, most: Option<usize>) {
        let Some(most) = most else {
            return;
        };
        self.0.push_back(now);
        while self.0.len() > most {
            self.0.pop_front();
        }
    }

    /// Whether it happened as often as it may within the hour before now.
    pub fn is_full(&self, now: Duration, most: usize) -> bool {
        self.0.iter().filter(|at| now.saturating_sub(**at) < HOUR).count() >= most
    }

    /// Whether it happened within the hour before now.
    pub fn matters(&self, now: Duration) -> bool {
        self.0.back().is_some_and(|at| now.saturating_sub(*at) < HOUR)
    }

    /// Both in one.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.make_contiguous().sort();
    }
}
