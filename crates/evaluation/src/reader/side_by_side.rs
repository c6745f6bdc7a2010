//! Several models that each see every image of a recording, in order, on threads of their own.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// Images that are under way at most. The models need about the same time, so that a few are enough
/// for none to wait for another.
const UNDER_WAY: usize = 4;

/// What a group of models does with a step, in order.
struct Group<S, R> {
    steps: SyncSender<Arc<S>>,
    results: Receiver<R>,
}

/// Steps, each with what every group made of it, in the order of the groups.
pub struct SideBySide<I: Iterator, R> {
    steps: I,
    groups: Vec<Group<I::Item, R>>,
    under_way: VecDeque<Arc<I::Item>>,
}

impl<I: Iterator, R> SideBySide<I, R>
where
    I::Item: Send + Sync,
    R: Send,
{
    /// Starts a thread for each group.
    ///
    /// # Errors
    /// If the system starts no more threads.
    pub fn new<'scope, 'env, W>(
        scope: &'scope Scope<'scope, 'env>,
        steps: I,
        groups: impl IntoIterator<Item = W>,
    ) -> io::Result<Self>
    where
        W: FnMut(&I::Item) -> R + Send + 'scope,
        I::Item: 'scope,
        R: 'scope,
    {
        let start = |mut work: W| {
            let (steps, next_step) = sync_channel::<Arc<I::Item>>(UNDER_WAY);
            let (result, results) = sync_channel(UNDER_WAY);
            thread::Builder::new().name("model".to_owned()).spawn_scoped(scope, move || {
                for step in next_step {
                    if result.send(work(&step)).is_err() {
                        return;
                    }
                }
            })?;
            Ok(Group { steps, results })
        };
        let groups = groups.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { steps, groups, under_way: VecDeque::new() })
    }
}

impl<I: Iterator, R> Iterator for SideBySide<I, R> {
    type Item = (Arc<I::Item>, Vec<R>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.under_way.len() < UNDER_WAY {
            let Some(step) = self.steps.next() else {
                break;
            };
            let step = Arc::new(step);
            for group in &self.groups {
                group.steps.send(step.clone()).ok()?;
            }
            self.under_way.push_back(step);
        }
        let step = self.under_way.pop_front()?;
        // A group that panicked gives no more: the scope panics in turn.
        let results = self.groups.iter().map(|group| group.results.recv().ok());
        Some((step, results.collect::<Option<_>>()?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_group_sees_every_step_in_order() {
        let found: Vec<_> = thread::scope(|scope| {
            let group = |pause_us: u64| {
                let mut sum = 0;
                move |step: &u64| {
                    thread::sleep(Duration::from_micros(pause_us * (step % 3)));
                    sum += step;
                    sum
                }
            };
            let groups = [group(0), group(300), group(50)];
            SideBySide::new(scope, 1..=20u64, groups).unwrap().map(|(s, r)| (*s, r)).collect()
        });
        let sums = (1..=20u64).map(|step| (step, vec![step * (step + 1) / 2; 3]));
        assert_eq!(found, sums.collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_of_a_group_reaches_the_one_who_waits() {
        let outcome = std::panic::catch_unwind(|| {
            thread::scope(|scope| {
                let group = |step: &u64| if *step == 3 { panic!("on purpose") } else { *step };
                SideBySide::new(scope, 0u64.., [group; 2]).unwrap().count()
            })
        });
        assert!(outcome.is_err());
    }
}
