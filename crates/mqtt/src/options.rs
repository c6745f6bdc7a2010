//! What a user says about the broker, and what is refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rapport_settings::{SecretFileError, read_secret};

use crate::topic::level;

/// Where buckets go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttOptions {
    /// `mqtts://HOST[:PORT]`, or `mqtt://HOST[:PORT]` without encryption. Port: 8883 or 1883.
    pub url: String,
    /// The robot's name: part of the topics and of the client id, so no two may share one.
    pub name: String,
    /// The first level of all topics.
    pub topic: String,
    /// The user's name at the broker.
    pub user: Option<String>,
    /// A file with the password alone, that only its owner may read. It is read at the start.
    pub password_file: Option<PathBuf>,
    /// Certificates that are trusted (PEM); without it those of the system.
    pub ca_file: Option<PathBuf>,
    /// Allow `mqtt://` to another machine.
    pub insecure: bool,
}

impl MqttOptions {
    /// Of this broker, without a password; the robot is called as its machine.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            name: host_name(),
            topic: "rapport".to_owned(),
            user: None,
            password_file: None,
            ca_file: None,
            insecure: false,
        }
    }
}

/// Why nothing can be sent to a broker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MqttError {
    /// No address of a broker.
    #[error(
        "broker `{found}`, expected mqtts://HOST, mqtts://HOST:PORT, or mqtt:// in their place"
    )]
    Url {
        /// What was given, without what may be a password.
        found: String,
    },
    /// A password in the address would be in the list of processes.
    #[error(
        "the address of the broker holds a user or password; give the user by its own option, and \
         the password in a file"
    )]
    PasswordInUrl,
    /// Others could read along.
    #[error(
        "broker {host}: mqtt:// sends everything unencrypted to another machine, expected mqtts://, \
         or the option that allows it (insecure)"
    )]
    Unencrypted {
        /// The host.
        host: String,
    },
    /// The robot or first level has no name.
    #[error("{what} `{found}`, expected a name without / + # and control characters")]
    Name {
        /// Which of both.
        what: &'static str,
        /// What was given.
        found: String,
    },
    /// A password without a user.
    #[error("a password file is given but no user, expected both or the user alone")]
    NoUser,
    /// A file cannot be read.
    #[error("{}: cannot read {what}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The password cannot be read, or others can read it.
    #[error("password file {0}")]
    Password(#[from] SecretFileError),
    /// No certificate to trust.
    #[error("{from}: found no certificate that can be trusted, expected PEM")]
    NoCertificate {
        /// The file, or the system.
        from: String,
    },
    /// TLS cannot be had.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// The options, checked.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) address: Address,
    pub(crate) name: String,
    pub(crate) topic: String,
    /// User and password.
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Is not shown by `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl MqttOptions {
    pub(crate) fn check(&self) -> Result<Checked, MqttError> {
        let address = Address::of(&self.url)?;
        if !address.tls && !address.is_loopback() && !self.insecure {
            return Err(MqttError::Unencrypted { host: address.host });
        }
        let named = |what, text: &str| match text {
            text if !text.is_empty() && level(text) == text => Ok(text.to_owned()),
            _ => Err(MqttError::Name { what, found: text.to_owned() }),
        };
        let login = match (&self.user, &self.password_file) {
            (None, Some(_)) => return Err(MqttError::NoUser),
            (None, None) => None,
            (Some(user), None) => Some((user.clone(), Secret(String::new()))),
            (Some(user), Some(file)) => Some((user.clone(), password(file)?)),
        };
        Ok(Checked {
            address,
            name: named("name of the robot", &self.name)?,
            topic: named("topic", &self.topic)?,
            login,
            ca_file: self.ca_file.clone(),
        })
    }
}

impl Address {
    fn of(url: &str) -> Result<Self, MqttError> {
        if url.contains('@') {
            return Err(MqttError::PasswordInUrl);
        }
        let wrong = || MqttError::Url { found: url.to_owned() };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (tls, usual_port) = match scheme {
            "mqtts" => (true, 8883),
            "mqtt" => (false, 1883),
            _ => return Err(wrong()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // [::1]:1883, ::1 is no host of an address.
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
                match rest {
                    "" => (host, None),
                    rest => (host, Some(rest.strip_prefix(':').ok_or_else(wrong)?)),
                }
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = match port {
            None => usual_port,
            Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or_else(wrong)?,
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|host: IpAddr| host.is_loopback())
    }
}

/// The first line of a file that only its owner may read.
fn password(path: &Path) -> Result<Secret, MqttError> {
    let text = read_secret(path)?;
    Ok(Secret(text.lines().next().unwrap_or_default().to_owned()))
}

/// As the machine is called, without its domain.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = level(name.trim().split('.').next().unwrap_or_default());
    if name.is_empty() { "robot".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, host, port, tls) in [
            ("mqtt://127.0.0.1", "127.0.0.1", 1883, false),
            ("mqtts://broker.example:1", "broker.example", 1, true),
            ("mqtts://broker.example/", "broker.example", 8883, true),
            ("mqtt://[::1]:1999", "::1", 1999, false),
            ("mqtt://[::1]", "::1", 1883, false),
        ] {
            let expected = Address { host: host.to_owned(), port, tls };
            assert_eq!(Address::of(url).unwrap(), expected);
        }
        for url in [
            "broker",
            "http://broker",
            "mqtt://",
            "mqtt://a:b",
            "mqtt://a:0",
            "mqtt://a/b",
            "mqtt://[::1",
            "mqtt://[::1]x",
            "mqtts://a b",
            "mqtt://a:99999",
        ] {
            let error = Address::of(url).unwrap_err().to_string();
            assert!(error.contains(&format!("`{url}`")), "{error}");
        }
    }

    #[test]
    fn a_password_is_in_no_address_and_no_message() {
        let error = Address::of("mqtts://robot:secret@broker").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        fs::write(&file, "secret\nmore\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let mut options = MqttOptions {
            user: Some("robot".to_owned()),
            password_file: Some(file.clone()),
            ..MqttOptions::new("mqtt://localhost")
        };
        let error = options.check().unwrap_err();
        assert!(error.to_string().contains("mode is 640, expected 600"), "{error}");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let checked = options.check().unwrap();
        assert_eq!(checked.login.as_ref().unwrap().1.0, "secret");
        assert!(!format!("{checked:?}").contains("secret"));
        options.user = None;
        assert!(matches!(options.check(), Err(MqttError::NoUser)));
    }

    #[test]
    fn unencrypted_stays_on_this_machine_unless_it_was_asked() {
        for url in ["mqtt://localhost", "mqtt://127.0.0.9:1", "mqtt://[::1]", "mqtts://broker"] {
            assert!(MqttOptions::new(url).check().is_ok(), "{url}");
        }
        let open = MqttOptions::new("mqtt://broker");
        let error = open.check().unwrap_err();
        assert!(error.to_string().contains("broker broker: mqtt:// sends"), "{error}");
        assert!(MqttOptions { insecure: true, ..open }.check().is_ok());
    }

    #[test]
    fn names_are_levels_of_topics() {
        for name in ["", "a/b", "+", "#", "a\n"] {
            let options =
                MqttOptions { name: name.to_owned(), ..MqttOptions::new("mqtt://localhost") };
            assert!(matches!(options.check(), Err(MqttError::Name { .. })), "{name:?}");
        }
    }
}
