//! The parameters of dashboard_node, and what they stand for.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use rapport_journal::WriterOptions;
use rapport_mqtt::MqttOptions;
use rapport_perception::{ModelFiles, RuntimeOptions};
use rapport_web::journal::place_name;
use rapport_web::picture::Privacy;
use rapport_web::setup::Setup;
use rapport_web::{JournalOptions, Limits, NetworkSets, Notice};

use crate::ros::parameters::{Change, Kind, Spec, Values, parameter};

/// The table of parameters. None changes while the node runs.
pub fn specs() -> Vec<Spec> {
    let fixed = |name, kind, description| parameter(name, kind, Change::Never, description);
    let text = |name, description| fixed(name, Kind::Text(""), description);
    let flag = |name, description| fixed(name, Kind::Flag(false), description);
    vec![
        text(
            "listen",
            "Address and port of the pages; empty: 127.0.0.1:8080, or the next port that is free",
        ),
        fixed(
            "robots",
            Kind::Texts,
            "Namespaces of the robots to show; none: all that are found on the graph",
        ),
        flag("insecure", "Let everybody who reaches `listen` in, without token and encryption"),
        flag("tokens", "Ask for a token also on this machine"),
        flag("tls", "Encrypt also on this machine"),
        text("tls_cert", "Certificate chain (PEM); empty: an own one, made the first time"),
        text("tls_key", "Private key of `tls_cert` (PEM)"),
        fixed("hosts", Kind::Texts, "More names by which browsers ask for this machine"),
        text(
            "state_dir",
            "Folder of tokens, own certificate and pauses; empty: $XDG_STATE_HOME/rapport",
        ),
        flag("blur_faces", "Blur the faces in the pictures of the robots' cameras"),
        flag("numbers_only", "Send no picture at all"),
        text("notice", "JSON file with what the sign for guests says"),
        text("journal", "File of the journal (SQLite): statistics of visits; empty: none is kept"),
        text(
            "journal_place",
            "The place of all robots in the journal; empty: each robot's namespace",
        ),
        fixed(
            "journal_bucket_minutes",
            Kind::Integer(WriterOptions::default().bucket_minutes.into(), 15..=1440),
            "Length of a bucket of the journal: 15, or a multiple of it that divides the day",
        ),
        fixed(
            "journal_retention_days",
            Kind::Integer(WriterOptions::default().retention_days.into(), 1..=3660),
            "Days after which a bucket of the journal is forgotten",
        ),
        text(
            "mqtt_url",
            "MQTT 5 broker for finished buckets of the journal, mqtts://HOST:PORT; empty: none",
        ),
        text("mqtt_name", "Name in the topics; no two may share one; empty: that of the machine"),
        fixed("mqtt_topic", Kind::Text("rapport"), "First level of the topics"),
        text("mqtt_user", "User at the broker; empty: none"),
        text("mqtt_password_file", "File with the password alone, mode 600; empty: none"),
        text("mqtt_ca", "Certificates that may sign the broker's (PEM); empty: the system's"),
        flag("mqtt_insecure", "Allow mqtt:// to another machine: nothing is encrypted"),
        text(
            "alert_webhook_file",
            "File with the https:// address that alerts are sent to, mode 600; empty: none",
        ),
        fixed(
            "live_sessions",
            Kind::Integer(Limits::default().live_sessions as i64, 1..=1000),
            "Most browsers at a time that send pictures of their own camera",
        ),
        fixed(
            "processors",
            Kind::Integer(1, 1..=64),
            "Pictures of browsers that are processed at a time",
        ),
        text("emotion_model", "Emotion network (ONNX); empty: models/emotion.onnx of the package"),
        text(
            "calibration",
            "Calibration of the emotion network for browsers' pictures, as `rapport adapt` writes it; \
             empty: none",
        ),
        text("onnxruntime_library", "ONNX Runtime's libonnxruntime.so; empty: found by itself"),
    ]
}

