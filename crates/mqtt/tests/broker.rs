//! With a real mosquitto: what arrives, who is online, TLS and passwords, brokers that come and go.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::{Broker, Message, PATIENCE, Subscriber, bucket, free_port, until};
use rapport_mqtt::{MOST_WAITING, MqttOptions, Presence, Publisher};
use tokio::runtime::Runtime;

fn robot(url: &str) -> MqttOptions {
    MqttOptions { name: "robot".to_owned(), ..MqttOptions::new(url) }
}

fn is_online(message: &Message) -> bool {
    assert_eq!(message.topic, "rapport/robot/status");
    serde_json::from_str::<Presence>(&message.payload).unwrap().online
}

/// The status that the broker has kept.
fn kept_status(broker: &Broker) -> bool {
    let message = Subscriber::of(broker, &[]).next();
    assert!(message.retained, "{message:?}");
    is_online(&message)
}

#[test]
fn buckets_arrive_and_the_last_will_tells_that_a_robot_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::open(directory.path()) else { return };
    let runtime = Runtime::new().unwrap();
    let subscriber = Subscriber::of(&broker, &[]);
    let publisher = Publisher::start(&robot(&broker.url()), runtime.handle()).unwrap();
    let first = subscriber.next();
    assert!(is_online(&first));
    publisher.publish(&bucket("/left", 7));
    let message = subscriber.next();
    assert_eq!((message.retained, &message.topic[..]), (false, "rapport/robot/left/health"));
    let json: serde_json::Value = serde_json::from_str(&message.payload).unwrap();
    assert_eq!(json, serde_json::to_value(bucket("/left", 7)).unwrap());
    assert_eq!((&json["bucket"], &json["images"]), (&"health".into(), &7.into()));
    until("the bucket is acknowledged", || publisher.status().sent == 1);
    let status = publisher.status();
    assert!(status.connected && status.waiting == 0 && status.error.is_none(), "{status:?}");
    assert!(kept_status(&broker));
    // Its machine dies: nobody closes the connection in good order.
    drop(publisher);
    runtime.shutdown_background();
    assert!(!is_online(&subscriber.next()));
    assert!(!kept_status(&broker));
}

#[test]
fn who_ends_in_good_order_sends_what_waits_and_is_offline() {
    let directory = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::open(directory.path()) else { return };
    let runtime = Runtime::new().unwrap();
    let subscriber = Subscriber::of(&broker, &[]);
    let publisher = Publisher::start(&robot(&broker.url()), runtime.handle()).unwrap();
    assert!(is_online(&subscriber.next()));
    (0..100).for_each(|number| publisher.publish(&bucket("lobby", number)));
    runtime.block_on(publisher.stop(PATIENCE));
    for number in 0..100 {
        let message = subscriber.next();
        let json: serde_json::Value = serde_json::from_str(&message.payload).unwrap();
        assert_eq!(json["images"], number);
    }
    assert!(!is_online(&subscriber.next()));
    assert!(!publisher.status().connected);
}

#[test]
fn what_is_finished_waits_for_a_broker_that_is_away() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::open(directory.path()) else { return };
    let url = broker.url();
    broker.kill();
    let runtime = Runtime::new().unwrap();
    let publisher = Publisher::start(&robot(&url), runtime.handle()).unwrap();
    (0..3).for_each(|number| publisher.publish(&bucket("lobby", number)));
    until("the first attempt fails", || publisher.status().error.is_some());
    let status = publisher.status();
    assert!(!status.connected && (status.waiting, status.sent) == (3, 0), "{status:?}");
    assert!(status.error.as_ref().unwrap().contains("refused"), "{status:?}");
    broker.go_on();
    until("all are acknowledged", || publisher.status().sent == 3);
    // It goes away while nothing is sent, and comes back.
    broker.kill();
    until("the end of the connection is noticed", || !publisher.status().connected);
    publisher.publish(&bucket("lobby", 3));
    broker.go_on();
    let subscriber = Subscriber::of(&broker, &[]);
    let mut numbers = Vec::new();
    while numbers.is_empty() {
        let message = subscriber.next();
        if message.topic.ends_with("health") {
            let json: serde_json::Value = serde_json::from_str(&message.payload).unwrap();
            numbers.push(json["images"].as_u64());
        } else {
            assert!(is_online(&message));
            if publisher.status().sent == 4 {
                // It was sent before this subscriber came.
                break;
            }
        }
    }
    assert!(numbers.is_empty() || numbers == [Some(3)], "{numbers:?}");
    until("the last is acknowledged", || publisher.status().sent == 4);
    assert!(kept_status(&broker));
}

