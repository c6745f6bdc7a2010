//! How the parts of a response reach one kind of robot: a YAML file that names topics, services and
//! actions, and the fields of their messages.
//!
//! [`RobotFile::parse`] reads one, [`RobotFile::fit`] compares it with the types of its messages,
//! and [`Message::fill`] makes a message of a response, as JSON. Nothing here talks to a robot.
//!
//! ```
//! use std::path::Path;
//!
//! use rapport_behavior::robot_file::{Content, Interface, PartName, RobotFile};
//! use serde_json::json;
//!
//! let file = br#"
//! version: 1
//! gesture:
//!   topic: /play
//!   type: std_msgs/msg/String
//!   fields: {data: "{gesture}"}
//!   names: {nod: HeadNod}
//! "#;
//! let mut robot = RobotFile::parse(Path::new("robot.yaml"), file)?;
//! let text = |value: &serde_json::Value| match value["data"].is_string() {
//!     true => Ok(()),
//!     false => Err("data is no text".to_owned()),
//! };
//! robot.fit(&|_, _| Some(Interface::of_topic(json!({"data": ""}), Box::new(text))))?;
//!
//! let part = robot.part(PartName::Gesture).expect("it is in the file");
//! let content = Content { gesture: Some("nod".to_owned()), ..Content::default() };
//! let content = robot.in_robots_words(content);
//! assert_eq!(part.steps[0].message.fill(&content), json!({"data": "HeadNod"}));
//! # Ok::<(), rapport_behavior::robot_file::RobotFileError>(())
//! ```

mod fit;
mod message;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rapport_settings::{Place, Problem, problem_lines, text_of};
use serde_json::Value;

pub use fit::{Interface, Trial, differs};
pub use message::{Content, Message, Placeholder};

/// The size in bytes of the largest file that is read.
pub const MAX_ROBOT_FILE_BYTES: usize = 64 * 1024;

/// Why a robot's file cannot be used. Each line of the message begins with the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum RobotFileError {
    /// The file cannot be read.
    #[error("{}: the robot's file cannot be read: {reason}", file.display())]
    Unreadable {
        /// The file as it was given.
        file: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The file is larger than [`MAX_ROBOT_FILE_BYTES`].
    #[error("{}: the robot's file is larger than the {limit_bytes} bytes allowed", file.display())]
    TooLarge {
        /// The file as it was given.
        file: PathBuf,
        /// The largest size allowed.
        limit_bytes: usize,
    },
    /// The content is wrong, or does not fit the types of the robot's messages. One line for each
    /// problem, in the order of the file: `FILE:LINE:COLUMN: FOUND; allowed: ALLOWED`.
    #[error("{}", problem_lines(file, problems))]
    Invalid {
        /// The file as it was given.
        file: PathBuf,
        /// What is wrong: at least one problem.
        problems: Vec<Problem>,
    },
}

/// The parts of a response. Each is performed on its own; all begin together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartName {
    /// Text to say.
    Speech,
    /// A gesture.
    Gesture,
    /// A light.
    Light,
    /// A facial expression of the robot.
    Expression,
}

impl PartName {
    /// All of them.
    pub const ALL: [PartName; 4] =
        [PartName::Speech, PartName::Gesture, PartName::Light, PartName::Expression];

    /// The word for it, which is its key in the file.
    pub const fn word(self) -> &'static str {
        match self {
            PartName::Speech => "speech",
            PartName::Gesture => "gesture",
            PartName::Light => "light",
            PartName::Expression => "expression",
        }
    }
}

/// What one kind of robot understands.
#[derive(Debug)]
pub struct RobotFile {
    file: PathBuf,
    languages: Names,
    /// In the order of [`PartName::ALL`].
    parts: [Option<Part>; 4],
}

/// How one part of a response is performed: step by step.
#[derive(Debug)]
pub struct Part {
    names: Names,
    /// At least one.
    pub steps: Vec<Step>,
}

/// One message to the robot.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is sent by.
    pub channel: Channel,
    /// Name of the topic, service or action.
    pub name: String,
    /// Its type, such as `std_msgs/msg/String`.
    pub type_name: String,
    type_place: Place,
    /// The message, request or goal.
    pub message: Message,
    /// Without a value for these, the step is left out.
    needs: Vec<Placeholder>,
    /// Whether the robot's own word is waited for: the answer of a service, the result of an action.
    pub waits: bool,
    /// What the answer or result must hold to be a success.
    success: Option<Message>,
    /// How long the robot's word is waited for. 0.1 to 60 s.
    pub timeout: Duration,
}

/// What a message is sent by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A topic; `lasting`: who subscribes late gets the newest message (transient local).
    Topic {
        /// Whether it is transient local.
        lasting: bool,
    },
    /// A service.
    Service,
    /// An action.
    Action,
}

