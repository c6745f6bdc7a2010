//! Work done ahead of its turn, on other threads. The results come in the order of the source,
//! whoever finished first, so that nothing that is made of them depends on the number of threads.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

/// How far ahead the work may be.
pub struct Bounds<R> {
    /// Items that are worked on or wait to be taken, at most.
    pub items: NonZeroUsize,
    /// No item is begun while the results that wait take more bytes. Whatever each thread is at work
    /// on comes on top.
    pub bytes: usize,
    /// The memory that a result takes, in bytes.
    pub bytes_of: fn(&R) -> usize,
}

impl<R> Bounds<R> {
    /// For images: two for each thread and six more, which is a twentieth of a second of work for the
    /// networks, so that a thread that the system lets wait does not hold up the others.
    pub fn of_images(threads: usize, bytes: usize, bytes_of: fn(&R) -> usize) -> Self {
        let items = NonZeroUsize::MIN.saturating_add(2 * threads + 5);
        Self { items, bytes, bytes_of }
    }
}

/// The results of work on the items of a source, in its order.
///
/// Dropping it ends the work: each thread finishes the item that it is at.
pub enum Ahead<'scope, R> {
    /// Each item is worked on when it is asked for, by the thread that asks.
    Here(Box<dyn Iterator<Item = R> + Send + 'scope>),
    /// Threads of its own work ahead.
    Threads(Taker<R>),
}

impl<'scope, R: Send + 'scope> Ahead<'scope, R> {
    /// Works on each item when it is asked for.
    pub fn here<I, W>(source: I, work: W) -> Self
    where
        I: Iterator + Send + 'scope,
        W: FnMut(I::Item) -> R + Send + 'scope,
    {
        Self::Here(Box::new(source.map(work)))
    }

    /// Starts a thread for each of the workers. They share the source: each takes its next item.
    ///
    /// A panic of a worker ends the results; the scope then panics in turn when it ends.
    ///
    /// # Errors
    /// If the system starts no more threads.
    pub fn threads<'env, I, W>(
        scope: &'scope Scope<'scope, 'env>,
        source: I,
        workers: Vec<W>,
        bounds: Bounds<R>,
    ) -> io::Result<Self>
    where
        I: Iterator + Send + 'scope,
        I::Item: Send,
        W: FnMut(I::Item) -> R + Send + 'scope,
    {
        let queue = Arc::new(Queue {
            state: Mutex::new(State {
                begun: 0,
                taken: 0,
                held_bytes: 0,
                ready: BTreeMap::new(),
                end: None,
                is_closed: workers.is_empty(),
            }),
            changed: Condvar::new(),
            bounds,
        });
        // Before the first thread is started, so that the others end if one is not.
        let taker = Taker { queue: queue.clone() };
        let source = Arc::new(Mutex::new(source));
        for work in workers {
            let (queue, source) = (queue.clone(), source.clone());
            thread::Builder::new()
                .name("ahead".to_owned())
                .spawn_scoped(scope, move || queue.work(&source, work))?;
        }
        Ok(Self::Threads(taker))
    }
}

impl<R> Iterator for Ahead<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        match self {
            Self::Here(results) => results.next(),
            Self::Threads(taker) => taker.queue.take(),
        }
    }
}

/// The end at which results are taken.
pub struct Taker<R> {
    queue: Arc<Queue<R>>,
}

impl<R> Drop for Taker<R> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What the threads share beside the source.
struct Queue<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    bounds: Bounds<R>,
}

struct State<R> {
    /// Items that were taken from the source; the number of the next one.
    begun: u64,
    /// Results that were taken; the number of the next one.
    taken: u64,
    /// The bytes of `ready`.
    held_bytes: usize,
    /// Results by the number of their item.
    ready: BTreeMap<u64, R>,
    /// How many items the source had, once it has ended.
    end: Option<u64>,
    /// Nobody takes any more, or a worker panicked.
    is_closed: bool,
}

