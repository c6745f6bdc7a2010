//! One service call, one goal: sent, waited for, bounded in time, cancelled.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use r2r::{ActionClientGoalUntyped, GoalStatus};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::link::{Link, SERVER_WAIT};
use crate::ros::lock::lock;
use crate::ros::raw::{AcceptedGoal, send_goal};
use rapport_behavior::Outcome;
use rapport_behavior::robot_file::Step;

/// How long a robot may take to say whether it accepts a goal.
const ACCEPTANCE: Duration = Duration::from_secs(5);

/// How long an acceptance that is too late is waited for, so that its goal can be cancelled.
const LATE: Duration = Duration::from_secs(60);

/// What a step comes to; the error is how the response ends.
pub type Ended = Result<(), Outcome>;

/// What belongs to one response while the robot performs it.
#[derive(Default)]
pub struct Doing {
    cancelled: watch::Sender<bool>,
    goals: Mutex<Vec<ActionClientGoalUntyped>>,
}

impl Doing {
    /// Cancels what runs, and whatever would begin.
    pub fn cancel(&self) {
        let goals = {
            let mut goals = lock(&self.goals);
            self.cancelled.send_replace(true);
            std::mem::take(&mut *goals)
        };
        goals.iter().for_each(cancel);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Returns once it was cancelled.
    pub async fn cancelled(&self) {
        // The sender is this.
        let _ = self.cancelled.subscribe().wait_for(|cancelled| *cancelled).await;
    }

    /// Keeps a goal, so that it can be cancelled; false where it should have been already.
    fn hold(&self, goal: &ActionClientGoalUntyped) -> bool {
        let mut goals = lock(&self.goals);
        if self.is_cancelled() {
            return false;
        }
        goals.push(goal.clone());
        true
    }

    fn release(&self, goal: &ActionClientGoalUntyped) {
        lock(&self.goals).retain(|held| held.uuid != goal.uuid);
    }
}

/// One step and its way to the robot.
#[derive(Clone)]
pub struct Ready {
    /// As the robot's file has it.
    pub step: Arc<Step>,
    /// Where it goes.
    pub link: Arc<Link>,
}

impl Ready {
    /// Performs the step. Where nothing has to be waited for, the message is sent when this returns.
    pub fn begin(self, message: Value, doing: &Arc<Doing>) -> BoxFuture<'static, Ended> {
        let server = match &*self.link {
            Link::Topic(publisher) => {
                let published = lock(publisher).publish(message);
                let ended =
                    published.map_err(|error| self.failed(format!("not published: {error}")));
                return futures::future::ready(ended).boxed();
            }
            Link::Service(_, server) | Link::Action(_, server) => server.clone(),
        };
        if server.is_there() {
            return self.send(message, doing);
        }
        let doing = doing.clone();
        async move {
            if !server.wait().await {
                let waited = SERVER_WAIT.as_secs();
                return Err(self.failed(format!("nobody offers it (waited {waited} s)")));
            }
            if doing.is_cancelled() {
                return Ok(());
            }
            self.send(message, &doing).await
        }
        .boxed()
    }

