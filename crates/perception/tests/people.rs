//! Where people are, what is new about them, and what is never looked at: on photographs, through
//! `Session::process`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rapport_perception::annotate::annotate_outside;
use rapport_perception::events::Event;
use rapport_perception::zones::Zones;
use rapport_perception::{Observation, Session, SessionOptions};
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::ImageStamp;

fn options(view_deg: Option<f64>, zones: &[&str]) -> SessionOptions {
    let mut options = SessionOptions::for_pictures();
    options.pose.horizontal_fov_deg = view_deg;
    options.detect.ignore_zones = Zones::read(zones.iter().copied()).unwrap();
    options
}

fn see(session: &mut Session, name: &str, ms: u64) -> Observation {
    let picture = picture(name);
    let stamp = ImageStamp::at(Duration::from_millis(ms));
    session.process(&frame(&picture), stamp).unwrap()
}

#[test]
fn a_portrait_is_where_its_eyes_say_and_unknown_without_a_camera() {
    let mut session = session(options(None, &[]));
    let unknown = see(&mut session, "astronaut.jpg", 0);
    assert!(unknown.people[0].pose.is_none() && unknown.people[0].facing.is_some());
    assert_eq!(unknown.look_at, None);
    session.set_options(options(Some(50.0), &[]));
    session.reset();
    let seen = see(&mut session, "astronaut.jpg", 0);
    let person = &seen.people[0];
    let [left, right, ..] = person.face.landmarks;
    let focal_px = 256.0 / 25f32.to_radians().tan();
    let by_eyes_m = f64::from(0.063 * focal_px / (right.x - left.x).hypot(right.y - left.y));
    let pose = person.pose.unwrap();
    assert!((pose.distance_m() / by_eyes_m - 1.0).abs() < 0.12, "{pose:?} {by_eyes_m}");
    assert_eq!(seen.look_at, Some(person.id));
    assert_eq!(seen.events.len(), 2, "{:?}", seen.events);
    assert_eq!(seen.events[0].event, Event::Appeared);
    assert_eq!(seen.events[1].event, Event::CameNear);
}

#[test]
fn a_head_turned_farther_than_the_limit_is_not_sure() {
    let mut session = session(options(None, &[]));
    assert!(see(&mut session, "astronaut.jpg", 0).people[0].sure);
    let mut limited = options(None, &[]);
    limited.pose.max_yaw_deg = 0.0;
    session.set_options(limited);
    session.reset();
    assert!(!see(&mut session, "astronaut.jpg", 0).people[0].sure);
}

#[test]
fn nothing_in_a_zone_is_found_and_who_steps_into_one_is_lost() {
    let left = "0,0 0.5,0 0.5,1 0,1";
    let mut session = session(options(None, &[]));
    let all = see(&mut session, "solvay_1927.jpg", 0).people;
    let width = picture("solvay_1927.jpg").width() as f32;
    let in_left = |x: f32| x < width / 2.0;
    let count = all.iter().filter(|p| !in_left(p.face.roi_in_image.center().x)).count();
    assert!(count > 5 && count < all.len());
    session.set_options(options(None, &[left]));
    session.reset();
    let rest = see(&mut session, "solvay_1927.jpg", 0).people;
    assert!(rest.iter().all(|p| !in_left(p.face.roi_in_image.center().x)));
    // At the edge of the zone a face may be cut.
    assert!(rest.len() + 1 >= count, "{} of {count}", rest.len());

    session.set_options(options(None, &[]));
    session.reset();
    let person = see(&mut session, "astronaut.jpg", 0).people[0].id;
    session.set_options(options(None, &["0,0 1,0 1,1 0,1"]));
    let gone = see(&mut session, "astronaut.jpg", 100);
    assert!(gone.people.is_empty() && session.knows(person));
    let later = see(&mut session, "astronaut.jpg", 2000);
    assert_eq!(later.events.iter().map(|e| e.event).collect::<Vec<_>>(), [Event::Lost]);
}

#[test]
fn zones_are_black_in_the_annotated_picture() {
    let zones = Zones::read(["0,0 0.25,0 0.25,1 0,1"]).unwrap();
    let picture = picture("astronaut.jpg");
    let rgb = annotate_outside(&frame(&picture), &[], &zones);
    let (width, height) = picture.dimensions();
    for (i, pixel) in rgb.chunks_exact(3).enumerate() {
        let (x, y) = (i as u32 % width, i as u32 / width);
        let expected = if x < width / 4 { [0; 3] } else { picture.get_pixel(x, y).0 };
        assert_eq!(pixel, expected, "{x} {y} of {width}x{height}");
    }
}

#[test]
fn everybody_left_is_told_once() {
    let mut session = session(options(None, &[]));
    let person = see(&mut session, "astronaut.jpg", 0).people[0].id;
    let lost = session.everybody_left();
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].id, lost[0].event), (person, Event::Lost));
    assert!(session.everybody_left().is_empty());
    let again = see(&mut session, "astronaut.jpg", 100);
    assert_eq!((again.people[0].id, again.events[0].event), (person, Event::Appeared));
}
