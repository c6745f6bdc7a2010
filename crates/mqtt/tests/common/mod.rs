//! A real broker, and a subscriber that is not ours.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rapport_journal::{BucketContent, BucketFigures, HealthCounts};

/// A slow machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Debian puts the broker where only root looks.
pub fn mosquitto() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join("mosquitto")).find(|program| program.is_file());
    if found.is_none() {
        println!("skipped: mosquitto is not installed");
    }
    found
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A broker of this machine. It ends with the value.
pub struct Broker {
    program: PathBuf,
    config: PathBuf,
    pub port: u16,
    process: Option<Child>,
}

impl Broker {
    /// `None` where no mosquitto is installed. `listener`: lines of its configuration.
    pub fn start(directory: &Path, listener: &str) -> Option<Self> {
        let program = mosquitto()?;
        let (config, port) = (directory.join("mosquitto.conf"), free_port());
        // Started by root, it would give up the right to read the test's files.
        let text = format!("user root\nlistener {port} 127.0.0.1\n{listener}\n");
        std::fs::write(&config, text).unwrap();
        let mut broker = Self { program, config, port, process: None };
        broker.go_on();
        Some(broker)
    }

    /// Without password.
    pub fn open(directory: &Path) -> Option<Self> {
        Self::start(directory, "allow_anonymous true")
    }

    pub fn go_on(&mut self) {
        let log = std::fs::File::create(self.config.with_extension("log")).unwrap();
        let mut process = Command::new(&self.program)
            .arg("-c")
            .arg(&self.config)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = ("127.0.0.1", self.port);
        until("the broker listens", || {
            let log = std::fs::read_to_string(self.config.with_extension("log")).unwrap();
            assert!(process.try_wait().unwrap().is_none(), "mosquitto ended: {log}");
            TcpStream::connect(address).is_ok()
        });
        self.process = Some(process);
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `mosquitto_sub`: every message as it comes.
pub struct Subscriber {
    process: Child,
    lines: Receiver<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub retained: bool,
    pub topic: String,
    pub payload: String,
}

impl Subscriber {
    pub fn of(broker: &Broker, more: &[&str]) -> Self {
        let mut process = Command::new("mosquitto_sub")
            .args(["-V", "5", "-h", "localhost", "-p", &broker.port.to_string(), "-q", "1"])
            .args(["-t", "#", "-F", "%r %t %p"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    pub fn next(&self) -> Message {
        self.within(PATIENCE).unwrap()
    }

    /// Nothing if none comes in time.
    pub fn within(&self, patience: Duration) -> Option<Message> {
        let line = self.lines.recv_timeout(patience).ok()?;
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap().to_owned();
        Some(Message { retained: part() == "1", topic: part(), payload: part() })
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A bucket that is told from others by its images.
pub fn bucket(place: &str, images: u64) -> BucketFigures {
    BucketFigures {
        place: place.to_owned(),
        from_secs: 1_793_577_600,
        to_secs: 1_793_578_500,
        content: BucketContent::Health(HealthCounts { images, ..Default::default() }),
    }
}