fn path(values: &Values, name: &str) -> Option<PathBuf> {
    Some(values.text(name)).filter(|text| !text.is_empty()).map(PathBuf::from)
}

/// What the server is asked.
///
/// # Errors
/// If `listen` is no address, one of certificate and key is missing, `notice` is unusable, or
/// `journal_place` is no name.
pub fn setup(values: &Values) -> anyhow::Result<Setup> {
    let certificate = match (path(values, "tls_cert"), path(values, "tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => bail!("parameters tls_cert and tls_key: one is given, expected both or none"),
    };
    Ok(Setup {
        listen: address(values.text("listen"))?,
        insecure: values.flag("insecure"),
        tokens: values.flag("tokens"),
        tls: values.flag("tls"),
        certificate,
        hosts: values.texts("hosts").to_vec(),
        state_folder: path(values, "state_dir"),
        privacy: Privacy {
            blur_faces: values.flag("blur_faces"),
            numbers_only: values.flag("numbers_only"),
        },
        limits: Limits {
            live_sessions: values.number("live_sessions") as usize,
            ..Limits::default()
        },
        notice: path(values, "notice").map(read_notice).transpose()?.unwrap_or_default(),
        journal: journal(values)?,
        mqtt: mqtt(values),
        alert_webhook: path(values, "alert_webhook_file"),
        ..Setup::default()
    })
}

/// The journal that is to be kept, if any.
///
/// # Errors
/// If its place has no name.
fn journal(values: &Values) -> anyhow::Result<Option<JournalOptions>> {
    let Some(file) = path(values, "journal") else { return Ok(None) };
    let place = match values.text("journal_place") {
        "" => None,
        name => {
            Some(place_name(name).map_err(|wrong| anyhow!("parameter journal_place: {wrong}"))?)
        }
    };
    Ok(Some(JournalOptions {
        file,
        place,
        bucket_minutes: values.number("journal_bucket_minutes") as u32,
        retention_days: values.number("journal_retention_days") as u32,
    }))
}

/// The broker for finished buckets, if any.
fn mqtt(values: &Values) -> Option<MqttOptions> {
    let text = |name| Some(values.text(name).trim()).filter(|text| !text.is_empty());
    let usual = MqttOptions::new(text("mqtt_url")?);
    Some(MqttOptions {
        name: text("mqtt_name").map_or(usual.name.clone(), str::to_owned),
        topic: values.text("mqtt_topic").to_owned(),
        user: text("mqtt_user").map(str::to_owned),
        password_file: path(values, "mqtt_password_file"),
        ca_file: path(values, "mqtt_ca"),
        insecure: values.flag("mqtt_insecure"),
        ..usual
    })
}

fn address(text: &str) -> anyhow::Result<Option<SocketAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(_) => bail!("parameter listen is `{text}`, expected ADDRESS:PORT as 127.0.0.1:8080"),
    }
}

fn read_notice(file: PathBuf) -> anyhow::Result<Notice> {
    let read = || anyhow::Ok(serde_json::from_str(&std::fs::read_to_string(&file)?)?);
    read().with_context(|| format!("parameter notice: {}", file.display()))
}

/// The namespaces of the robots that are named; none where they are to be found.
///
/// # Errors
/// If one is no namespace.
pub fn robots(values: &Values) -> anyhow::Result<Vec<String>> {
    let mut robots: Vec<String> =
        values.texts("robots").iter().map(|name| namespace(name)).collect::<Result<_, _>>()?;
    robots.sort();
    robots.dedup();
    Ok(robots)
}

fn namespace(given: &str) -> anyhow::Result<String> {
    let name = format!("/{}", given.trim_matches('/'));
    let is_part = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
    };
    if name != "/" && !name.split('/').skip(1).all(is_part) || given.is_empty() {
        bail!("parameter robots has `{given}`, expected a namespace as /left, or / for none");
    }
    Ok(name)
}

