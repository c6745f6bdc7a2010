//! The robot as its file describes it: performs the parts of a response, and tells how each response
//! ends, on `response_status` and to the engine.

mod call;
mod interfaces;
mod link;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, bail};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use r2r::rapport::msg::ResponseStatus;
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use crate::ros::clock::RosClock;
use crate::ros::lock::lock;
use crate::ros::logging::RateLimitedLog;
use call::{Doing, Ended, Ready};
use link::{Clients, Link};
use rapport_behavior::robot_file::{Content, PartName, RobotFile};
use rapport_behavior::{Outcome, Outputs, Response};
use rapport_perception::paths;

/// The robot's word about a response: its id, and how it ended.
pub type Word = (String, Outcome);

/// What all robots of a node share, also when it is configured again.
#[derive(Clone)]
pub struct Surroundings {
    clients: Clients,
    runtime: Handle,
    clock: RosClock,
    words: UnboundedSender<Word>,
}

impl Surroundings {
    /// `words`: where the robot's words go. To be made where tokio runs.
    pub fn new(clock: RosClock, words: UnboundedSender<Word>) -> Self {
        let runtime = Handle::current();
        Self { clients: Clients::new(runtime.clone()), runtime, clock, words }
    }
}

/// Reads the file of a robot and compares it with the types that this program was built with. `robot`:
/// a name in `config/robots` of the package, or a path.
///
/// # Errors
/// If there is no such robot, or every mistake with file, line, what was found and what is allowed.
pub fn read_robot(robot: &str) -> anyhow::Result<RobotFile> {
    let mut read = RobotFile::read(&file_of(robot)?)?;
    read.fit(&interfaces::find)?;
    Ok(read)
}

fn file_of(robot: &str) -> anyhow::Result<PathBuf> {
    if robot.contains('/') || robot.ends_with(".yaml") || robot.ends_with(".yml") {
        return Ok(PathBuf::from(robot));
    }
    let folder =
        paths::shared_file("config/robots").context("config/robots of the package not found")?;
    let file = folder.join(format!("{robot}.yaml"));
    if !robot.is_empty() && file.is_file() {
        return Ok(file);
    }
    let shipped = names_in(&folder).join(", ");
    bail!("robot is `{robot}`, expected one of {shipped}, or the path of a file")
}

fn names_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// Performs responses on one robot.
pub struct Performer {
    robot: RobotFile,
    /// The steps of each part, in the order of [`PartName::ALL`].
    parts: [Option<Vec<Ready>>; 4],
    status: Publisher<ResponseStatus>,
    surroundings: Surroundings,
    /// The response whose end was not told yet.
    running: Option<Running>,
    log: Arc<Mutex<RateLimitedLog>>,
}

struct Running {
    id: String,
    rule: String,
    face_id: String,
    doing: Arc<Doing>,
}

impl Performer {
    /// Makes what the robot is spoken to by, and `response_status`. `robot`: of [`read_robot`].
    ///
    /// # Errors
    /// If ROS refuses a topic, service or action.
    pub fn connect(
        node: &mut Node,
        robot: RobotFile,
        surroundings: Surroundings,
    ) -> anyhow::Result<Self> {
        let mut parts = [const { None }; 4];
        for (name, part) in robot.parts() {
            let mut steps = Vec::with_capacity(part.steps.len());
            for step in &part.steps {
                let link = surroundings.clients.link(node, step).with_context(|| {
                    format!("{}: {} {}", robot.file().display(), step.channel.word(), step.name)
                })?;
                steps.push(Ready { step: Arc::new(step.clone()), link });
            }
            parts[name as usize] = Some(steps);
        }
        let status = node.create_publisher("response_status", QosProfile::default())?;
        Ok(Self { robot, parts, status, surroundings, running: None, log: Arc::default() })
    }

