//! `rapport serve`: the pages and the API, without ROS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::Context;
use clap::Args;
use rapport_perception::{ModelFiles, Networks, RuntimeOptions};
use rapport_web::{Listen, Options, Server};

use super::output::print_line;

const DEFAULT: &str = "127.0.0.1:8080";

/// Serves the web pages and the API.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen at. Default: 127.0.0.1:8080, or the next port that is free.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

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
/// If the networks do not load or the address cannot be had.
pub fn run(args: &ServeArgs) -> anyhow::Result<u8> {
    let files =
        ModelFiles { emotion: args.model.clone().unwrap_or_default(), ..Default::default() };
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let first = Networks::load(&files, &runtime)?;
    let processors = available_parallelism().map_or(1, usize::from);
    let more = (1..processors).map(|_| Networks::load(&files, &runtime)).collect::<Result<_, _>>()?;
    let options = Options { assets: args.assets.clone(), ..Options::default() };
    let listen = match args.listen {
        Some(address) => Listen::At(address),
        None => Listen::Near(DEFAULT.parse().context(DEFAULT)?),
    };
    let serve = async {
        let server = Server::bind(listen, options, (first, more), None).await?;
        let address = server.address();
        print_line(&format!("Rapport is at http://{address}/ (end it with Ctrl-C)"))?;
        let end = end()?;
        server.run(end).await;
        Ok(0)
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve)
}

/// Done at the first Ctrl-C or SIGTERM.
fn end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
