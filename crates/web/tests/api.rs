//! Every resource of the API, on a real server with real networks and real pictures; and every way to
//! be refused.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::{Answer, Running, file, form, start};
use image::{ImageFormat, RgbImage};
use rapport_web::{Limits, Notice, Options};

async fn server() -> Running {
    start(Options::default()).await
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_picture_is_answered_with_its_faces() {
    let server = server().await;
    let answer = server.post("/api/v1/analyze", "image/jpeg", &file("astronaut.jpg")).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let picture = &json[0];
    assert_eq!((&picture["picture"], &picture["width"]), (&"picture".into(), &512.into()));
    let face = &picture["faces"][0];
    assert_eq!((&face["label"], &face["sure"]), (&"happy".into(), &true.into()));
    assert!(face["roi"]["x"].as_u64().unwrap().abs_diff(178) < 5, "{face}");
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 5);
    let sum: f64 =
        face["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{sum}");
}

#[tokio::test]
async fn several_pictures_of_several_kinds_are_answered_in_their_order() {
    let server = server().await;
    let webp = encoded(&rapport_test_support::picture("astronaut.jpg"), ImageFormat::WebP);
    let (kind, body) = form(&[
        ("picture", "coffee.jpg", &file("coffee.jpg")),
        ("picture", "astronaut.webp", &webp),
        ("picture", "hopper.jpg", &file("hopper.jpg")),
    ]);
    let json = server.post("/api/v1/analyze", &kind, &body).await.json();
    let found: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|picture| {
            let label = picture["faces"][0]["label"].as_str().unwrap_or("none").to_owned();
            (picture["picture"].as_str().unwrap().to_owned(), label)
        })
        .collect();
    let expected = [("coffee.jpg", "none"), ("astronaut.webp", "happy"), ("hopper.jpg", "neutral")];
    assert_eq!(found, expected.map(|(name, label)| (name.to_owned(), label.to_owned())));
}