    /// Ends the topics; clients of services and actions stay for the next time.
    pub fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.status);
        for ready in self.parts.into_iter().flatten().flatten() {
            if let Some(Link::Topic(publisher)) = Arc::into_inner(ready.link) {
                let publisher = publisher.into_inner();
                node.destroy_publisher_untyped(
                    publisher.unwrap_or_else(|error| error.into_inner()),
                );
            }
        }
    }

    /// The file of the robot.
    pub fn file(&self) -> &Path {
        self.robot.file()
    }

    /// Whether the robot says itself when a response is over.
    pub fn has_own_word(&self) -> bool {
        self.robot.has_own_word()
    }

    /// Begins a response: all of its parts together. The robot's word about it comes later.
    pub fn perform(&mut self, response: &Response) {
        let doing = Arc::new(Doing::default());
        self.running = Some(Running {
            id: response.id.clone(),
            rule: response.rule.clone(),
            face_id: response.face_id.clone(),
            doing: doing.clone(),
        });
        self.tell(word(ResponseStatus::STARTED), "");
        let (begun, missing) =
            self.begin(&response.outputs, Content::of_response(response), &doing);
        if !missing.is_empty() {
            lock(&self.log).info(&format!("not on this robot: {}", missing.join(", ")));
        }
        let (words, id) = (self.surroundings.words.clone(), response.id.clone());
        self.surroundings.runtime.spawn(async move {
            let outcome = match begun.is_empty() {
                true => Outcome::Failed("this robot has nothing of the response".to_owned()),
                false => tokio::select! {
                    () = doing.cancelled() => return,
                    ended = join_all(begun) => together(ended),
                },
            };
            // Where nobody listens any more, the node ends.
            let _ = words.send((id, outcome));
        });
    }

    /// Shows how the robot looks at rest.
    pub fn rest(&self, outputs: &Outputs) {
        let content = Content {
            light: outputs.light,
            expression: outputs.expression.clone(),
            ..Content::default()
        };
        let (begun, _) = self.begin(outputs, content, &Arc::default());
        let log = self.log.clone();
        self.surroundings.runtime.spawn(async move {
            if let Outcome::Failed(reason) | Outcome::Cancelled(reason) =
                together(join_all(begun).await)
            {
                lock(&log).error(&format!("rest not shown: {reason}"));
            }
        });
    }

    /// The response with this id is over: tells so, once. One that is cancelled is cut short.
    pub fn close(&mut self, id: &str, outcome: &Outcome) {
        let Some(running) = self.running.take_if(|running| running.id == id) else { return };
        let (status, reason) = match outcome {
            Outcome::Finished => (word(ResponseStatus::FINISHED), ""),
            Outcome::Cancelled(reason) => (word(ResponseStatus::CANCELLED), &**reason),
            Outcome::Failed(reason) => {
                lock(&self.log).error(&format!("{} failed: {reason}", running.rule));
                (word(ResponseStatus::FAILED), &**reason)
            }
        };
        if *outcome != Outcome::Finished {
            running.doing.cancel();
        }
        self.tell_of(&running, status, reason);
    }

    /// Begins the parts that are asked for. Also returns those that this robot does not have.
    fn begin(
        &self,
        outputs: &Outputs,
        content: Content,
        doing: &Arc<Doing>,
    ) -> (Vec<BoxFuture<'static, Ended>>, Vec<String>) {
        let content = Arc::new(self.robot.in_robots_words(content));
        let (mut begun, mut missing) = (Vec::new(), Vec::new());
        for (name, steps) in PartName::ALL.into_iter().zip(&self.parts) {
            let asked = match name {
                PartName::Speech => outputs.speech.as_deref(),
                PartName::Gesture => outputs.gesture.as_deref(),
                PartName::Expression => outputs.expression.as_deref(),
                PartName::Light => outputs.light.as_ref().map(|_| ""),
            };
            let Some(asked) = asked else { continue };
            let is_skipped = match name {
                PartName::Gesture => content.gesture.is_none(),
                PartName::Expression => content.expression.is_none(),
                PartName::Speech | PartName::Light => false,
            };
            match steps {
                Some(steps) if !is_skipped => begun.push(perform_steps(steps, &content, doing)),
                _ => missing.push(format!("{} {asked}", name.word()).trim_end().to_owned()),
            }
        }
        (begun, missing)
    }

    fn tell(&self, status: &str, reason: &str) {
        if let Some(running) = &self.running {
            self.tell_of(running, status, reason);
        }
    }

    fn tell_of(&self, running: &Running, status: &str, reason: &str) {
        let message = ResponseStatus {
            header: Header { stamp: self.surroundings.clock.stamp(), frame_id: String::new() },
            response_id: running.id.clone(),
            rule: running.rule.clone(),
            face_id: running.face_id.clone(),
            status: status.to_owned(),
            reason: reason.to_owned(),
        };
        if let Err(error) = self.status.publish(&message) {
            lock(&self.log).error(&format!("response_status not published: {error}"));
        }
    }
}

