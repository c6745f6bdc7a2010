//! With more threads than one, all networks of the process share one pool of them. A process of its
//! own: ONNX Runtime keeps the first pool for good.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::{ModelFiles, Networks, Session, SessionOptions};
use rapport_test_support::{encode, picture};
use rapport_vocabulary::ImageStamp;

fn threads_of_this_process() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn the_networks_share_their_threads() {
    let load = |threads| {
        let runtime = RuntimeOptions { threads, ..RuntimeOptions::default() };
        Networks::load(&ModelFiles::default(), &runtime).unwrap()
    };
    let before = threads_of_this_process();
    let three = load(3);
    // The caller is the third.
    assert_eq!(threads_of_this_process() - before, 2);
    let again = load(3);
    assert_eq!(threads_of_this_process() - before, 2, "a second set shares them too");
    // Whoever asks for one thread computes alone.
    let one = load(1);
    assert_eq!(threads_of_this_process() - before, 2);

    let image = encode(&picture("astronaut.jpg"), rapport_perception::frame::Encoding::Rgb8, 0);
    let seen = [one, three, again].map(|networks| {
        let mut session = Session::new(networks, SessionOptions::for_pictures());
        let seen = session.process(&image.frame(), ImageStamp::at(Duration::ZERO)).unwrap();
        let [person] = &seen.people[..] else { panic!("{seen:?}") };
        (person.emotion, person.confidence())
    });
    for (emotion, confidence) in seen {
        assert_eq!(emotion, seen[0].0);
        assert!((confidence - seen[0].1).abs() < 1e-3, "{seen:?}");
    }
}