impl Channel {
    /// The word for it, which is its key in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Channel::Topic { .. } => "topic",
            Channel::Service => "service",
            Channel::Action => "action",
        }
    }
}

/// Our names and the robot's.
#[derive(Debug, Clone, Default)]
struct Names {
    pairs: Vec<(String, String)>,
    /// What a name does that is not among them: skipped, or else passed on as it is.
    skips_others: bool,
}

impl Names {
    fn look_up(&self, name: &str) -> Option<String> {
        let found = self.pairs.iter().find(|(ours, _)| ours == name);
        found
            .map(|(_, robots)| robots.clone())
            .or_else(|| (!self.skips_others).then(|| name.to_owned()))
    }

    /// As [`Self::look_up`]; `de-AT` that is not among them is looked up as `de`.
    fn look_up_language(&self, tag: &str) -> Option<String> {
        let is_there = |tag: &str| self.pairs.iter().any(|(ours, _)| ours == tag);
        let language = tag.split('-').next().unwrap_or(tag);
        self.look_up(if !is_there(tag) && is_there(language) { language } else { tag })
    }
}

impl Step {
    /// Whether all is there that the step is about.
    pub fn applies(&self, content: &Content) -> bool {
        self.needs.iter().all(|&placeholder| content.value(placeholder).is_some())
    }

    /// Whether an answer or a result is a success; what is not as the file wants it otherwise.
    ///
    /// # Errors
    /// The field, what it is and what it should be.
    pub fn judge(&self, answer: &Value) -> Result<(), String> {
        let Some(success) = &self.success else { return Ok(()) };
        differs(&success.fill(&Content::default()), answer).map_or(Ok(()), Err)
    }
}

impl RobotFile {
    /// Reads a file of at most [`MAX_ROBOT_FILE_BYTES`].
    ///
    /// # Errors
    /// If it cannot be read, is too large, or is wrong: every wrong value, or the first fault of the
    /// YAML syntax.
    pub fn read(file: &Path) -> Result<Self, RobotFileError> {
        let content = crate::content::read(file, MAX_ROBOT_FILE_BYTES).map_err(|error| {
            RobotFileError::Unreadable { file: file.to_owned(), reason: error.to_string() }
        })?;
        Self::parse(file, &content)
    }

    /// Reads the content of a file. Its name is used in errors only.
    ///
    /// # Errors
    /// As [`Self::read`], except those of opening the file.
    pub fn parse(file: &Path, content: &[u8]) -> Result<Self, RobotFileError> {
        if content.len() > MAX_ROBOT_FILE_BYTES {
            let limit_bytes = MAX_ROBOT_FILE_BYTES;
            return Err(RobotFileError::TooLarge { file: file.to_owned(), limit_bytes });
        }
        text_of(content)
            .map_err(|problem| vec![problem])
            .and_then(|text| schema::robot(file, text))
            .map_err(|problems| RobotFileError::Invalid { file: file.to_owned(), problems })
    }

    /// Compares all messages with their types, which makes them ready to be filled. `find` gives the
    /// interface of a type, or nothing where the program does not know the type.
    ///
    /// # Errors
    /// Every type that is not known, and every field that is not there or has another kind of value.
    pub fn fit(
        &mut self,
        find: &dyn Fn(Channel, &str) -> Option<Interface>,
    ) -> Result<(), RobotFileError> {
        let steps = self.parts.iter_mut().flatten().flat_map(|part| &mut part.steps);
        let problems = fit::fit(steps, find);
        if problems.is_empty() {
            return Ok(());
        }
        Err(RobotFileError::Invalid { file: self.file.clone(), problems })
    }

    /// The file that it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How a part is performed; nothing where this robot does not have it.
    pub fn part(&self, name: PartName) -> Option<&Part> {
        self.parts[name as usize].as_ref()
    }

    /// All parts that this robot has.
    pub fn parts(&self) -> impl Iterator<Item = (PartName, &Part)> {
        PartName::ALL.into_iter().filter_map(|name| Some((name, self.part(name)?)))
    }

    /// Whether the robot says itself when something is over, in any of its parts.
    pub fn has_own_word(&self) -> bool {
        self.parts.iter().flatten().flat_map(|part| &part.steps).any(|step| step.waits)
    }

    /// The content of a response with the names of gesture, expression and language as this robot has
    /// them. A name that it skips is gone.
    pub fn in_robots_words(&self, content: Content) -> Content {
        let look_up = |name: PartName, word: Option<String>| match self.part(name) {
            Some(part) => word.and_then(|word| part.names.look_up(&word)),
            None => word,
        };
        Content {
            gesture: look_up(PartName::Gesture, content.gesture),
            expression: look_up(PartName::Expression, content.expression),
            language: content.language.and_then(|tag| self.languages.look_up_language(&tag)),
            ..content
        }
    }
}
