//! Alerts for another program: JSON by POST. Bounded in everything; nobody waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rapport_settings::{SecretFileError, read_secret};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::journal::Alert;

/// From the look-up of the host to the status of the answer.
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses between the attempts to deliver one alert; then it is given up.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(60)];

/// Alerts that wait; more are not delivered.
const MOST_WAITING: usize = 100;

/// Why alerts cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The file with the address cannot be read, or others can read it, and with it the secret that
    /// such addresses hold.
    #[error("webhook file {0}")]
    File(#[from] SecretFileError),
    /// No address, or one to which alerts would go unencrypted. It is not shown, for it may hold a
    /// secret.
    #[error(
        "webhook file {}: found {found}, expected one line with an https:// address, or http:// of \
         this machine",
        path.display()
    )]
    Address {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: &'static str,
    },
    /// The system has no certificates to trust.
    #[error("webhook: this system has no certificates to trust; SSL_CERT_FILE may name others")]
    NoCertificates,
    /// TLS cannot be had.
    #[error("webhook: TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// How the delivering goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookStatus {
    /// Alerts, or ends of them, that were taken.
    pub delivered: u64,
    /// Those that were given up.
    pub failed: u64,
}

/// Delivers alerts to an address.
#[derive(Debug)]
pub struct Webhook {
    sender: mpsc::Sender<Vec<u8>>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
}

/// What is sent.
#[derive(Serialize)]
struct Told<'a> {
    /// `raised` or `cleared`.
    state: &'static str,
    #[serde(flatten)]
    alert: &'a Alert,
    /// The same in a sentence, for chats.
    text: String,
    program: &'static str,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhook {
    /// Delivers to the address in a file that only its owner may read.
    ///
    /// # Errors
    /// If the file or the address in it is unusable.
    pub fn start(file: &Path, runtime: &Handle) -> Result<Self, WebhookError> {
        Self::with_pauses(file, runtime, &PAUSES)
    }

    /// The same with other pauses between attempts.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with_pauses(
        file: &Path,
        runtime: &Handle,
        pauses: &[Duration],
    ) -> Result<Self, WebhookError> {
        let target = Target::read(file)?;
        let (sender, mut waiting) = mpsc::channel::<Vec<u8>>(MOST_WAITING);
        let counts = Arc::new(Counts::default());
        let counted = counts.clone();
        let pauses = pauses.to_vec();
        let task = runtime.spawn(async move {
            while let Some(json) = waiting.recv().await {
                let delivered = deliver(&target, json, &pauses).await;
                let count = if delivered { &counted.delivered } else { &counted.failed };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { sender, counts, task })
    }

    /// Tells of an alert that was raised, or is over.
    pub fn tell(&self, is_raised: bool, alert: &Alert) {
        let at = alert.place.as_ref().map_or(String::new(), |place| format!(" at {place}"));
        let (state, text) = match is_raised {
            true => ("raised", format!("Rapport{at}: {}", alert.sentence)),
            false => ("cleared", format!("Rapport{at}: over: {}", alert.sentence)),
        };
        let program = concat!("rapport ", env!("CARGO_PKG_VERSION"));
        // Texts and numbers always become JSON.
        let json = serde_json::to_vec(&Told { state, alert, text, program }).unwrap_or_default();
        if self.sender.try_send(json).is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("webhook: {MOST_WAITING} alerts wait, and this one is not delivered");
        }
    }

    /// How the delivering goes.
    pub fn status(&self) -> WebhookStatus {
        WebhookStatus {
            delivered: self.counts.delivered.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
        }
    }
}

/// Where alerts go.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

impl Target {
    fn read(path: &Path) -> Result<Self, WebhookError> {
        let text = read_secret(path)?;
        let wrong = |found| WebhookError::Address { path: path.to_owned(), found };
        let uri: Uri = match text.trim() {
            "" => return Err(wrong("nothing")),
            line => line.parse().map_err(|_| wrong("no address"))?,
        };
        let host = uri.host().ok_or_else(|| wrong("no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_loopback = host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        let (tls, usual_port) = match uri.scheme_str() {
            Some("https") => (Some(connector()?), 443),
            Some("http") if is_loopback => (None, 80),
            Some("http") => return Err(wrong("http:// of another machine")),
            _ => return Err(wrong("neither https:// nor http://")),
        };
        let port = uri.port_u16().unwrap_or(usual_port);
        Ok(Self { uri, host, port, tls })
    }
}

/// TLS with the certificates of the system.
fn connector() -> Result<TlsConnector, WebhookError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(WebhookError::NoCertificates);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whether it was taken. What cannot be delivered is told in the log, without the address, which
/// may hold a secret.
async fn deliver(target: &Target, json: Vec<u8>, pauses: &[Duration]) -> bool {
    let mut pauses = pauses.iter();
    loop {
        let attempt = timeout(LONGEST, post(target, json.clone())).await;
        let late = || Err(format!("no answer within {} s", LONGEST.as_secs()));
        let (reason, may_try) = match attempt.unwrap_or_else(|_| late()) {
            Ok(status) if status.is_success() => return true,
            // It will say the same again.
            Ok(status) => (
                format!("it answered {status}"),
                status.is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS]
                        .contains(&status),
            ),
            Err(reason) => (reason, true),
        };
        let pause = pauses.next().filter(|_| may_try);
        let then = if pause.is_some() { "it is tried again" } else { "given up" };
        tracing::warn!("webhook at {}: {reason}; {then}", target.host);
        match pause {
            Some(&pause) => sleep(pause).await,
            None => return false,
        }
    }
}

async fn post(target: &Target, json: Vec<u8>) -> Result<StatusCode, String> {
    let stream = TcpStream::connect((target.host.as_str(), target.port))
        .await
        .map_err(|error| format!("not reached: {error}"))?;
    match &target.tls {
        None => ask(stream, target, json).await,
        Some(tls) => {
            let name = ServerName::try_from(target.host.clone())
                .map_err(|_| "its host is no name of a certificate".to_owned())?;
            let stream =
                tls.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))?;
            ask(stream, target, json).await
        }
    }
}

/// One request. Redirections are not followed, and the body of the answer is not read.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    target: &Target,
    json: Vec<u8>,
) -> Result<StatusCode, String> {
    let wrong = |error: hyper::Error| format!("no HTTP answer: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(wrong)?;
    let connection = tokio::spawn(connection);
    let path = target.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = target.uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("rapport/", env!("CARGO_PKG_VERSION")))
        .body(Body::from(json))
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(wrong);
    connection.abort();
    Ok(answer?.status())
}
