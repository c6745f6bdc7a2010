//! Goals of actions whose type is known at run time only, from any thread.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use r2r::{ActionClientGoalUntyped, ActionClientUntyped, GoalStatus};
use serde_json::Value;

/// A goal that the server has accepted.
pub struct AcceptedGoal {
    /// Cancels it.
    pub handle: ActionClientGoalUntyped,
    /// How it ended, and its result as JSON.
    pub result: BoxFuture<'static, r2r::Result<(GoalStatus, r2r::Result<Value>)>>,
    /// What the server tells meanwhile.
    pub feedback: BoxStream<'static, r2r::Result<Value>>,
}

/// Sends a goal; what comes back is the server's answer.
///
/// The goal must be one that the type takes: r2r panics otherwise.
///
/// # Errors
/// If it was not sent; later, if the server rejects it.
pub fn send_goal(
    client: &ActionClientUntyped,
    goal: Value,
) -> r2r::Result<BoxFuture<'static, r2r::Result<AcceptedGoal>>> {
    let answer = AnyThread(Box::pin(client.send_goal_request(goal)?));
    let accepted = answer.map(|answer| {
        let (handle, result, feedback) = answer?;
        Ok(AcceptedGoal { handle, result: result.boxed(), feedback: feedback.boxed() })
    });
    Ok(accepted.boxed())
}

/// A future that may go to another thread.
struct AnyThread<F>(Pin<Box<F>>);

// SAFETY: made in `send_goal` alone, of a future that holds the ends of channels, which may go to
// another thread, and a weak reference to the client behind its mutex: the same that
// `ActionClientUntyped` holds, which r2r declares `Send`.
unsafe impl<F> Send for AnyThread<F> {}

impl<F: Future> Future for AnyThread<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}
