//! The newest image, the worker that processes it, and the switch that decides whether it should.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::lock::lock;
use super::slot::Slot;
use super::switch::Switch;

/// What processes one image after the other.
pub trait Work<T>: Send {
    /// Processes an image; what goes wrong is logged. Returns whether it could be used.
    fn process(&mut self, image: &T) -> bool;
    /// No more images are wanted for now.
    fn pause(&mut self);
    /// For how long what the last image showed holds without another one; nothing where it showed
    /// nothing.
    fn holds_for(&self) -> Option<Duration>;
    /// It no longer holds.
    fn expire(&mut self);
}

/// Hands the newest image to the worker while the switch is on. Clones share everything.
#[derive(Debug)]
pub struct Processor<T, W> {
    slot: Arc<Slot<T>>,
    /// Only a configured node has one.
    worker: Arc<Mutex<Option<W>>>,
    switch: Arc<watch::Sender<Switch>>,
}

impl<T, W> Clone for Processor<T, W> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone(), worker: self.worker.clone(), switch: self.switch.clone() }
    }
}

impl<T: Send, W: Work<T>> Processor<T, W> {
    /// Without a worker, enabled, not active.
    pub fn new() -> Self {
        Self {
            slot: Arc::new(Slot::new()),
            worker: Arc::default(),
            switch: Arc::new(watch::Sender::new(Switch { active: false, enabled: true })),
        }
    }

    /// Where images are put.
    pub fn slot(&self) -> Arc<Slot<T>> {
        self.slot.clone()
    }

    /// For a reader of the switch.
    pub fn switch(&self) -> watch::Receiver<Switch> {
        self.switch.subscribe()
    }

    /// Processes images with this worker from now on, or with none. Returns the one before. Waits
    /// for the image that it processes at the moment.
    pub fn replace_worker(&self, worker: Option<W>) -> Option<W> {
        tokio::task::block_in_place(|| std::mem::replace(&mut *lock(&self.worker), worker))
    }

    /// Processes the newest image whenever there is one, and lets go of what the last one showed
    /// where none comes. Does not return.
    pub async fn run(self) {
        // Until when what the last image showed holds. One that cannot be used shows nothing.
        let mut holds_until = None;
        loop {
            let came = tokio::select! {
                () = self.slot.filled() => true,
                () = until(holds_until) => false,
            };
            // One image computes for milliseconds. On a thread that other tasks share, these move to
            // another meanwhile.
            holds_until = tokio::task::block_in_place(|| {
                let mut worker = lock(&self.worker);
                if !came {
                    if let Some(worker) = worker.as_mut() {
                        worker.expire();
                    }
                    return None;
                }
                // It may have been switched off since the image came.
                let is_on = self.switch.borrow().is_on();
                let image = self.slot.take().filter(|_| is_on);
                let worker = worker.as_mut()?;
                if image.is_some_and(|image| !worker.process(&image)) {
                    return holds_until.filter(|_| worker.holds_for().is_some());
                }
                worker.holds_for().map(|holds_for| Instant::now() + holds_for)
            });
        }
    }

    /// Changes the switch and returns what it is now. Once it is off and this returns, no image is
    /// processed and nothing more is published. Images of before are never processed later.
    pub fn set(&self, change: impl FnOnce(&mut Switch)) -> Switch {
        let (mut was_on, mut now) = (false, Switch::default());
        self.switch.send_modify(|switch| {
            was_on = switch.is_on();
            change(switch);
            now = *switch;
            if now.is_on() != was_on {
                self.slot.take();
            }
        });
        if !now.is_on() {
            // Waits for the image in work, also where somebody else has just switched it off.
            tokio::task::block_in_place(|| {
                let mut worker = lock(&self.worker);
                if let Some(worker) = worker.as_mut()
                    && was_on
                {
                    worker.pause();
                }
            });
        }
        now
    }
}

