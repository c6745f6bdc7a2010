//! One connection to the broker, from its beginning to its end.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, PubAckReason};
use rumqttc::v5::{self, AsyncClient, Event};
use rumqttc::{TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::options::{Checked, MqttError};
use crate::queue::Message;
use crate::tls;
use crate::topic::{self, Presence};

/// For how long an unanswered message waits: then the connection is dead.
const ANSWER: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What a connection is made of.
pub(crate) struct Means {
    options: v5::MqttOptions,
    status_topic: String,
}

impl Means {
    pub(crate) fn of(checked: &Checked) -> Result<Self, MqttError> {
        let Checked { address, name, topic, login, ca_file } = checked;
        let id = format!("rapport-{name}");
        let mut options = v5::MqttOptions::new(id, &address.host, address.port);
        if address.tls {
            let config = TlsConfiguration::Rustls(tls::client(ca_file.as_deref())?);
            options.set_transport(Transport::tls_with_config(config));
        }
        if let Some((user, password)) = login {
            options.set_credentials(user, &password.0);
        }
        let status_topic = topic::status(topic, name);
        let offline = Presence::json(false);
        options
            .set_last_will(LastWill::new(&status_topic, offline, QoS::AtLeastOnce, true, None))
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_start(true);
        Ok(Self { options, status_topic })
    }
}

/// An open connection. Closes without a word where it is dropped: then the broker publishes the
/// last will.
pub(crate) struct Session {
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, String>>,
    /// Reads and writes; it ends with the connection.
    driver: JoinHandle<()>,
    status_topic: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects, and says that the robot is online.
    pub(crate) async fn open(means: &Means) -> Result<Self, String> {
        let (client, mut connection) = AsyncClient::new(means.options.clone(), 16);
        let (sender, events) = mpsc::channel(16);
        // Polled by nobody else: a poll that is given up half way could lose something.
        let driver = tokio::spawn(async move {
            loop {
                let event = connection.poll().await.map_err(|error| sentence(&error));
                let is_end = event.is_err();
                if sender.send(event).await.is_err() || is_end {
                    return;
                }
            }
        });
        let status_topic = means.status_topic.clone();
        let mut session = Self { client, events, driver, status_topic };
        session.wait_for(|packet| matches!(packet, Packet::ConnAck(_)).then_some(Ok(()))).await?;
        session.say_online(true).await?;
        Ok(session)
    }

    /// Sends a message and waits until the broker has it.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), String> {
        let Message { topic, payload } = message;
        self.client
            .publish_bytes(&topic, QoS::AtLeastOnce, false, payload)
            .await
            .map_err(|_| "the connection ended".to_owned())?;
        self.acknowledged(&topic).await
    }

    /// Waits until the connection ends: the reason.
    pub(crate) async fn ended(&mut self) -> String {
        loop {
            match self.events.recv().await {
                Some(Ok(Event::Incoming(Packet::Disconnect(why)))) => {
                    return format!("the broker ended the connection: {:?}", why.reason_code);
                }
                Some(Ok(_)) => {}
                Some(Err(reason)) => return reason,
                None => return "the connection ended".to_owned(),
            }
        }
    }

    /// Says that the robot is offline, and closes the connection.
    pub(crate) async fn close(mut self) -> Result<(), String> {
        self.say_online(false).await?;
        self.client.disconnect().await.map_err(|_| "the connection ended".to_owned())?;
        tokio::time::timeout(ANSWER, self.ended()).await.ok();
        Ok(())
    }

    async fn say_online(&mut self, online: bool) -> Result<(), String> {
        let topic = self.status_topic.clone();
        self.client
            .publish(&topic, QoS::AtLeastOnce, true, Presence::json(online))
            .await
            .map_err(|_| "the connection ended".to_owned())?;
        self.acknowledged(&topic).await
    }

    async fn acknowledged(&mut self, topic: &str) -> Result<(), String> {
        self.wait_for(|packet| {
            let Packet::PubAck(answer) = packet else { return None };
            Some(match answer.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
                reason => Err(format!("the broker refused a message on {topic}: {reason:?}")),
            })
        })
        .await
    }

    async fn wait_for(
        &mut self,
        answer: impl Fn(&Packet) -> Option<Result<(), String>>,
    ) -> Result<(), String> {
        let wait = async {
            loop {
                match self.events.recv().await {
                    Some(Ok(Event::Incoming(packet))) => {
                        if let Some(answer) = answer(&packet) {
                            return answer;
                        }
                        if let Packet::Disconnect(why) = packet {
                            let reason = why.reason_code;
                            return Err(format!("the broker ended the connection: {reason:?}"));
                        }
                    }
                    Some(Ok(Event::Outgoing(_))) => {}
                    Some(Err(reason)) => return Err(reason),
                    None => return Err("the connection ended".to_owned()),
                }
            }
        };
        let late = |_| Err(format!("no answer of the broker for {} s", ANSWER.as_secs()));
        tokio::time::timeout(ANSWER, wait).await.unwrap_or_else(late)
    }
}

/// What went wrong, with its causes.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