/// Performs the steps one after another. Those up to the first that has to be waited for are sent when
/// this returns.
fn perform_steps(
    steps: &[Ready],
    content: &Arc<Content>,
    doing: &Arc<Doing>,
) -> BoxFuture<'static, Ended> {
    let applying: Vec<Ready> =
        steps.iter().filter(|ready| ready.step.applies(content)).cloned().collect();
    let mut left = applying.into_iter();
    let begin = |ready: Ready, content: &Content, doing: &Arc<Doing>| {
        let message = ready.step.message.fill(content);
        ready.begin(message, doing)
    };
    let mut first = futures::future::ready(Ok(())).boxed();
    for ready in left.by_ref() {
        let is_topic = matches!(*ready.link, Link::Topic(_));
        first = begin(ready, content, doing);
        if !is_topic {
            break;
        }
        if let Some(Err(outcome)) = (&mut first).now_or_never() {
            return futures::future::ready(Err(outcome)).boxed();
        }
        first = futures::future::ready(Ok(())).boxed();
    }
    let (content, doing) = (content.clone(), doing.clone());
    async move {
        first.await?;
        for ready in left {
            if doing.is_cancelled() {
                return Ok(());
            }
            begin(ready, &content, &doing).await?;
        }
        Ok(())
    }
    .boxed()
}

/// A constant of a message as text; r2r has it as the bytes of C, with the NUL at their end.
fn word(constant: &'static [u8]) -> &'static str {
    std::str::from_utf8(constant).unwrap_or_default().trim_end_matches('\0')
}

/// How a response ended, by how its parts did: a failure counts more than a cancellation.
fn together(ended: Vec<Ended>) -> Outcome {
    let (mut failures, mut cancellations) = (Vec::new(), Vec::new());
    for outcome in ended.into_iter().filter_map(Result::err) {
        match outcome {
            Outcome::Failed(reason) => failures.push(reason),
            Outcome::Cancelled(reason) => cancellations.push(reason),
            Outcome::Finished => {}
        }
    }
    match (failures.is_empty(), cancellations.is_empty()) {
        (false, _) => Outcome::Failed(failures.join("; ")),
        (true, false) => Outcome::Cancelled(cancellations.join("; ")),
        (true, true) => Outcome::Finished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_robots_fit_the_types_that_are_bound() {
        // As the test is built for, in tests/interfaces.
        for name in ["topics", "ros4hri", "naoqi", "qtrobot", "tts"] {
            let file =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/robots/{name}.yaml"));
            let mut robot = RobotFile::read(&file).unwrap();
            let is_bound = robot
                .parts()
                .flat_map(|(_, part)| &part.steps)
                .all(|step| interfaces::find(step.channel, &step.type_name).is_some());
            if is_bound {
                robot.fit(&interfaces::find).unwrap();
            }
            assert!(is_bound || name != "topics");
        }
    }

    #[test]
    fn the_words_of_the_status_have_no_nul() {
        assert_eq!(word(ResponseStatus::STARTED), "started");
        assert_eq!(word(ResponseStatus::CANCELLED), "cancelled");
    }

    #[test]
    fn a_failure_counts_more_than_a_cancellation() {
        let failed = |reason: &str| Err(Outcome::Failed(reason.to_owned()));
        let cancelled = || Err(Outcome::Cancelled("by the robot".to_owned()));
        assert_eq!(together(vec![Ok(()), Ok(())]), Outcome::Finished);
        assert_eq!(together(vec![cancelled(), Ok(())]), cancelled().unwrap_err());
        let both = together(vec![failed("a"), cancelled(), failed("b")]);
        assert_eq!(both, Outcome::Failed("a; b".to_owned()));
    }
}
