//! Ten thousand random journals through a real broker: nothing that rests on fewer than ten visits
//! arrives, no id, and no time finer than a bucket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{Broker, PATIENCE, Subscriber, until};
use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, PersonSeen, Rating, Recorder,
};
use rapport_mqtt::{MqttOptions, Publisher};
use rapport_vocabulary::{Emotion, Engagement};
use serde_json::Value;
use tokio::runtime::Runtime;

const JOURNALS: u64 = 10_000;
/// Monday 2 November 2026, 00:00 UTC.
const MONDAY: Duration = Duration::from_secs(1_793_577_600);

#[test]
fn ten_thousand_random_journals_send_nothing_under_ten_visits() {
    let directory = tempfile::tempdir().unwrap();
    // Everything waits for a subscriber that is slower than the robot.
    let listener = "allow_anonymous true\nmax_queued_messages 0";
    let Some(broker) = Broker::start(directory.path(), listener) else { return };
    let runtime = Runtime::new().unwrap();
    let subscriber = Subscriber::of(&broker, &[]);
    let options = MqttOptions { name: "robot".to_owned(), ..MqttOptions::new(&broker.url()) };
    let publisher = Publisher::start(&options, runtime.handle()).unwrap();
    assert_eq!(subscriber.next().topic, "rapport/robot/status");

    let mut arrived = BTreeMap::<String, u64>::new();
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = 0;
            for seed in 0..JOURNALS {
                sent += random_journal(seed, &publisher);
                // No more than may wait.
                if seed % 500 == 499 {
                    until("all are acknowledged", || publisher.status().sent == sent);
                }
            }
            assert_eq!(publisher.status().dropped, 0);
            sent
        });
        let (mut received, mut heard) = (0, Instant::now());
        while !(sender.is_finished() && publisher.status().sent == received) {
            // The last one may be here before the sender hears that it was.
            let Some(message) = subscriber.within(Duration::from_millis(100)) else {
                assert!(heard.elapsed() < PATIENCE, "{received} came");
                continue;
            };
            heard = Instant::now();
            let kind = message.topic.rsplit('/').next().unwrap().to_owned();
            let json: Value = serde_json::from_str(&message.payload).unwrap();
            assert_eq!(json["bucket"], kind);
            check(&message.payload, &json);
            *arrived.entry(kind).or_default() += 1;
            received += 1;
        }
        assert_eq!(sender.join().unwrap(), received);
    });
    println!("{JOURNALS} journals, arrived: {arrived:?}");
    for kind in ["visits", "answers", "ratings", "health"] {
        assert!(arrived.get(kind).is_some_and(|&count| count > 1000), "{kind}: {arrived:?}");
    }
}

/// Visits, ratings and counts at random; gives how many buckets came of them.
fn random_journal(seed: u64, publisher: &Publisher) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut recorder = Recorder::new(15).unwrap();
    let (mut now, mut sent) = (MONDAY + Duration::from_secs(random.u64(..86_400)), 0);
    for _ in 0..random.usize(1..8) {
        let place = ["lobby", "/exit"][random.usize(..2)];
        for visitor in 0..random.u32(1..16) {
            let id = format!("secret_{visitor}");
            let rule = ["greet", "comfort"][random.usize(..2)];
            for second in 0..6 {
                let time = now + Duration::from_secs(second);
                let expression = ExpressionSeen {
                    label: Emotion::ALL[random.usize(..8)],
                    sure: random.bool(),
                    confidence: random.f32(),
                    valence: random.f32(),
                };
                let person = PersonSeen {
                    id: &id,
                    expression: (visitor % 3 > 0).then_some(expression),
                    engagement: (visitor % 2 > 0).then_some(Engagement::Engaged),
                    face_size_px: 90.0,
                    brightness: None,
                    blur: None,
                };
                recorder.see(&ImageSeen { place, time, people: &[person] });
                if second == 3 && visitor % 4 > 0 {
                    recorder.answer(&AnswerGiven { place, time, rule, people: &[&id] });
                }
            }
            now += Duration::from_secs(random.u64(6..60));
            if random.bool() {
                recorder.rate(place, now, Rating::new(random.u8(1..=5)).unwrap());
            }
        }
        recorder.health(place, now, HealthCounts { images: 9, ..Default::default() });
        now += Duration::from_secs(random.u64(..4 * 3600));
        recorder.advance(now);
    }
    recorder.close();
    for bucket in recorder.finished().buckets() {
        publisher.publish(&bucket);
        sent += 1;
    }
    sent
}

/// Every number that says on how many something rests, every time, and every text.
fn check(message: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| check(message, item)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(count) = value.as_u64()
                    && (name == "n" || name == "visits")
                {
                    assert!(count >= 10, "{name} is {count} in {message}");
                }
                if name == "from_secs" || name == "to_secs" {
                    assert_eq!(value.as_i64().unwrap() % 900, 0, "{message}");
                }
                assert!(!value.to_string().contains("secret"), "{message}");
                check(message, value);
            }
        }
        _ => {}
    }
}