/// A panic of another thread leaves the counters right: nothing panics while they change.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R> Queue<R> {
    fn close(&self) {
        lock(&self.state).is_closed = true;
        self.changed.notify_all();
    }

    /// Works until the source ends or nobody takes results.
    fn work<I: Iterator>(&self, source: &Mutex<I>, mut work: impl FnMut(I::Item) -> R) {
        let _guard = CloseOnPanic(self);
        while let Some((number, item)) = self.begin(source) {
            let result = work(item);
            let mut state = lock(&self.state);
            state.held_bytes += (self.bounds.bytes_of)(&result);
            state.ready.insert(number, result);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// The next item and its number, once there is room for its result.
    fn begin<I: Iterator>(&self, source: &Mutex<I>) -> Option<(u64, I::Item)> {
        // Whoever holds the source is the only one to begin an item.
        let mut source = lock(source);
        let mut state = lock(&self.state);
        // There is always room for the result that is taken next: if it is not begun, none waits.
        while !state.is_closed && !self.has_room(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed || state.end.is_some() {
            return None;
        }
        drop(state);
        let item = source.next();
        let mut state = lock(&self.state);
        let number = state.begun;
        if item.is_some() {
            state.begun += 1;
        } else {
            state.end = Some(number);
            drop(state);
            self.changed.notify_all();
        }
        Some((number, item?))
    }

    fn has_room(&self, state: &State<R>) -> bool {
        let ahead = state.begun - state.taken;
        ahead < self.bounds.items.get() as u64 && state.held_bytes <= self.bounds.bytes
    }

    fn take(&self) -> Option<R> {
        let mut state = lock(&self.state);
        loop {
            let number = state.taken;
            if let Some(result) = state.ready.remove(&number) {
                state.taken += 1;
                state.held_bytes -= (self.bounds.bytes_of)(&result);
                drop(state);
                self.changed.notify_all();
                return Some(result);
            }
            if state.is_closed || state.end == Some(number) {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Without it whoever takes results would wait for one that never comes.
struct CloseOnPanic<'q, R>(&'q Queue<R>);

impl<R> Drop for CloseOnPanic<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn bounds(items: usize, bytes: usize) -> Bounds<u64> {
        Bounds { items: NonZeroUsize::new(items).unwrap(), bytes, bytes_of: |_| 10 }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn results_come_in_the_order_of_the_source(
            count in 0u64..60, threads in 1usize..5, items in 1usize..6, bytes in 0usize..40,
        ) {
            let found: Vec<u64> = thread::scope(|scope| {
                // The earlier of each pair takes longer.
                let work = |item: u64| {
                    thread::sleep(Duration::from_micros(if item.is_multiple_of(2) { 200 } else { 0 }));
                    item * item
                };
                let workers = vec![work; threads];
                Ahead::threads(scope, 0..count, workers, bounds(items, bytes)).unwrap().collect()
            });
            prop_assert_eq!(found, (0..count).map(|item| item * item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_is_read_than_fits() {
        for (items, bytes, most) in [(3, 1000, 3), (100, 25, 4)] {
            let read = AtomicUsize::new(0);
            thread::scope(|scope| {
                let source = (0..50u64).inspect(|_| _ = read.fetch_add(1, Ordering::SeqCst));
                let mut ahead =
                    Ahead::threads(scope, source, vec![|item| item], bounds(items, bytes)).unwrap();
                for taken in 0..50 {
                    assert_eq!(ahead.next(), Some(taken));
                    thread::sleep(Duration::from_millis(1));
                    let begun = read.load(Ordering::SeqCst);
                    assert!(begun <= taken as usize + 1 + most, "{begun} with {taken} taken");
                }
                assert_eq!(ahead.next(), None);
            });
        }
    }

    #[test]
    fn stages_follow_one_another_and_end_when_nobody_takes_any_more() {
        thread::scope(|scope| {
            let doubled =
                Ahead::threads(scope, 0u64.., vec![|item| 2 * item; 2], bounds(4, 1000)).unwrap();
            let squared =
                Ahead::threads(scope, doubled, vec![|item| item * item; 3], bounds(4, 1000))
                    .unwrap();
            assert_eq!(squared.take(5).collect::<Vec<_>>(), [0, 4, 16, 36, 64]);
        });
    }

    #[test]
    fn a_panic_of_a_worker_reaches_the_one_who_waits() {
        let outcome = std::panic::catch_unwind(|| {
            thread::scope(|scope| {
                let work = |item: u64| if item == 3 { panic!("on purpose") } else { item };
                Ahead::threads(scope, 0u64.., vec![work; 2], bounds(4, 1000)).unwrap().count()
            })
        });
        assert!(outcome.is_err());
    }
}
