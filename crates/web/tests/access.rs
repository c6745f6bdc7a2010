//! Who gets in: host names, other pages, tokens and roles, TLS, and where the server listens.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;

use common::{Answer, Running, exchange, start, start_at};
use rapport_web::tls::Certificate;
use rapport_web::tokens::{Role, Tokens};
use rapport_web::{Listen, Options, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

async fn with_tokens(folder: &Path) -> (Running, impl Fn(Role) -> String) {
    let tokens = Tokens::in_folder(folder).unwrap();
    let server = start(Options { tokens: Some(tokens.clone()), ..Options::default() }).await;
    let token = move |role| {
        tokens.iter().find(|(known, _)| *known == role).map(|(_, token)| token.to_owned()).unwrap()
    };
    (server, token)
}

async fn get_with(server: &Running, headers: &[(&str, &str)]) -> Answer {
    server.ask("GET", "/api/v1/robots", headers, b"").await
}

#[tokio::test]
async fn names_that_are_not_ours_are_refused() {
    let options = Options { hosts: vec!["robot.local".to_owned()], ..Options::default() };
    let server = start(options).await;
    let port = server.address.port();
    for host in
        [&format!("localhost:{port}"), "LOCALHOST", "127.0.0.1", "[::1]:80", "Robot.local:9000"]
    {
        assert_eq!(get_with(&server, &[("Host", host)]).await.status, 200, "{host}");
    }
    for host in
        ["evil.example", "evil.example:8080", "192.168.1.7", "localhost.evil.example", "", "a:b"]
    {
        let answer = get_with(&server, &[("Host", host)]).await;
        assert!(answer.problem(421, "foreign-host").contains(&format!("`{host}`")), "{host}");
    }
    // Pages as well: a rebound name shows nothing of ours.
    let answer = server.ask("GET", "/", &[("Host", "evil.example")], b"").await;
    answer.problem(421, "foreign-host");
}

#[tokio::test]
async fn what_other_pages_cause_is_refused() {
    let server = start(Options::default()).await;
    let own = format!("http://{}", server.address);
    let pause = br#"{"paused": true}"#;
    let post = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        server.ask("POST", "/api/v1/pause", &headers, pause).await
    };
    assert_eq!(post(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).await.status, 200);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"] {
        let detail = post(&[("Origin", origin)]).await.problem(403, "foreign-page");
        assert!(detail.contains(origin) && detail.contains(&own), "{detail}");
    }
    // A picture, a script or a frame of another page; a link may be followed.
    for site in ["cross-site", "same-site"] {
        let fetch = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")];
        get_with(&server, &fetch).await.problem(403, "foreign-page");
        let link = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate")];
        assert_eq!(server.ask("GET", "/", &link, b"").await.status, 200);
    }
    for socket in ["live", "watch"] {
        let mut request = server.socket(socket).into_client_request().unwrap();
        request.headers_mut().insert("Origin", "http://evil.example".parse().unwrap());
        let error = tokio_tungstenite::connect_async(request).await.unwrap_err().to_string();
        assert!(error.contains("403"), "{error}");
    }
}

#[tokio::test]
async fn each_role_may_do_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = with_tokens(folder.path()).await;
    let picture = common::file("hopper_small.png");
    let ask = async |role: Option<Role>, method: &str, path: &str, kind: &str, body: &[u8]| {
        let bearer = role.map(|role| format!("Bearer {}", token(role)));
        let mut headers = vec![("Content-Type", kind)];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        server.ask(method, path, &headers, body).await
    };
    let (json, png) = ("application/json", "image/png");
    let pause = br#"{"paused": false}"#.as_slice();
    let requests = [
        ("GET", "/", json, &[][..], None),
        ("GET", "/api/v1/health", json, b"", None),
        ("GET", "/api/v1/info", json, b"", None),
        ("GET", "/api/v1/robots", json, b"", Some(Role::Viewer)),
        ("GET", "/metrics", json, b"", Some(Role::Viewer)),
        ("POST", "/api/v1/analyze", png, picture.as_slice(), Some(Role::Viewer)),
        ("POST", "/api/v1/explain", png, picture.as_slice(), Some(Role::Viewer)),
        ("POST", "/api/v1/pause", json, pause, Some(Role::Operator)),
    ];
    for (method, path, kind, body, least) in requests {
        for role in [None, Some(Role::Rating), Some(Role::Viewer), Some(Role::Operator)] {
            let answer = ask(role, method, path, kind, body).await;
            match role {
                _ if role >= least => assert_eq!(answer.status, 200, "{path} {role:?}"),
                None => {
                    answer.problem(401, "sign-in");
                    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
                }
                Some(role) => {
                    let detail = answer.problem(403, "forbidden");
                    assert!(detail.contains(role.as_str()), "{detail}");
                }
            }
        }
    }
    for socket in ["live", "watch"] {
        let error = tokio_tungstenite::connect_async(server.socket(socket)).await.unwrap_err();
        assert!(error.to_string().contains("401"), "{error}");
        let mut request = server.socket(socket).into_client_request().unwrap();
        let bearer = format!("Bearer {}", token(Role::Viewer)).parse().unwrap();
        request.headers_mut().insert("Authorization", bearer);
        tokio_tungstenite::connect_async(request).await.unwrap();
    }
    let info = ask(None, "GET", "/api/v1/info", json, b"").await.json();
    assert_eq!((&info["role"], &info["sign_in_needed"]), (&().into(), &true.into()));
    let info = ask(Some(Role::Rating), "GET", "/api/v1/info", json, b"").await.json();
    assert_eq!((&info["role"], &info["sign_in_needed"]), (&"rating".into(), &false.into()));
    // A token in the address is none.
    let path = format!("/api/v1/robots?token={}", token(Role::Operator));
    server.get(&path).await.problem(401, "sign-in");
}