#[tokio::test]
async fn why_is_answered_for_one_label_and_for_all() {
    let server = server().await;
    let picture = file("astronaut.jpg");
    let one = server.post("/api/v1/explain?label=sad", "image/jpeg", &picture).await.json();
    let heat = &one["faces"][0]["heat"];
    assert_eq!(heat["label"], "sad");
    let count = |heat: &serde_json::Value| heat.as_array().unwrap().len() as u64;
    let cells = heat["rows"].as_u64().unwrap() * heat["columns"].as_u64().unwrap();
    assert!(cells > 4 && count(&heat["values"]) == cells, "{heat}");
    let most = heat["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap().abs());
    assert!((most.fold(0.0, f64::max) - 1.0).abs() < 1e-6);
    // The crop's centre lies in the face's box.
    let at = |key: &str| heat["crop_to_image"][key].as_f64().unwrap();
    let half = heat["crop_side_px"].as_f64().unwrap() / 2.0;
    let x = at("a") * half - at("b") * half + at("tx");
    let roi = &one["faces"][0]["roi"];
    let left = roi["x"].as_f64().unwrap();
    assert!(x > left && x < left + roi["width"].as_f64().unwrap(), "{x} {roi}");

    let all = server.post("/api/v1/explain", "image/jpeg", &picture).await.json();
    let face = &all["faces"][0];
    assert_eq!((&face["heat"]["label"], &face["label"]), (&"happy".into(), &"happy".into()));
    let maps = face["maps"].as_object().unwrap();
    assert_eq!(maps.len(), 8);
    assert!(maps.values().all(|map| count(map) == cells));
    assert_eq!(maps["sad"], heat["values"]);

    let unknown = server.post("/api/v1/explain?label=bored", "image/jpeg", &picture).await;
    let detail = unknown.problem(400, "bad-request");
    assert!(detail.starts_with("label `bored`, expected one of "), "{detail}");
    let unknown = server.post("/api/v1/explain?lable=sad", "image/jpeg", &picture).await;
    assert!(unknown.problem(400, "bad-request").contains("lable"));
}

#[tokio::test]
async fn pages_and_scripts_learn_what_runs() {
    let notice = Notice { operator: Some("Hotel Anna".to_owned()), ..Notice::default() };
    let server = start(Options { notice, ..Options::default() }).await;
    let info = server.get("/api/v1/info").await.json();
    assert_eq!(info["labels"].as_array().unwrap().len(), 8);
    assert_eq!(info["colors"]["happy"]["line"], "#007163");
    assert_eq!((&info["role"], &info["sign_in_needed"]), (&"operator".into(), &false.into()));
    assert_eq!((&info["robots"], &info["paused"]), (&false.into(), &false.into()));
    assert_eq!(info["notice"], serde_json::json!({ "operator": "Hotel Anna" }));
    assert_eq!(info["limits"]["picture_bytes"], Limits::default().picture_bytes);
    let health = server.get("/api/v1/health").await.json();
    assert_eq!((&health["status"], &health["sessions"]), (&"ok".into(), &0.into()));
    assert_eq!(health["model"]["name"], "emotion");
    assert_eq!(health["model"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(server.get("/api/v1/robots").await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn figures_tell_of_pictures_and_not_of_people() {
    let server = server().await;
    server.post("/api/v1/analyze", "image/jpeg", &file("astronaut.jpg")).await;
    server.get("/nowhere").await;
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(metrics.body).unwrap();
    for line in [
        "rapport_pictures_total{source=\"analyze\"} 1",
        "rapport_faces_total 1",
        "rapport_answers_total{status=\"404\"} 1",
        "rapport_live_sessions 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} not in\n{text}");
    }
    assert!(!text.contains("face_"), "{text}");
}

#[tokio::test]
async fn a_pause_stops_the_analysis_for_everybody() {
    let server = server().await;
    let pause = server.post("/api/v1/pause", "application/json", br#"{"paused": true}"#).await;
    assert_eq!(pause.json(), serde_json::json!({ "paused": true }));
    for path in ["/api/v1/analyze", "/api/v1/explain"] {
        let answer = server.post(path, "image/jpeg", &file("astronaut.jpg")).await;
        answer.problem(503, "paused");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(server.get("/api/v1/health").await.json()["status"], "paused");
    assert_eq!(server.get("/api/v1/info").await.json()["paused"], true);
    server.post("/api/v1/pause", "application/json", br#"{"paused": false}"#).await;
    let answer = server.post("/api/v1/analyze", "image/jpeg", &file("astronaut.jpg")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn pages_and_their_parts_are_served_with_strict_headers() {
    let server = server().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/pictures", "text/html"),
        ("/api", "text/html"),
        ("/notice", "text/html"),
        ("/sign-in", "text/html"),
        ("/assets/text/en.json", "application/json"),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        let may = answer.header("content-security-policy").unwrap();
        assert!(may.starts_with("default-src 'none'") && !may.contains("unsafe"), "{may}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let tag = answer.header("etag").unwrap();
        let again = server.ask("GET", path, &[("If-None-Match", tag)], b"").await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    let zipped = server.ask("GET", "/", &[("Accept-Encoding", "gzip")], b"").await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    for path in ["/nowhere", "/assets/../Cargo.toml", "/assets/nothing.js", "/api/v2/info", "/a/b"]
    {
        server.get(path).await.problem(404, "not-found");
    }
    assert_eq!(server.get("/api/v1/info").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn wrong_methods_and_bodies_are_refused_by_name() {
    let server = server().await;
    let wrong = server.get("/api/v1/analyze").await;
    assert!(wrong.problem(405, "method").contains("GET"));
    assert_eq!(wrong.header("allow"), Some("POST"));
    server.ask("DELETE", "/", &[], b"").await.problem(405, "method");
    let wrong = server.post("/api/v1/analyze", "text/plain", b"hello").await;
    assert!(wrong.problem(415, "media-type").contains("text/plain"));
    assert_eq!(wrong.json()["found"], "text/plain");
    let wrong = server.ask("POST", "/api/v1/analyze", &[], b"hello").await;
    assert!(wrong.problem(415, "media-type").contains("none"));
    let wrong = server.post("/api/v1/analyze", "image/jpeg", b"").await;
    wrong.problem(400, "bad-request");
    let wrong = server.post("/api/v1/analyze", "image/jpeg", b"hello").await;
    assert!(wrong.problem(415, "media-type").contains("start with [68 65 6c 6c]"));
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0";
    server.post("/api/v1/analyze", "image/jpeg", film).await.problem(415, "media-type");
    let broken = &file("astronaut.jpg")[..20_000];
    let wrong = server.post("/api/v1/analyze", "image/jpeg", broken).await;
    let detail = wrong.problem(422, "picture");
    assert!(detail.contains("JPEG of 20000 bytes not decoded"), "{detail}");
    for body in ["", "{", "{}", r#"{"paused": 1}"#, r#"{"paused": true, "more": 1}"#] {
        let wrong = server.post("/api/v1/pause", "application/json", body.as_bytes()).await;
        wrong.problem(400, "bad-request");
    }
    server.post("/api/v1/pause", "text/plain", b"{}").await.problem(415, "media-type");
    let wrong = server.post("/api/v1/pause", "application/json", &[b' '; 20_000]).await;
    wrong.problem(413, "too-large");
    server.get("/api/v1/live").await.problem(426, "web-socket");
    server.get("/api/v1/watch").await.problem(426, "web-socket");
    let pause = br#"{"paused": true}"#;
    let wrong = server.post("/api/v1/robots/left/pause", "application/json", pause).await;
    assert!(wrong.problem(404, "not-found").contains("no robot /left is known"));
}

#[tokio::test]
async fn wrong_forms_are_refused_by_name() {
    let server = server().await;
    let send = async |fields: &[(&str, &str, &[u8])]| -> Answer {
        let (kind, body) = form(fields);
        server.post("/api/v1/analyze", &kind, &body).await
    };
    assert!(send(&[("file", "x.jpg", b"x")]).await.problem(400, "bad-request").contains("`file`"));
    send(&[]).await.problem(400, "bad-request");
    let small = file("hopper_small.png");
    let many = vec![("picture", "x.png", small.as_slice()); 33];
    assert!(send(&many).await.problem(413, "too-large").contains("more than 32 pictures"));
    let no_boundary = server.post("/api/v1/analyze", "multipart/form-data", b"x").await;
    no_boundary.problem(400, "bad-request");
    let cut = server.post("/api/v1/analyze", "multipart/form-data; boundary=x", b"--x\r\nC").await;
    cut.problem(400, "bad-request");
}

#[tokio::test]
async fn huge_pictures_are_refused_before_memory_is_taken() {
    let limits = Limits {
        picture_bytes: 200_000,
        picture_pixels: 300_000,
        form_bytes: 500_000,
        ..Limits::default()
    };
    let server = start(Options { limits, ..Options::default() }).await;
    // Announced: refused without being read.
    let announced = [("Content-Type", "image/jpeg"), ("Content-Length", "99999999999")];
    let answer = server.ask("GET", "/api/v1/info", &[], b"").await;
    assert_eq!(answer.status, 200);
    let head = format!(
        "POST /api/v1/analyze HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n",
        server.address,
        announced.map(|(name, value)| format!("{name}: {value}\r\n")).concat(),
    );
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let answer = common::exchange(&mut stream, &head, b"").await;
    let detail = answer.problem(413, "too-large");
    assert!(detail.contains("99999999999 bytes") && detail.contains("200000"), "{detail}");
    // Not announced: chunks.
    let head = format!(
        "POST /api/v1/analyze HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address
    );
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let chunk = [b"30d40\r\n".as_slice(), &[7; 200_000], b"\r\n"].concat().repeat(2);
    let answer = common::exchange(&mut stream, &head, &chunk).await;
    answer.problem(413, "too-large");
    // In forms: a large picture, many of them, and a head of a part that does not end.
    let (kind, body) = form(&[("picture", "large.jpg", &[7; 300_000])]);
    server.post("/api/v1/analyze", &kind, &body).await.problem(413, "too-large");
    let hopper = file("hopper.jpg");
    assert!(hopper.len() < 200_000 && hopper.len() * 20 > 500_000, "{}", hopper.len());
    let (kind, body) = form(&vec![("picture", "hopper.jpg", hopper.as_slice()); 20]);
    server.post("/api/v1/analyze", &kind, &body).await.problem(413, "too-large");
    let endless = [b"--x\r\nA: ".as_slice(), &[b'a'; 600_000]].concat();
    let answer = server.post("/api/v1/analyze", "multipart/form-data; boundary=x", &endless).await;
    answer.problem(413, "too-large");
    // Few bytes, many pixels.
    let flat = RgbImage::new(2000, 2000);
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg] {
        let bomb = encoded(&flat, format);
        assert!(bomb.len() < 200_000, "{format:?} {}", bomb.len());
        let answer = server.post("/api/v1/analyze", "image/png", &bomb).await;
        let detail = answer.problem(413, "too-large");
        assert!(detail.contains("2000x2000") && detail.contains("300000"), "{detail}");
    }
    // What only says it is large.
    let mut lie = encoded(&RgbImage::new(8, 8), ImageFormat::Jpeg);
    let size = lie.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap() + 5;
    lie[size..size + 4].copy_from_slice(&[0x40, 0, 0x40, 0]);
    server.post("/api/v1/analyze", "image/jpeg", &lie).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_picture_taken_upright_is_read_upright() {
    // Orientation 6: turn to the right to look at it. The face lies on its side in the pixels.
    let lying = image::imageops::rotate270(&rapport_test_support::picture("astronaut.jpg"));
    let jpeg = encoded(&lying, ImageFormat::Jpeg);
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = (exif.len() as u16 + 2).to_be_bytes();
    let turned = [&jpeg[..2], &[0xFF, 0xE1], &length, exif, &jpeg[2..]].concat();
    let server = server().await;
    let json = server.post("/api/v1/analyze", "image/jpeg", &turned).await.json();
    let face = &json[0]["faces"][0];
    assert_eq!(face["label"], "happy");
    assert!(face["roi"]["x"].as_u64().unwrap().abs_diff(178) < 8, "{face}");
}
