//! What one server carries: 1, 4 and 16 live sessions beside 50 idle viewers, and how many more are
//! refused. The server is a process of its own. Prints a table; `cargo bench -p rapport-web --bench
//! load`.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use image::{ExtendedColorType, RgbImage};
use rapport_perception::{ModelFiles, RuntimeOptions};
use rapport_test_support::{paste, picture};
use rapport_web::{Listen, NetworkSets, Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

const VIEWERS: usize = 50;
const LASTS: Duration = Duration::from_secs(10);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if std::env::args().any(|argument| argument == "--as-server") {
        runtime.block_on(serve());
        return;
    }
    let (_server, address) = start();
    runtime.block_on(measure(&address));
}

/// Ends the server also where the bench fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What the child process does: as `rapport serve`, on a free port.
async fn serve() {
    let sets = available_parallelism().unwrap();
    let runtime = RuntimeOptions { library: None, threads: 1 };
    let networks = NetworkSets::load(&ModelFiles::default(), &runtime, sets).unwrap();
    let listen = Listen::At("127.0.0.1:0".parse().unwrap());
    let server = Server::bind(listen, Options::default(), networks, None).await.unwrap();
    println!("{}", server.address());
    server.run(std::future::pending()).await;
}

fn start() -> (Process, String) {
    let child = Command::new(std::env::current_exe().unwrap())
        .arg("--as-server")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Process(child);
    let mut address = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (server, address.trim().to_owned())
}

async fn measure(address: &str) {
    let jpeg = scene();
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        viewers.push(connect_async(format!("ws://{address}/api/v1/watch")).await.unwrap().0);
    }
    println!(
        "640x480 JPEG ({} kB), one face, {VIEWERS} idle viewers, {} cores for server and clients",
        jpeg.len() / 1000,
        available_parallelism().unwrap()
    );
    // As many as later, so that memory that is taken once is taken.
    run(address, &jpeg, 16, None, Duration::from_secs(5)).await;
    let before = memory_mb(address).await;
    println!(
        "{:>8} {:>9} {:>10} {:>15} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "sessions",
        "asked",
        "pictures/s",
        "least-most each",
        "p50 ms",
        "p95 ms",
        "own p50",
        "allowed",
        "memory MB"
    );
    for (sessions, rate) in [(1, Some(15.0)), (1, None), (4, None), (16, None)] {
        let Load { mut latencies, mut own, each } =
            run(address, &jpeg, sessions, rate, LASTS).await;
        let (p50, p95, own) = (
            percentile(&mut latencies, 50),
            percentile(&mut latencies, 95),
            percentile(&mut own, 50),
        );
        let (least, most) = (each.iter().min().unwrap(), each.iter().max().unwrap());
        let secs = LASTS.as_secs_f64();
        println!(
            "{:>8} {:>9} {:>10.1} {:>15} {p50:>8.1} {p95:>8.1} {own:>8.1} {:>8} {:>10.1}",
            format!("{}/{sessions}", each.len()),
            rate.map_or("all".to_owned(), |rate: f64| format!("{rate}/s")),
            latencies.len() as f64 / secs,
            format!("{:.1}-{:.1}", *least as f64 / secs, *most as f64 / secs),
            // One session has the machine for itself: 1.5 times the pipeline's own time and 5 ms.
            if sessions == 1 { format!("{:.1}", 1.5 * own + 5.0) } else { String::new() },
            memory_mb(address).await
        );
    }
    let mut carried = Vec::new();
    let refused = loop {
        match connect_async(format!("ws://{address}/api/v1/live")).await {
            Ok((client, _)) => carried.push(client),
            Err(error) => break error,
        }
    };
    println!("carried {} sessions, then: {refused}", carried.len());
    drop((carried, viewers));
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!(
        "memory {before:.1} MB before, {:.1} MB after all have left",
        memory_mb(address).await
    );
}

struct Load {
    latencies: Vec<f64>,
    own: Vec<f64>,
    each: Vec<usize>,
}

async fn run(
    address: &str,
    jpeg: &[u8],
    sessions: usize,
    rate: Option<f64>,
    lasts: Duration,
) -> Load {
    let mut running = Vec::new();
    for _ in 0..sessions {
        let url = format!("ws://{address}/api/v1/live");
        // Refused as busy: the machine carries no more now.
        let Ok((client, _)) = connect_async(url).await else { break };
        running.push(tokio::spawn(session(client, jpeg.to_vec(), rate, lasts)));
    }
    let mut load = Load { latencies: Vec::new(), own: Vec::new(), each: Vec::new() };
    for session in running {
        let (latencies, own) = session.await.unwrap();
        load.each.push(latencies.len());
        load.latencies.extend(latencies);
        load.own.extend(own);
    }
    load
}

/// Times from picture sent to observation received, and the pipeline's own, in milliseconds.
async fn session(
    mut client: Client,
    jpeg: Vec<u8>,
    rate: Option<f64>,
    lasts: Duration,
) -> (Vec<f64>, Vec<f64>) {
    let start = Instant::now();
    let mut ticks = rate.map(|rate| tokio::time::interval(Duration::from_secs_f64(1.0 / rate)));
    let (mut latencies, mut own) = (Vec::new(), Vec::new());
    next(&mut client).await;
    while start.elapsed() < lasts {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let sent = Instant::now();
        client.send(Message::binary(jpeg.clone())).await.unwrap();
        let answer = next(&mut client).await;
        latencies.push(sent.elapsed().as_secs_f64() * 1e3);
        own.push(answer["timings_ms"]["total"].as_f64().unwrap());
    }
    (latencies, own)
}

async fn next(client: &mut Client) -> serde_json::Value {
    loop {
        if let Message::Text(text) = client.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

fn scene() -> Vec<u8> {
    let mut scene = RgbImage::new(640, 480);
    paste(&mut scene, &picture("astronaut.jpg"), 64, 0);
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 85)
        .encode(scene.as_raw(), 640, 480, ExtendedColorType::Rgb8)
        .unwrap();
    jpeg
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}

async fn memory_mb(address: &str) -> f64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let bytes = text.lines().find_map(|line| line.strip_prefix("rapport_memory_bytes "));
    bytes.unwrap().parse::<f64>().unwrap() / 1e6
}