#[tokio::test]
async fn a_browser_signs_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = with_tokens(folder.path()).await;
    let body = serde_json::json!({ "token": format!(" {}\n", token(Role::Viewer)) }).to_string();
    let signed = server.post("/api/v1/sign-in", "application/json", body.as_bytes()).await;
    assert_eq!(signed.status, 204);
    let cookie = signed.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let cookies = format!("theme=dark; {pair}");
    assert_eq!(get_with(&server, &[("Cookie", &cookies)]).await.status, 200);
    get_with(&server, &[("Cookie", "rapport_token=wrong")]).await.problem(401, "sign-in");
    let out = server.post("/api/v1/sign-out", "application/json", b"").await;
    assert!(out.header("set-cookie").unwrap().starts_with("rapport_token=; "));
}

#[tokio::test]
async fn tokens_are_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = with_tokens(folder.path()).await;
    for _ in 0..3 {
        let wrong = br#"{"token": "wrong"}"#;
        let answer = server.post("/api/v1/sign-in", "application/json", wrong).await;
        answer.problem(401, "sign-in");
    }
    for _ in 0..2 {
        get_with(&server, &[("Authorization", "Bearer wrong")]).await.problem(401, "sign-in");
    }
    // Now the right one is not even looked at.
    let bearer = format!("Bearer {}", token(Role::Operator));
    let answer = get_with(&server, &[("Authorization", &bearer)]).await;
    answer.problem(429, "too-many");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() <= 61);
}

#[tokio::test]
async fn with_a_certificate_the_connection_is_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned()];
    let certificate = Certificate::in_folder(folder.path(), &names, &[]).unwrap();
    let pem = std::fs::read(certificate.path()).unwrap();
    let tokens = Tokens::in_folder(folder.path()).unwrap();
    let options = Options {
        certificate: Some(certificate),
        tokens: Some(tokens.clone()),
        ..Options::default()
    };
    let server = start(options).await;
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let token = tokens.iter().next().unwrap().1;
    let body = serde_json::json!({ "token": token }).to_string();
    let origin = format!("https://{}", server.address);
    let headers = [("Content-Type", "application/json"), ("Origin", origin.as_str())];
    let head = server.head("POST", "/api/v1/sign-in", &headers, body.len());
    let answer = exchange(&mut stream, &head, body.as_bytes()).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
    // Who speaks no TLS gets nothing, and does not stop the server.
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    TcpStream::connect(server.address).await.unwrap();
}

#[tokio::test]
async fn the_address_restricts_who_reaches_it() {
    let server = start_at("127.0.0.1:0", Options::default(), None).await;
    // No packet is sent: it only tells which address of this machine would be used.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    let other = match probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr()) {
        Ok(address) if !address.ip().is_loopback() => address.ip(),
        // Another loopback address is one that it does not listen at either.
        _ => "127.0.0.2".parse().unwrap(),
    };
    let port = server.address.port();
    for address in [other, "127.0.0.2".parse().unwrap()] {
        assert!(TcpStream::connect((address, port)).await.is_err(), "{address} is open");
    }
    let everywhere = start_at("0.0.0.0:0", Options::default(), None).await;
    let port = everywhere.address.port();
    assert!(TcpStream::connect((other, port)).await.is_ok(), "{other} is closed");
}

#[tokio::test]
async fn a_taken_port_is_an_error_or_the_next_one() {
    let taken = start(Options::default()).await;
    let bind = |listen| Server::bind(listen, Options::default(), common::networks(), None);
    let error = bind(Listen::At(taken.address)).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("address {}: Address already in use", taken.address)));
    let next = bind(Listen::Near(taken.address)).await.unwrap();
    assert!(next.address().port() > taken.address.port());
}