/// Waits until then; without a time, for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    const PATIENCE: Duration = Duration::from_secs(10);

    /// An image that cannot be used.
    const UNUSABLE: u32 = 999;

    #[derive(Debug, PartialEq)]
    enum Event {
        Begin(u32),
        End(u32),
        Pause,
        Expire,
    }

    /// Reports what it is asked to do, and takes as long for an image as the test wants.
    struct Reporter {
        events: Sender<Event>,
        go_on: Receiver<()>,
        holds_for: Option<Duration>,
    }

    impl Work<u32> for Reporter {
        fn process(&mut self, image: &u32) -> bool {
            self.events.send(Event::Begin(*image)).unwrap();
            self.go_on.recv_timeout(PATIENCE).unwrap();
            self.events.send(Event::End(*image)).unwrap();
            *image != UNUSABLE
        }

        fn pause(&mut self) {
            self.events.send(Event::Pause).unwrap();
        }

        fn holds_for(&self) -> Option<Duration> {
            self.holds_for
        }

        fn expire(&mut self) {
            self.events.send(Event::Expire).unwrap();
        }
    }

    struct Setup {
        processor: Processor<u32, Reporter>,
        events: Receiver<Event>,
        go_on: Sender<()>,
    }

    impl Setup {
        /// A processor at work that is enabled and not active.
        fn new() -> Self {
            Self::holding(None)
        }

        /// One whose images hold for so long.
        fn holding(holds_for: Option<Duration>) -> Self {
            let (events, seen) = channel();
            let (go_on, wait) = channel();
            let processor = Processor::new();
            let reporter = Reporter { events, go_on: wait, holds_for };
            assert!(processor.replace_worker(Some(reporter)).is_none());
            tokio::spawn(processor.clone().run());
            Self { processor, events: seen, go_on }
        }

        fn activate(&self) {
            assert!(self.processor.set(|switch| switch.active = true).is_on());
        }

        fn next(&self) -> Event {
            tokio::task::block_in_place(|| self.events.recv_timeout(PATIENCE)).unwrap()
        }

        /// Puts an image in and waits until it is taken out.
        async fn put_and_wait(&self, image: u32) {
            self.processor.slot().put(image);
            let deadline = Instant::now() + PATIENCE;
            while self.processor.slot().is_filled() {
                assert!(Instant::now() < deadline, "the image still waits");
                tokio::task::yield_now().await;
            }
        }

        /// What happened before an image that is sent now is processed.
        fn events_before_next(&self, image: u32) -> Vec<Event> {
            self.processor.slot().put(image);
            self.go_on.send(()).unwrap();
            let mut before = Vec::new();
            loop {
                match self.next() {
                    Event::Begin(begun) if begun == image => break,
                    event => before.push(event),
                }
            }
            assert_eq!(self.next(), Event::End(image));
            before
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn images_are_processed_only_while_it_is_on() {
        let setup = Setup::new();
        setup.put_and_wait(1).await;
        assert!(!setup.processor.set(|switch| switch.enabled = false).is_on());
        assert!(!setup.processor.set(|switch| switch.active = true).is_on());
        setup.put_and_wait(2).await;
        assert!(!setup.processor.set(|switch| switch.active = false).is_on());
        assert!(!setup.processor.set(|switch| switch.enabled = true).is_on());
        setup.activate();
        assert_eq!(setup.events_before_next(3), []);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn images_of_before_are_gone_once_it_is_switched() {
        let processor: Processor<u32, Reporter> = Processor::new();
        for active in [true, false] {
            processor.slot().put(1);
            processor.set(|switch| switch.active = active);
            assert!(!processor.slot().is_filled(), "active {active}");
        }
        processor.set(|switch| switch.active = true);
        processor.slot().put(1);
        processor.set(|switch| switch.enabled = true);
        assert!(processor.slot().is_filled(), "it was on and still is");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn turning_it_off_waits_for_the_image_in_work_and_pauses_once() {
        let setup = Setup::new();
        setup.activate();
        setup.processor.slot().put(1);
        assert_eq!(setup.next(), Event::Begin(1));
        // Another one waits meanwhile.
        setup.processor.slot().put(2);
        let processor = setup.processor.clone();
        let off = tokio::spawn(async move { processor.set(|switch| switch.enabled = false) });
        let mut switch = setup.processor.switch();
        switch.wait_for(|switch| !switch.is_on()).await.unwrap();
        assert!(!off.is_finished(), "the image in work has not ended");
        setup.go_on.send(()).unwrap();
        assert!(!off.await.unwrap().is_on());
        assert_eq!(setup.next(), Event::End(1));
        assert_eq!(setup.next(), Event::Pause);
        // Off already: no second pause.
        setup.processor.set(|switch| switch.active = false);
        setup.processor.set(|switch| *switch = Switch { active: true, enabled: true });
        assert_eq!(setup.events_before_next(3), [], "neither image 2 nor a second pause");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn what_an_image_showed_expires_once_where_no_other_comes() {
        let setup = Setup::holding(Some(Duration::from_millis(50)));
        setup.activate();
        assert_eq!(setup.events_before_next(1), []);
        assert_eq!(setup.next(), Event::Expire);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(setup.events_before_next(2), [], "no second time");
        assert_eq!(setup.next(), Event::Expire);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn images_that_cannot_be_used_let_it_expire() {
        let setup = Setup::holding(Some(Duration::from_millis(300)));
        setup.activate();
        assert_eq!(setup.events_before_next(1), []);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            setup.processor.slot().put(UNUSABLE);
            match setup.next() {
                Event::Begin(UNUSABLE) => {
                    setup.go_on.send(()).unwrap();
                    assert_eq!(setup.next(), Event::End(UNUSABLE));
                }
                event => {
                    assert_eq!(event, Event::Expire);
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("what the last image showed still holds");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn without_a_worker_images_are_thrown_away() {
        let setup = Setup::new();
        setup.activate();
        let worker = setup.processor.replace_worker(None);
        setup.put_and_wait(1).await;
        assert!(setup.processor.replace_worker(worker).is_none());
        assert_eq!(setup.events_before_next(2), []);
    }
}
