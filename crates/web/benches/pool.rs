//! One set of networks for all threads, or one for each: frames a second of two sessions at once.
//! Prints a table; `cargo bench -p rapport-web --bench pool`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use image::RgbImage;
use rapport_perception::{ModelFiles, Networks, RuntimeOptions, Session, SessionOptions};
use rapport_test_support::{frame, paste, picture};
use rapport_vocabulary::ImageStamp;

const LASTS: Duration = Duration::from_secs(5);
const THREADS: usize = 2;

fn main() {
    let load = || Networks::load(&ModelFiles::default(), &RuntimeOptions::default()).unwrap();
    let (one, other) = (load(), load());
    let mut scene = RgbImage::new(640, 480);
    paste(&mut scene, &picture("astronaut.jpg"), 64, 0);
    // Once for the caches.
    frames_per_sec(&scene, &[one.clone(), other.clone()], Duration::from_secs(1));
    println!("640x480, one face, {THREADS} threads at once, frames a second together");
    for _ in 0..2 {
        let shared = frames_per_sec(&scene, &[one.clone(), one.clone()], LASTS);
        let own = frames_per_sec(&scene, &[one.clone(), other.clone()], LASTS);
        println!(
            "  one set of networks {shared:>6.1}   a set for each {own:>6.1}   {:.2} times",
            own / shared
        );
    }
}

fn frames_per_sec(scene: &RgbImage, networks: &[Arc<Networks>], lasts: Duration) -> f64 {
    let work = |networks: &Arc<Networks>| {
        let mut session = Session::new(networks.clone(), SessionOptions::default());
        let (start, mut frames) = (Instant::now(), 0);
        while start.elapsed() < lasts {
            session.process(&frame(scene), ImageStamp::at(start.elapsed())).unwrap();
            frames += 1;
        }
        f64::from(frames) / start.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            networks.iter().map(|networks| scope.spawn(move || work(networks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}
