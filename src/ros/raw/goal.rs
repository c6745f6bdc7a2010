//! Goals of actions whose type is known at run time only, from any thread.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use r2r::{ActionClientGoalUntyped, ActionClientUntyped, GoalStatus};
use serde_json::Value;

/// Sends a goal. What comes back: a handle that cancels it, its result, and its feedback.
///
/// The goal must be one that the type takes: r2r panics otherwise.
///
/// # Errors
/// If it was not sent; later, if the server rejects it.
pub fn send_goal(
    client: &ActionClientUntyped,
    goal: Value,
) -> r2r::Result<
    impl Future<
        Output = r2r::Result<(
            ActionClientGoalUntyped,
            impl Future<Output = r2r::Result<(GoalStatus, r2r::Result<Value>)>> + Send + use<>,
            impl Stream<Item = r2r::Result<Value>> + Send + Unpin + use<>,
        )>,
    > + Send
    + use<>,
> {
    client.send_goal_request(goal).map(|answer| AnyThread(Box::pin(answer)))
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