#[test]
fn no_more_waits_than_is_allowed() {
    let runtime = Runtime::new().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let publisher = Publisher::start(&robot(&url), runtime.handle()).unwrap();
    (0..MOST_WAITING as u64 + 5).for_each(|number| publisher.publish(&bucket("lobby", number)));
    let status = publisher.status();
    assert_eq!((status.waiting, status.dropped), (MOST_WAITING, 5));
    // Nobody is there to send it to, so the end does not wait.
    runtime.block_on(publisher.stop(PATIENCE));
}

/// A certificate authority and a certificate of `localhost` that it signed.
fn certificates(directory: &Path) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    fs::write(directory.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    fs::write(directory.join("broker.pem"), certificate.pem()).unwrap();
    fs::write(directory.join("broker.key"), key.serialize_pem()).unwrap();
}

#[test]
fn encrypted_and_with_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    certificates(directory.path());
    let listener = format!(
        "allow_anonymous false\npassword_file {}\ncafile {}\ncertfile {}\nkeyfile {}",
        at("users").display(),
        at("ca.pem").display(),
        at("broker.pem").display(),
        at("broker.key").display(),
    );
    if common::mosquitto().is_none() {
        return;
    }
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(at("users"))
        .args(["robot", "right"])
        .status();
    assert!(made.unwrap().success());
    let Some(broker) = Broker::start(directory.path(), &listener) else { return };
    let password = |text: &str| {
        let file = at(text);
        fs::write(&file, format!("{text}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Some(file)
    };
    let options = MqttOptions {
        user: Some("robot".to_owned()),
        password_file: password("right"),
        ca_file: Some(at("ca.pem")),
        ..robot(&format!("mqtts://localhost:{}", broker.port))
    };
    let runtime = Runtime::new().unwrap();
    let start = |options: &MqttOptions| Publisher::start(options, runtime.handle()).unwrap();
    let publisher = start(&options);
    until("it is connected", || publisher.status().connected);
    let ca = at("ca.pem");
    let subscriber =
        Subscriber::of(&broker, &["-u", "robot", "-P", "right", "--cafile", ca.to_str().unwrap()]);
    assert!(is_online(&subscriber.next()));
    publisher.publish(&bucket("lobby", 9));
    assert_eq!(subscriber.next().topic, "rapport/robot/lobby/health");
    drop(publisher);

    // Each mistake is named, and nothing is sent.
    fs::write(at("other.pem"), {
        let other = tempfile::tempdir().unwrap();
        certificates(other.path());
        fs::read(other.path().join("ca.pem")).unwrap()
    })
    .unwrap();
    for (wrong, says) in [
        (MqttOptions { password_file: password("wrong"), ..options.clone() }, "NotAuthorized"),
        (MqttOptions { user: None, password_file: None, ..options.clone() }, "NotAuthorized"),
        (MqttOptions { ca_file: Some(at("other.pem")), ..options.clone() }, "certificate"),
        (
            MqttOptions { url: format!("mqtts://127.0.0.1:{}", broker.port), ..options.clone() },
            "certificate",
        ),
        (MqttOptions { url: broker.url(), ..options.clone() }, ""),
    ] {
        let publisher = start(&wrong);
        publisher.publish(&bucket("lobby", 1));
        until("it fails", || publisher.status().error.is_some());
        let status = publisher.status();
        assert!(status.error.as_ref().unwrap().contains(says), "{says}: {status:?}");
        assert_eq!((status.sent, status.waiting), (0, 1));
    }
}

/// Where the broker allows the robot no more than its own topics, and one bucket's is another.
#[test]
fn a_bucket_that_the_broker_refuses_waits() {
    let directory = tempfile::tempdir().unwrap();
    let access = directory.path().join("access");
    fs::write(&access, "topic write rapport/robot/status\n").unwrap();
    let listener = format!("allow_anonymous true\nacl_file {}", access.display());
    let Some(broker) = Broker::start(directory.path(), &listener) else { return };
    let runtime = Runtime::new().unwrap();
    let publisher = Publisher::start(&robot(&broker.url()), runtime.handle()).unwrap();
    publisher.publish(&bucket("lobby", 1));
    until("it is refused", || publisher.status().error.is_some());
    let error = publisher.status().error.unwrap();
    assert!(error.contains("refused a message on rapport/robot/lobby/health"), "{error}");
    assert_eq!((publisher.status().sent, publisher.status().waiting), (0, 1));
}
