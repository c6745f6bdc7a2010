//! A real server on a port of its own, and a client that can also misbehave.
#![allow(dead_code, clippy::panic, clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rapport_perception::{ModelFiles, RuntimeOptions};
use rapport_test_support::in_repository;
use rapport_web::app::App;
use rapport_web::{Hub, Listen, NetworkSets, Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Running {
    pub address: SocketAddr,
    pub app: Arc<App>,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Two sets, loaded once for all tests of a file.
pub fn networks() -> NetworkSets {
    static LOADED: OnceLock<NetworkSets> = OnceLock::new();
    let (files, runtime) = (ModelFiles::default(), RuntimeOptions::default());
    let load = || NetworkSets::load(&files, &runtime, 2.try_into().unwrap()).unwrap();
    LOADED.get_or_init(load).clone()
}

pub async fn start(options: Options) -> Running {
    start_at("127.0.0.1:0", options, None).await
}

pub async fn start_at(address: &str, options: Options, hub: Option<Arc<Hub>>) -> Running {
    let listen = Listen::At(address.parse().unwrap());
    let server = Server::bind(listen, options, networks(), hub).await.unwrap();
    let (address, app) = (server.address(), server.app().clone());
    let (end, ended) = oneshot::channel();
    let task = tokio::spawn(server.run(async { drop(ended.await) }));
    Running { address, app, end, task }
}

impl Running {
    pub async fn stop(self) {
        self.end.send(()).ok();
        tokio::time::timeout(Duration::from_secs(10), self.task).await.unwrap().unwrap();
    }

    pub fn socket(&self, name: &str) -> String {
        format!("ws://{}/api/v1/{name}", self.address)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    pub async fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, &[("Content-Type", kind)], body).await
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        exchange(&mut stream, &self.head(method, path, headers, body.len()), body).await
    }

    /// The head of a request; `Host` is the server's own unless it is among the headers.
    pub fn head(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        if length > 0 || method == "POST" {
            head += &format!("Content-Length: {length}\r\n");
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head + "\r\n"
    }
}

pub async fn exchange(
    stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    head: &str,
    body: &[u8],
) -> Answer {
    stream.write_all(head.as_bytes()).await.unwrap();
    // Refused before it was read: the answer may be there all the same.
    stream.write_all(body).await.ok();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().ok();
    Answer::parse(&answer)
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(answer)));
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let headers = lines.map(pair).collect();
        Self { status, headers, body: answer[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Checks that it is a problem document of this kind, and gives its detail.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> String {
        let shown = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{shown}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{shown}");
        let json = self.json();
        assert_eq!(json["type"], format!("/api#{kind}"), "{json}");
        assert_eq!(json["status"], status, "{json}");
        assert!(json["title"].as_str().is_some_and(|title| !title.is_empty()), "{json}");
        json["detail"].as_str().unwrap().to_owned()
    }
}

pub fn file(name: &str) -> Vec<u8> {
    std::fs::read(in_repository("tests/pictures").join(name)).unwrap()
}

/// Fields of a form: name of the field, name of the file, content.
pub fn form(fields: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    let boundary = "----of-the-tests";
    let mut body = Vec::new();
    for (field, name, content) in fields {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; \
             filename=\"{name}\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}
