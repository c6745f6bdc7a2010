//! `rapport serve`: the web pages and the API, without ROS.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use rapport_feedback::MOST_KEEP_DAYS;
use rapport_journal::WriterOptions;
use rapport_perception::{ModelFiles, RuntimeOptions};
use rapport_web::feedback::visitor::READ_EVERY;
use rapport_web::journal::place_name;
use rapport_web::picture::Privacy;
use rapport_web::setup::{Setup, greeting};
use rapport_web::tokens::Tokens;
use rapport_web::{FeedbackOptions, JournalOptions, Limits, NetworkSets, Notice, Server};
use tokio::signal::unix::{SignalKind, signal};

use super::fleet::FleetArgs;
use super::log;
use super::output::print_line;

/// Serves the web pages and the API.
///
/// Only programs of this machine get in, unless --listen names another address: then browsers need a
/// token, and the connection is encrypted. Ctrl-C or SIGTERM ends it.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen at. Default: 127.0.0.1:8080, or the next port that is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Let everybody who reaches --listen in, without token and encryption.
    #[arg(long)]
    pub insecure: bool,

    /// Ask for a token also on this machine.
    #[arg(long)]
    pub tokens: bool,

    /// Print the tokens of each role and end. The first time, they are made.
    #[arg(long)]
    pub show_tokens: bool,

    /// Encrypt also on this machine.
    #[arg(long)]
    pub tls: bool,

    /// Certificate chain (PEM). Default: an own certificate, made the first time.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of --tls-cert (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Another name by which browsers ask for this machine; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,

    /// Folder of the tokens and the own certificate. Default: $XDG_STATE_HOME/rapport.
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,

    /// Blur faces in every picture that leaves the server. The pictures of a browser's own camera
    /// do not: they stay on its page.
    #[arg(long)]
    pub blur_faces: bool,

    /// Send no picture at all, and show none.
    #[arg(long)]
    pub numbers_only: bool,

    /// JSON file with what the sign for guests says: operator, purpose, contact, more.
    #[arg(long, value_name = "FILE")]
    pub notice: Option<PathBuf>,

    /// Keep a journal in this file (SQLite): statistics of visits and ratings, never people.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,

    /// What the place of the cameras is called in the journal and in feedback.
    #[arg(long, value_name = "NAME", default_value = "web", value_parser = place_name)]
    pub place: String,

    /// Length of a bucket of the journal in minutes: 15, or a multiple of it that divides the day.
    #[arg(long, value_name = "MINUTES", default_value_t = WriterOptions::default().bucket_minutes, requires = "journal")]
    pub bucket_minutes: u32,

    /// Days after which a bucket of the journal is forgotten, 1 to 3660.
    #[arg(long, value_name = "DAYS", default_value_t = WriterOptions::default().retention_days, requires = "journal")]
    pub retention_days: u32,

    /// Keep faces of people who consent on the page /consent, encrypted, in this folder. Nothing is
    /// kept of anybody else.
    #[arg(long, value_name = "FOLDER", requires = "feedback_key")]
    pub feedback: Option<PathBuf>,

    /// Key of --feedback (an age identity), in another place than the folder. The first time, it is
    /// made.
    #[arg(long, value_name = "FILE", requires = "feedback")]
    pub feedback_key: Option<PathBuf>,

    /// Days after which the faces of --feedback are deleted.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, requires = "feedback",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_KEEP_DAYS)))]
    pub feedback_days: u32,

    /// Seconds between two readings of a face that may be kept; the consent page tells how many
    /// pictures a minute that is at most.
    #[arg(long, value_name = "SECONDS", default_value_t = READ_EVERY.as_secs() as u32, hide = true,
          value_parser = clap::value_parser!(u32).range(1..=600))]
    pub feedback_every: u32,

    /// Where finished buckets and alerts go.
    #[command(flatten)]
    pub fleet: FleetArgs,

    /// Most live sessions at a time; fewer where the machine does not carry them.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().live_sessions)]
    pub live_sessions: usize,

    /// Pictures processed at a time. Default: one for each core.
    #[arg(long, value_name = "NUMBER")]
    pub processors: Option<NonZeroUsize>,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

    /// Calibration of the emotion network, as `rapport adapt` writes it. Default: none.
    #[arg(long, value_name = "YAML")]
    pub calibration: Option<PathBuf>,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,

    /// Serve the pages from this folder, for work on them.
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub assets: Option<PathBuf>,
}

/// Runs the command until Ctrl-C or SIGTERM.
///
/// # Errors
/// If the networks do not load, the address cannot be had, or tokens, certificate or journal are
/// unusable.
pub fn run(args: &ServeArgs) -> anyhow::Result<u8> {
    let setup = setup(args)?;
    if args.show_tokens {
        return show_tokens(&Tokens::in_folder(&setup.folder()?)?);
    }
    log::install();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (listen, options) = setup.decide()?;
        let server = Server::bind(listen, options, networks(args)?, None).await?;
        // Listened for before anybody knows that it runs.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (first, more) = greeting(server.address(), &server.app().options);
        print_line(&first)?;
        more.iter().for_each(|line| eprintln!("rapport: {line}"));
        let end = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        server.run(end).await;
        Ok(0)
    })
}

fn setup(args: &ServeArgs) -> anyhow::Result<Setup> {
    Ok(Setup {
        listen: args.listen,
        insecure: args.insecure,
        tokens: args.tokens,
        tls: args.tls,
        certificate: args.tls_cert.clone().zip(args.tls_key.clone()),
        hosts: args.host.clone(),
        state_folder: args.state_dir.clone(),
        privacy: Privacy { blur_faces: args.blur_faces, numbers_only: args.numbers_only },
        limits: Limits { live_sessions: args.live_sessions.max(1), ..Limits::default() },
        notice: args.notice.as_deref().map(read_notice).transpose()?.unwrap_or_default(),
        assets: args.assets.clone(),
        journal: journal(args),
        mqtt: args.fleet.mqtt(),
        alert_webhook: args.fleet.alert_webhook_file.clone(),
        feedback: feedback(args),
    })
}

fn feedback(args: &ServeArgs) -> Option<FeedbackOptions> {
    Some(FeedbackOptions {
        folder: args.feedback.clone()?,
        // One without the other is refused before.
        key: args.feedback_key.clone()?,
        keep_days: args.feedback_days,
        place: args.place.clone(),
        read_every: Duration::from_secs(u64::from(args.feedback_every)),
    })
}

fn journal(args: &ServeArgs) -> Option<JournalOptions> {
    Some(JournalOptions {
        file: args.journal.clone()?,
        place: Some(args.place.clone()),
        bucket_minutes: args.bucket_minutes,
        retention_days: args.retention_days,
    })
}

fn read_notice(path: &Path) -> anyhow::Result<Notice> {
    let read = || anyhow::Ok(serde_json::from_str(&fs::read_to_string(path)?)?);
    read().with_context(|| format!("--notice {}", path.display()))
}

/// A set of networks for each picture that is processed at a time.
fn networks(args: &ServeArgs) -> anyhow::Result<NetworkSets> {
    let files = ModelFiles {
        emotion: args.model.clone().unwrap_or_default(),
        calibration: args.calibration.clone().unwrap_or_default(),
        place: args.place.clone(),
        ..Default::default()
    };
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let sets = args.processors.or(available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    Ok(NetworkSets::load(&files, &runtime, sets)?)
}

fn show_tokens(tokens: &Tokens) -> anyhow::Result<u8> {
    for (role, token) in tokens.iter() {
        print_line(&format!("{:<9} {token}", role.as_str()))?;
    }
    Ok(0)
}