/// Networks for the pictures of browsers, and to find the faces to blur.
///
/// # Errors
/// If ONNX Runtime or a model is missing or wrong.
pub fn networks(values: &Values) -> anyhow::Result<NetworkSets> {
    let files = ModelFiles {
        emotion: path(values, "emotion_model").unwrap_or_default(),
        calibration: path(values, "calibration").unwrap_or_default(),
        place: values.text("journal_place").to_owned(),
        ..Default::default()
    };
    let runtime = RuntimeOptions { library: path(values, "onnxruntime_library"), threads: 1 };
    let sets = NonZeroUsize::new(values.number("processors") as usize);
    Ok(NetworkSets::load(&files, &runtime, sets.unwrap_or(NonZeroUsize::MIN))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ros::parameters::Parameters;
    use r2r::ParameterValue;

    fn values(given: &[(&str, ParameterValue)]) -> std::sync::Arc<Values> {
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Parameters::declare(&given, specs()).unwrap().values()
    }

    fn text(text: &str) -> ParameterValue {
        ParameterValue::String(text.to_owned())
    }

    #[test]
    fn without_parameters_it_is_the_default_of_the_server() {
        let setup = setup(&values(&[])).unwrap();
        assert_eq!(setup.listen, None);
        assert!(!setup.insecure && !setup.tokens && setup.certificate.is_none());
        assert_eq!(setup.privacy, Privacy::default());
        assert_eq!(setup.limits, Limits::default());
        assert_eq!(setup.notice, Notice::default());
        assert_eq!(setup.journal, None);
    }

    #[test]
    fn a_journal_is_kept_where_a_file_is_named() {
        let given = [("journal", text("/var/j.db")), ("journal_place", text(""))];
        let journal = setup(&values(&given)).unwrap().journal.unwrap();
        assert_eq!(journal, JournalOptions::new("/var/j.db".into()));
        let given = [
            ("journal", text("j.db")),
            ("journal_place", text("lobby")),
            ("journal_bucket_minutes", ParameterValue::Integer(60)),
        ];
        let journal = setup(&values(&given)).unwrap().journal.unwrap();
        assert_eq!((journal.place.as_deref(), journal.bucket_minutes), (Some("lobby"), 60));
    }

    #[test]
    fn buckets_go_to_a_broker_where_one_is_named() {
        assert_eq!(setup(&values(&[("mqtt_user", text("me"))])).unwrap().mqtt, None);
        let given = [
            ("mqtt_url", text("mqtts://broker")),
            ("mqtt_name", text("left")),
            ("mqtt_password_file", text("/etc/password")),
        ];
        let mqtt = setup(&values(&given)).unwrap().mqtt.unwrap();
        let expected = MqttOptions {
            name: "left".to_owned(),
            password_file: Some("/etc/password".into()),
            ..MqttOptions::new("mqtts://broker")
        };
        assert_eq!(mqtt, expected);
    }

    #[test]
    fn robots_are_namespaces() {
        let named = |value| robots(&values(&[("robots", value)]));
        let list = |names: &[&str]| {
            ParameterValue::StringArray(names.iter().map(|name| (*name).to_owned()).collect())
        };
        assert_eq!(named(list(&["/right", "left/", "/right"])).unwrap(), ["/left", "/right"]);
        assert_eq!(named(text("/")).unwrap(), ["/"]);
        assert!(robots(&values(&[])).unwrap().is_empty());
        for wrong in ["", "/a//b", "/1st", "a b"] {
            let error = named(text(wrong)).unwrap_err().to_string();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error =
            |given: &[(&str, ParameterValue)]| format!("{:#}", setup(&values(given)).unwrap_err());
        assert!(error(&[("listen", text("here"))]).contains("listen is `here`"));
        assert!(error(&[("tls_key", text("key.pem"))]).contains("expected both"));
        let place = [("journal", text("j.db")), ("journal_place", text(" "))];
        assert!(error(&place).contains("journal_place: expected a name"));
        assert!(
            error(&[("notice", text("/no/such.json"))]).contains("/no/such.json: No such file")
        );
    }
}
