//! Options of `rapport serve` that send finished buckets and alerts to others.

use std::path::PathBuf;

use clap::Args;
use rapport_mqtt::MqttOptions;

/// Where finished buckets and alerts go.
#[derive(Debug, Args)]
pub struct FleetArgs {
    /// Send finished buckets of the journal to this MQTT 5 broker: mqtts://HOST or mqtts://HOST:PORT.
    #[arg(long, value_name = "URL", requires = "journal")]
    pub mqtt_url: Option<String>,

    /// This robot's name in the topics; no two may share one. Default: the name of the machine.
    #[arg(long, value_name = "NAME", requires = "mqtt_url")]
    pub mqtt_name: Option<String>,

    /// First level of the topics.
    #[arg(long, value_name = "TOPIC", requires = "mqtt_url", default_value = "rapport")]
    pub mqtt_topic: String,

    /// User at the broker.
    #[arg(long, value_name = "USER", requires = "mqtt_url")]
    pub mqtt_user: Option<String>,

    /// File with the password alone, which only its owner may read (mode 600).
    #[arg(long, value_name = "FILE", requires = "mqtt_user")]
    pub mqtt_password_file: Option<PathBuf>,

    /// Certificates that may sign the broker's (PEM). Default: those of the system.
    #[arg(long, value_name = "FILE", requires = "mqtt_url")]
    pub mqtt_ca: Option<PathBuf>,

    /// Allow mqtt:// to another machine: nothing is encrypted.
    #[arg(long, requires = "mqtt_url")]
    pub mqtt_insecure: bool,

    /// File with the https:// address that alerts are sent to, which only its owner may read
    /// (mode 600).
    #[arg(long, value_name = "FILE")]
    pub alert_webhook_file: Option<PathBuf>,
}

impl FleetArgs {
    /// The broker, if any.
    pub fn mqtt(&self) -> Option<MqttOptions> {
        let usual = MqttOptions::new(self.mqtt_url.as_deref()?);
        Some(MqttOptions {
            name: self.mqtt_name.clone().unwrap_or(usual.name.clone()),
            topic: self.mqtt_topic.clone(),
            user: self.mqtt_user.clone(),
            password_file: self.mqtt_password_file.clone(),
            ca_file: self.mqtt_ca.clone(),
            insecure: self.mqtt_insecure,
            ..usual
        })
    }
}
