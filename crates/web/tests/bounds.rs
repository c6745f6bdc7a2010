//! Nothing leaks and nothing stops: memory, tasks and connections are counted before and after.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{Running, file, start};
use rapport_web::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A figure of `/metrics`.
async fn figure(server: &Running, name: &str) -> f64 {
    let text = String::from_utf8(server.get("/metrics").await.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} not in\n{text}")).parse().unwrap()
}

async fn works(server: &Running) {
    let answer = server.post("/api/v1/analyze", "image/png", &file("hopper_small.png")).await;
    assert_eq!(answer.status, 200);
}

/// Waits until only the connection that asks is left.
async fn all_gone(server: &Running, what: &str) {
    for _ in 0..100 {
        if figure(server, "rapport_connections").await <= 1.0
            && server.app.sessions.now() + server.app.viewers.now() == 0
        {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: connections are left");
}

/// A WebSocket by hand, past the upgrade.
async fn upgraded(server: &Running, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET /api/v1/{name} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    stream
}

/// Reads until the other side ends, and gives the code of its goodbye.
async fn goodbye(stream: &mut TcpStream) -> Option<u16> {
    let mut data = Vec::new();
    timeout(Duration::from_secs(10), stream.read_to_end(&mut data)).await.unwrap().ok();
    let at = data.windows(2).rposition(|two| two[0] == 0x88 && two[1] >= 2)?;
    Some(u16::from_be_bytes([data[at + 2], data[at + 3]]))
}

/// A frame from a client; its mask is zero, which changes nothing.
fn frame(first: u8, length: u64, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | 127];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(content);
    frame
}

#[tokio::test]
async fn malformed_frames_end_their_connection_only() {
    let server = start(Options::default()).await;
    for name in ["live", "watch"] {
        for (what, bytes, code) in [
            ("a reserved bit", vec![0xF2, 0x80, 0, 0, 0, 0], Some(1002)),
            ("an unknown opcode", vec![0x83, 0x80, 0, 0, 0, 0], Some(1002)),
            ("no mask", vec![0x81, 0x02, b'h', b'i'], Some(1002)),
            ("no UTF-8", frame(0x81, 2, &[0xFF, 0xFE]), Some(1007)),
            ("a long ping", frame(0x89, 200, &[0; 200]), Some(1002)),
            ("a huge announcement", frame(0x82, 1 << 40, b"x"), Some(1009)),
            ("a continuation of nothing", frame(0x80, 1, b"x"), Some(1002)),
        ] {
            let mut stream = upgraded(&server, name).await;
            stream.write_all(&bytes).await.unwrap();
            assert_eq!(goodbye(&mut stream).await, code, "{name}: {what}");
        }
    }
    all_gone(&server, "malformed frames").await;
    works(&server).await;
}

#[tokio::test]
async fn broken_requests_end_their_connection_only() {
    let server = start(Options::default()).await;
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for bytes in [
        b"\0\0\0\0\0\0\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        long.as_bytes(),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        timeout(Duration::from_secs(5), read).await.unwrap_or(Ok(0)).ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    all_gone(&server, "broken requests").await;
    works(&server).await;
}

#[tokio::test]
async fn whoever_leaves_in_the_middle_leaves_nothing() {
    let server = start(Options::default()).await;
    works(&server).await;
    all_gone(&server, "at first").await;
    let tasks = figure(&server, "rapport_tasks").await;
    let jpeg = file("solvay_1927.jpg");
    for round in 0..20 {
        // A body that ends early, by half a close and by a whole one.
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head =
            server.head("POST", "/api/v1/analyze", &[("Content-Type", "image/jpeg")], 90_000);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&jpeg[..10_000]).await.unwrap();
        if round % 2 == 0 {
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap().ok();
        }
        // A session that ends while its picture is looked at.
        let mut stream = upgraded(&server, "live").await;
        stream.write_all(&frame(0x82, jpeg.len() as u64, &jpeg)).await.unwrap();
        if round % 2 == 0 {
            stream.shutdown().await.unwrap();
        }
        drop(stream);
    }
    all_gone(&server, "left in the middle").await;
    works(&server).await;
    for _ in 0..100 {
        if figure(&server, "rapport_tasks").await <= tasks {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{} tasks, {tasks} before", figure(&server, "rapport_tasks").await);
}

#[tokio::test]
async fn a_session_that_does_not_read_is_ended() {
    let server = start(Options::default()).await;
    let mut stream = upgraded(&server, "live").await;
    // Each wrong message is answered; the answers are not read until the pipe is full.
    let wrong = frame(0x81, 1, b"{").repeat(1000);
    let sent =
        timeout(Duration::from_secs(40), async { while stream.write_all(&wrong).await.is_ok() {} });
    assert!(sent.await.is_ok(), "the server still reads from a client that does not");
    drop(stream);
    all_gone(&server, "slow reader").await;
    works(&server).await;
}

#[tokio::test]
async fn a_thousand_connections_pass_without_a_trace() {
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: Some(4096), maximum: Some(4096) },
    )
    .unwrap();
    let server = start(Options::default()).await;
    works(&server).await;
    let crowd = async || {
        let mut streams = Vec::new();
        for _ in 0..1000 {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n").await.ok();
            streams.push(stream);
        }
        // More than the limit are turned away at once, the rest wait for the end of their request.
        sleep(Duration::from_millis(300)).await;
        let mut open = 0;
        for stream in &mut streams {
            let mut byte = [0];
            if timeout(Duration::from_millis(1), stream.read(&mut byte)).await.is_err() {
                open += 1;
            }
        }
        assert_eq!(open, server.app.options.limits.connections);
        drop(streams);
        all_gone(&server, "a thousand connections").await;
    };
    crowd().await;
    let (tasks, memory) =
        (figure(&server, "rapport_tasks").await, figure(&server, "rapport_memory_bytes").await);
    for _ in 0..3 {
        crowd().await;
    }
    works(&server).await;
    all_gone(&server, "at last").await;
    let (tasks_after, memory_after) =
        (figure(&server, "rapport_tasks").await, figure(&server, "rapport_memory_bytes").await);
    assert!(tasks_after <= tasks, "{tasks_after} tasks, {tasks} before");
    let grown_mb = (memory_after - memory) / 1e6;
    assert!(grown_mb < 20.0, "memory grew by {grown_mb} MB from {memory}");
}
