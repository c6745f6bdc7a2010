//! What is on the disk, whatever people and reviewers do: no face that can be read, and nothing of
//! who withdrew.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{Place, day, files, holds, picture, pixels, reading};
use proptest::prelude::*;
use rapport_feedback::{Answer, Code, Drawn, FeedbackError, ItemId, Ticket};
use rapport_vocabulary::Emotion;

/// What can happen; the numbers choose among the consents and items that there are.
#[derive(Debug, Clone)]
enum Event {
    Consent { keep_days: u32 },
    Keep { consent: usize },
    Answer { answer: Answer },
    Withdraw { consent: usize },
    NextDay { days: u32 },
    Empty,
    Crash { consent: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let answer = prop_oneof![
        Just(Answer::NotAFace),
        Just(Answer::CantTell),
        Just(Answer::Shows(Emotion::Happy)),
        Just(Answer::Shows(Emotion::Sad)),
    ];
    prop_oneof![
        3 => (1u32..4).prop_map(|keep_days| Event::Consent { keep_days }),
        8 => any::<usize>().prop_map(|consent| Event::Keep { consent }),
        4 => answer.prop_map(|answer| Event::Answer { answer }),
        2 => any::<usize>().prop_map(|consent| Event::Withdraw { consent }),
        2 => (1u32..3).prop_map(|days| Event::NextDay { days }),
        1 => any::<usize>().prop_map(|consent| Event::Crash { consent }),
        1 => Just(Event::Empty),
    ]
}

/// A consent as the person knows it.
struct Person {
    code: Code,
    ticket: Ticket,
    last_day: u32,
    /// Whether it still lasts.
    lasts: bool,
    /// Its faces: the item, the seed of the picture, and the encrypted file.
    faces: Vec<(ItemId, u64, Vec<u8>)>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_face_can_be_read_and_who_withdrew_is_gone(events in prop::collection::vec(event(), 1..30)) {
        let place = Place::new();
        let secret = fs::read_to_string(place.key.path()).unwrap();
        let (mut people, mut today, mut seed) = (Vec::<Person>::new(), 0, 0);
        for event in events {
            match event {
                Event::Consent { keep_days } => {
                    let consent = place.store.consent("lobby", keep_days, day(today)).unwrap();
                    people.push(Person {
                        code: consent.code,
                        ticket: consent.ticket,
                        last_day: today + keep_days,
                        lasts: true,
                        faces: Vec::new(),
                    });
                }
                Event::Keep { consent } if !people.is_empty() => {
                    let index = consent % people.len();
                    let person = &mut people[index];
                    seed += 1;
                    let (reading, drawn) = (reading(0.8), Drawn::Random);
                    let kept = place.store.keep(
                        &place.key, &person.ticket, reading, drawn, &picture(seed), day(today),
                    );
                    let lasts = person.lasts && today <= person.last_day;
                    prop_assert_eq!(kept.is_ok(), lasts, "{:?}", kept);
                    if let Ok(id) = kept {
                        let path = place.folder().join(format!("faces/{id}.age"));
                        person.faces.push((id, seed, fs::read(path).unwrap()));
                    }
                }
                Event::Answer { answer } => {
                    if let Some((id, _)) = place.store.next().unwrap().item {
                        prop_assert!(place.store.answer(&id, answer).unwrap());
                    }
                }
                Event::Withdraw { consent } if !people.is_empty() => {
                    let index = consent % people.len();
                    let person = &mut people[index];
                    let gone = place.store.withdraw(&person.code).unwrap();
                    prop_assert_eq!(gone.is_some(), person.lasts);
                    if let Some(gone) = gone {
                        prop_assert_eq!(gone.faces, person.faces.len() as u64);
                        person.lasts = false;
                    }
                    prop_assert_eq!(place.store.withdraw(&person.code).unwrap(), None);
                }
                Event::NextDay { days } => {
                    today += days;
                    place.store.expire(day(today)).unwrap();
                    people.iter_mut().for_each(|p| p.lasts &= today <= p.last_day);
                }
                // The program ended between a face and its numbers, or in the middle of a file.
                Event::Crash { consent } if !people.is_empty() => {
                    let all = people.iter().flat_map(|person| &person.faces);
                    if let Some((id, ..)) = all.cycle().nth(consent % 50) {
                        let item = place.folder().join(format!("items/{id}.json"));
                        if item.exists() {
                            fs::write(&item, b"{\"place\": \"lob").unwrap();
                        }
                        let half = place.folder().join("faces/.unfinished-1");
                        fs::write(half, b"half a file").unwrap();
                    }
                    place.store.expire(day(today)).unwrap();
                    let is_there = |id: &ItemId| place.folder().join(format!("faces/{id}.age")).exists();
                    people.iter_mut().for_each(|p| p.faces.retain(|(id, ..)| is_there(id)));
                    prop_assert!(!place.folder().join("faces/.unfinished-1").exists());
                }
                Event::Empty => {
                    place.store.empty().unwrap();
                    people.iter_mut().for_each(|person| person.lasts = false);
                }
                _ => {}
            }
            check(&place, &people, &secret)?;
        }
    }
}

fn check(place: &Place, people: &[Person], secret: &str) -> Result<(), TestCaseError> {
    let files = files(place.folder());
    let mut faces = 0;
    for (path, content) in &files {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        prop_assert_eq!(mode, 0o600, "{}", path.display());
        prop_assert!(!holds(content, secret.trim().as_bytes()), "the key is in {}", path.display());
        prop_assert!(!holds(content, b"\x89PNG") && !holds(content, b"IDAT"), "{}", path.display());
        for person in people {
            let code = person.code.to_string();
            prop_assert!(!holds(content, code.as_bytes()), "a code is in {}", path.display());
            prop_assert!(!holds(content, code.replace('-', "").as_bytes()));
            for (_, seed, encrypted) in &person.faces {
                // Any twelve bytes of a face, as pixels or as PNG.
                let (pixels, picture) = (pixels(*seed), picture(*seed));
                for part in [&pixels[600..612], &picture.png()[600..612]] {
                    prop_assert!(!holds(content, part), "a face is in {}", path.display());
                }
                if !person.lasts {
                    let part = &encrypted[encrypted.len() - 64..];
                    prop_assert!(
                        !holds(content, part),
                        "a face that is gone is in {}",
                        path.display()
                    );
                }
            }
        }
        faces += usize::from(path.extension().is_some_and(|ending| ending == "age"));
    }
    let lasting = people.iter().filter(|person| person.lasts);
    prop_assert_eq!(faces, lasting.map(|person| person.faces.len()).sum::<usize>());
    // Every face that lasts opens, and is the one that was kept.
    for person in people.iter().filter(|person| person.lasts) {
        for (id, seed, _) in &person.faces {
            let face = place.store.face(&place.key, id).unwrap();
            prop_assert!(face.as_deref() == Some(picture(*seed).png()), "another face in {}", id);
        }
    }
    Ok(())
}

#[test]
fn answers_outlive_the_faces_as_numbers_of_nobody_and_are_withdrawn_before() {
    let place = Place::new();
    let keep = |ticket: &Ticket, seed| {
        let (reading, picture) = (reading(0.9), picture(seed));
        place.store.keep(&place.key, ticket, reading, Drawn::Random, &picture, day(0)).unwrap()
    };
    let (stays, leaves) = (
        place.store.consent("lobby", 2, day(0)).unwrap(),
        place.store.consent("lobby", 2, day(0)).unwrap(),
    );
    let ids = [keep(&stays.ticket, 1), keep(&stays.ticket, 2), keep(&leaves.ticket, 3)];
    assert_eq!(place.store.kept(&stays.ticket).unwrap(), 2);
    assert!(place.store.answer(&ids[0], Answer::Shows(Emotion::Sad)).unwrap());
    assert!(place.store.answer(&ids[0], Answer::Shows(Emotion::Happy)).unwrap());
    assert!(place.store.answer(&ids[2], Answer::Shows(Emotion::Happy)).unwrap());
    for (path, _) in files(&place.folder().join("items")) {
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        let secs = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(secs % (24 * 60 * 60), 0, "no time finer than the day");
    }
    let gone = place.store.withdraw(&leaves.code).unwrap().unwrap();
    assert_eq!((gone.faces, gone.answered, gone.waiting), (1, 1, 0));
    // The last day is one of those on which they are kept.
    assert_eq!(place.store.expire(day(2)).unwrap(), 0);
    assert_eq!(place.store.expire(day(3)).unwrap(), 2);
    let summary = place.store.summary().unwrap();
    assert_eq!(summary.answers, BTreeMap::from([("happy".to_owned(), 1)]));
    assert_eq!((summary.counts.faces, summary.counts.consents), (0, 0));
    assert_eq!((summary.counts.answered, summary.counts.waiting), (1, 0));
    let text = fs::read_to_string(place.folder().join(format!("items/{}.json", ids[0]))).unwrap();
    assert!(text.contains("\"consent\":null"), "{text}");
    assert!(!place.store.answer(&ids[1], Answer::CantTell).unwrap());
}

#[test]
fn a_folder_of_something_else_or_for_another_key_is_left_as_it_is() {
    let place = Place::new();
    let other = place.root.path().join("other/key");
    let other = rapport_feedback::Key::read_or_make(&other, place.folder()).unwrap();
    let consent = place.store.consent("lobby", 1, day(0)).unwrap();
    let reopen = |key| rapport_feedback::FeedbackStore::open_or_make(place.folder(), key);
    // Without a face it may be changed.
    reopen(&other).unwrap();
    reopen(&place.key).unwrap();
    let (reading, picture) = (reading(0.9), picture(1));
    let keep =
        place.store.keep(&place.key, &consent.ticket, reading, Drawn::Random, &picture, day(0));
    let id = keep.unwrap();
    let error = reopen(&other).unwrap_err();
    assert!(error.to_string().contains("encrypted for another key"), "{error}");
    assert!(matches!(place.store.face(&other, &id), Err(FeedbackError::Decrypt { .. })));
    let strange = place.root.path().join("strange");
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("holiday.jpg"), b"x").unwrap();
    let error = rapport_feedback::FeedbackStore::open_or_make(&strange, &place.key).unwrap_err();
    assert!(error.to_string().contains("found holiday.jpg"), "{error}");
    let error = rapport_feedback::FeedbackStore::open(&strange).unwrap_err();
    assert!(error.to_string().contains("found holiday.jpg"), "{error}");
    fs::write(place.folder().join("feedback.json"), r#"{"version": 2, "recipient": "x"}"#).unwrap();
    let error = rapport_feedback::FeedbackStore::open(place.folder()).unwrap_err();
    assert!(error.to_string().contains("version 2, expected 1"), "{error}");
}

#[test]
fn many_threads_share_a_folder() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, key) = (place.store.clone(), place.key.clone());
            scope.spawn(move || {
                let consent = store.consent("lobby", 1, day(0)).unwrap();
                for number in 0..5 {
                    let (reading, picture) = (reading(0.9), picture(thread * 10 + number));
                    store
                        .keep(&key, &consent.ticket, reading, Drawn::Uncertain, &picture, day(0))
                        .unwrap();
                }
                if thread % 2 == 0 {
                    assert_eq!(store.withdraw(&consent.code).unwrap().unwrap().faces, 5);
                }
            });
        }
    });
    let counts = place.store.summary().unwrap().counts;
    assert_eq!((counts.consents, counts.faces, counts.waiting), (2, 10, 10));
}
