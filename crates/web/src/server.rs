//! The server: binds, accepts a bounded number of connections, and ends in good order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::access::Peer;
use crate::app::App;
use crate::assets::asset;
use crate::gate::{gate, no_such_method, panicked};
use crate::hub::Hub;
use crate::options::Options;
use crate::pool::{NetworkSets, Pool};
use crate::{api, headers, monitor};

/// Whoever connects must have sent the head of a request by this time, also of the next one.
const LONGEST_HEAD: Duration = Duration::from_secs(15);

/// TLS must be agreed on by this time.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// At the end, open requests have this long to finish.
const LONGEST_GOODBYE: Duration = Duration::from_secs(3);

/// How often the journal is told how the looking goes.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// How many ports after the one asked for are tried.
const MORE_PORTS: u16 = 20;

/// Bytes of the head of a request.
const MOST_HEAD: usize = 16 << 10;

/// Where a server is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// At this address or not at all.
    At(SocketAddr),
    /// At this address, or at one of the next ports where it is taken.
    Near(SocketAddr),
}

/// A server that is bound but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    end: watch::Sender<bool>,
}

/// The address is taken or not of this machine.
#[derive(Debug, thiserror::Error)]
#[error("address {address}: {source}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

impl Server {
    /// Binds a server. `hub`: what robots report, where they can.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub async fn bind(
        listen: Listen,
        options: Options,
        networks: NetworkSets,
        hub: Option<Arc<Hub>>,
    ) -> Result<Self, BindError> {
        let (wanted, more) = match listen {
            Listen::At(address) => (address, 0),
            Listen::Near(address) => (address, MORE_PORTS),
        };
        let mut address = wanted;
        let listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && address.port() < wanted.port().saturating_add(more) =>
                {
                    address.set_port(address.port() + 1);
                }
                Err(source) => return Err(BindError { address: wanted, source }),
            }
        };
        Ok(Self::of(listener, address, options, networks, hub))
    }

    /// A server at a socket that listens already: another program, such as systemd, opened it. The
    /// rest is as for [`Self::bind`].
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub fn on(
        socket: std::net::TcpListener,
        options: Options,
        networks: NetworkSets,
        hub: Option<Arc<Hub>>,
    ) -> Result<Self, BindError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = socket.local_addr().unwrap_or(unknown);
        let error = |source| BindError { address, source };
        socket.set_nonblocking(true).map_err(error)?;
        let listener = TcpListener::from_std(socket).map_err(error)?;
        Ok(Self::of(listener, address, options, networks, hub))
    }

    fn of(
        listener: TcpListener,
        wanted: SocketAddr,
        options: Options,
        networks: NetworkSets,
        hub: Option<Arc<Hub>>,
    ) -> Self {
        let address = listener.local_addr().unwrap_or(wanted);
        let (end, ending) = watch::channel(false);
        let pool = Pool::new(networks, options.limits.picture_pixels);
        let app = App::new(options, address.ip().is_loopback(), pool, hub, ending);
        Self { listener, address, app, end }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What all requests share.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Answers until `end` is done, then says goodbye to everybody and closes the journal.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let router = router(self.app.clone());
        if let Some(feedback) = &self.app.options.feedback {
            tokio::spawn(feedback.clone().expire_until(self.app.ended()));
        }
        let places = Arc::new(Semaphore::new(self.app.options.limits.connections));
        let tls = self.app.options.certificate.as_ref();
        let tls = tls.map(|certificate| TlsAcceptor::from(certificate.config()));
        monitor::listen(&self.app);
        let watching = tokio::spawn(monitor::watch(self.app.clone()));
        let counting = self.app.counts_sessions().then(|| tokio::spawn(count(self.app.clone())));
        tokio::pin!(end);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut end => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // No more files to open, or the like: it passes, and asking at once would not help.
                    tracing::warn!("connection not accepted: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                self.app.metrics.refused("connections");
                continue;
            };
            let (app, router, tls) = (self.app.clone(), router.clone(), tls.clone());
            tokio::spawn(async move {
                app.metrics.connection(1);
                serve(stream, peer, router, tls, &app).await;
                app.metrics.connection(-1);
                drop(place);
            });
        }
        drop(self.listener);
        self.end.send_replace(true);
        // Whoever does not finish in time is cut off.
        let finished = async {
            places.acquire_many(self.app.options.limits.connections as u32).await.ok();
            while self.app.sessions.now() + self.app.viewers.now() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONGEST_GOODBYE, finished).await.ok();
        if let Some(counting) = counting {
            counting.abort();
            self.app.count_health();
        }
        watching.abort();
        if let Some(journal) = self.app.options.journal.clone() {
            // What it could not write it has said in the log.
            spawn_blocking(move || journal.close()).await.ok();
        }
        if let Some(mqtt) = &self.app.options.mqtt {
            // With the last buckets, which the journal has just finished.
            mqtt.stop(LONGEST_GOODBYE).await;
        }
    }
}

/// Tells the journal how the looking goes.
async fn count(app: Arc<App>) {
    let mut tick = interval(COUNT_EVERY);
    loop {
        tick.tick().await;
        app.count_health();
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    app: &App,
) {
    // Answers are small, and each is waited for. A socket that refuses works without.
    stream.set_nodelay(true).ok();
    match tls {
        None => talk(stream, peer, router, app).await,
        Some(tls) => {
            // Who speaks no TLS, or does not trust the certificate, is no error of ours.
            if let Ok(Ok(stream)) = timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await {
                talk(stream, peer, router, app).await;
            }
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    app: &App,
) {
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.map(axum::body::Body::new)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    // A connection that breaks off is no error of ours.
    tokio::select! {
        _ = &mut connection => return,
        () = app.ended() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

fn router(app: Arc<App>) -> Router {
    let (api, _) = api::router();
    api.fallback(asset)
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), gate))
        .layer(map_response(headers::add))
        .with_state(app)
}