    fn send(self, message: Value, doing: &Arc<Doing>) -> BoxFuture<'static, Ended> {
        match &*self.link {
            Link::Topic(_) => futures::future::ready(Ok(())).boxed(),
            Link::Service(client, _) => {
                let answer = client.request(message);
                async move {
                    let answer = answer.map_err(|error| self.not_sent(&error))?;
                    if !self.step.waits {
                        return Ok(());
                    }
                    match timeout(self.step.timeout, answer).await {
                        Ok(Ok(Ok(answer))) => self.judge(&answer),
                        Ok(Ok(Err(error)) | Err(error)) => {
                            Err(self.failed(format!("gave no answer that can be read: {error}")))
                        }
                        Err(_) => Err(self.failed(format!(
                            "did not answer within {} s",
                            self.step.timeout.as_secs_f64()
                        ))),
                    }
                }
                .boxed()
            }
            Link::Action(client, _) => {
                let answer = send_goal(&lock(client), message);
                let doing = doing.clone();
                // A task of its own: a goal that is accepted after all must be cancelled, whoever
                // still waits for it.
                let goal = tokio::runtime::Handle::try_current().map(|runtime| {
                    let ready = self.clone();
                    runtime.spawn(async move {
                        let answer = answer.map_err(|error| ready.not_sent(&error))?;
                        ready.follow(answer, &doing).await
                    })
                });
                async move {
                    match goal {
                        Ok(goal) => {
                            goal.await.unwrap_or_else(|_| Err(self.failed("broke off".to_owned())))
                        }
                        Err(_) => Err(self.failed("is not followed: the node ends".to_owned())),
                    }
                }
                .boxed()
            }
        }
    }

    /// Follows a goal from its acceptance to its result.
    async fn follow(
        &self,
        mut answer: BoxFuture<'static, r2r::Result<AcceptedGoal>>,
        doing: &Doing,
    ) -> Ended {
        let end = Instant::now() + self.step.timeout;
        let acceptance = self.step.timeout.min(ACCEPTANCE);
        let AcceptedGoal { handle: goal, result, mut feedback } =
            match timeout(acceptance, &mut answer).await {
                Ok(Ok(accepted)) => accepted,
                Ok(Err(r2r::Error::RCL_RET_ACTION_GOAL_REJECTED)) => {
                    return Err(self.failed("rejected the goal".to_owned()));
                }
                Ok(Err(error)) => return Err(self.not_sent(&error)),
                Err(_) => {
                    tokio::spawn(async move {
                        if let Ok(Ok(goal)) = timeout(LATE, answer).await {
                            cancel(&goal.handle);
                        }
                    });
                    let waited = acceptance.as_secs_f64();
                    return Err(self.failed(format!("did not accept the goal within {waited} s")));
                }
            };
        if !doing.hold(&goal) {
            cancel(&goal);
            return Ok(());
        }
        if !self.step.waits {
            return Ok(());
        }
        // Nobody reads the feedback; r2r wants it taken.
        let drained = async {
            while feedback.next().await.is_some() {}
            std::future::pending::<()>().await
        };
        let result = tokio::select! {
            result = timeout_at(end, result) => result,
            () = drained => return Ok(()),
        };
        doing.release(&goal);
        match result {
            Ok(Ok((GoalStatus::Succeeded, Ok(result)))) => self.judge(&result),
            Ok(Ok((GoalStatus::Canceled, _))) => {
                Err(Outcome::Cancelled(format!("{} was cancelled by the robot", self.step.name)))
            }
            Ok(Ok((status, result))) => {
                let result = result.map(|result| shortened(&result)).unwrap_or_default();
                Err(self.failed(format!("ended as {status} with {result}")))
            }
            Ok(Err(error)) => Err(self.failed(format!("gave no result: {error}"))),
            Err(_) => {
                cancel(&goal);
                let waited = self.step.timeout.as_secs_f64();
                Err(self.failed(format!("had no result within {waited} s and was cancelled")))
            }
        }
    }

    fn judge(&self, answer: &Value) -> Ended {
        self.step
            .judge(answer)
            .map_err(|wrong| self.failed(format!("{wrong}; it said {}", shortened(answer))))
    }

    fn not_sent(&self, error: &r2r::Error) -> Outcome {
        self.failed(format!("could not be asked: {error}"))
    }

    fn failed(&self, what: String) -> Outcome {
        let Step { channel, name, .. } = &*self.step;
        Outcome::Failed(format!("the {} {name} {what}", channel.word()))
    }
}

/// Asks the robot to cancel a goal; it goes on in the background.
fn cancel(goal: &ActionClientGoalUntyped) {
    let asked = goal.cancel();
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        match asked {
            Ok(answer) => match timeout(ACCEPTANCE, answer).await {
                Ok(Err(r2r::Error::GoalCancelAlreadyTerminated)) | Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!("a goal goes on: {error}"),
                Err(_) => tracing::warn!("a goal may go on: no answer to its cancellation"),
            },
            Err(error) => tracing::warn!("a goal goes on: {error}"),
        }
    });
}

/// An answer as it is shown in a reason.
fn shortened(answer: &Value) -> String {
    const SHOWN_CHARS: usize = 200;
    let text = answer.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
