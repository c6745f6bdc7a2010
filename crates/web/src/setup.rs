//! From what a user asks to how the server behaves: the rules by which it opens itself to others.
//! `rapport serve` and `dashboard_node` share them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use rapport_feedback::FeedbackError;
use rapport_journal::JournalError;

use crate::feedback::{FeedbackOptions, FeedbackService};
use crate::journal::{JournalOptions, JournalService};
use crate::options::{Limits, Notice, Options};
use crate::picture::Privacy;
use crate::server::{BindError, Listen};
use crate::tls::{Certificate, CertificateError};
use crate::tokens::{TokenError, Tokens};

/// Where the server is without `--listen`.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// What a user asks.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Where to listen; without it at [`DEFAULT_ADDRESS`] or one of the next ports.
    pub listen: Option<SocketAddr>,
    /// Open to others without tokens and TLS.
    pub insecure: bool,
    /// Ask for tokens also where only this machine gets in.
    pub tokens: bool,
    /// TLS also where only this machine gets in.
    pub tls: bool,
    /// Certificate chain and key, PEM files; without them an own certificate.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// More names of this machine.
    pub hosts: Vec<String>,
    /// Where tokens and the own certificate are kept; without it at `$XDG_STATE_HOME/rapport`.
    pub state_folder: Option<PathBuf>,
    /// What pictures may show.
    pub privacy: Privacy,
    /// What is bounded.
    pub limits: Limits,
    /// What the sign for guests says.
    pub notice: Notice,
    /// The pages come from this folder, instead of the program.
    pub assets: Option<PathBuf>,
    /// The journal that is to be kept, if any.
    pub journal: Option<JournalOptions>,
    /// Where faces of people who consent are kept, if at all.
    pub feedback: Option<FeedbackOptions>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No place for tokens and certificate.
    #[error(
        "no folder for tokens and certificate: neither XDG_STATE_HOME nor HOME is set; \
         name one with --state-dir"
    )]
    NoStateFolder,
    /// Others would get in, and the two ways to allow that contradict one another.
    #[error("--insecure gives up tokens and TLS, but --tokens, --tls or --tls-cert asks for them")]
    Contradiction,
    /// The tokens cannot be had.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The certificate cannot be had.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The journal cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Faces cannot be kept.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// Faces would be reviewed by everybody, and go over the network as they are.
    #[error("--insecure gives up tokens and TLS, but the faces of --feedback need both")]
    OpenFaces,
    /// Faces would be reviewed that are not to be shown.
    #[error("{0} shows no faces, but who reviews --feedback sees them: leave out one of the two")]
    HiddenFaces(&'static str),
    /// The address cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl Setup {
    /// Decides how the server behaves; makes tokens and certificate where there are none yet.
    ///
    /// # Errors
    /// If they can be neither read nor made, or the journal cannot be opened.
    pub fn decide(self) -> Result<(Listen, Options), SetupError> {
        let address = self.listen.unwrap_or(DEFAULT_ADDRESS);
        let listen = match self.listen {
            Some(address) => Listen::At(address),
            None => Listen::Near(address),
        };
        let asked = self.tokens || self.tls || self.certificate.is_some();
        if self.insecure && asked {
            return Err(SetupError::Contradiction);
        }
        if self.feedback.is_some() {
            self.check_faces(address)?;
        }
        let open = !address.ip().is_loopback() && !self.insecure;
        let mut hosts = self.hosts.clone();
        if !address.ip().is_loopback() {
            hosts.extend(own_names());
        }
        let tokens =
            if open || self.tokens { Some(Tokens::in_folder(&self.folder()?)?) } else { None };
        let certificate = match &self.certificate {
            Some((certificate, key)) => Some(Certificate::from_files(certificate, key)?),
            None if open || self.tls => {
                let names: Vec<_> = hosts.iter().cloned().chain(["localhost".to_owned()]).collect();
                let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                let mut addresses = vec![address.ip()];
                addresses.extend(own.into_iter().filter(|own| *own != address.ip()));
                Some(Certificate::in_folder(&self.folder()?, &names, &addresses)?)
            }
            None => None,
        };
        let Self { privacy, limits, notice, assets, journal, feedback, .. } = self;
        let journal = journal.map(JournalService::open).transpose()?;
        let feedback = feedback.map(FeedbackService::open).transpose()?;
        let options = Options {
            certificate,
            tokens,
            hosts,
            privacy,
            limits,
            notice,
            assets,
            journal,
            feedback,
        };
        Ok((listen, options))
    }

    /// Whether faces may be kept and reviewed with these options.
    fn check_faces(&self, address: SocketAddr) -> Result<(), SetupError> {
        if self.insecure && !address.ip().is_loopback() {
            return Err(SetupError::OpenFaces);
        }
        match self.privacy {
            Privacy { numbers_only: true, .. } => Err(SetupError::HiddenFaces("--numbers-only")),
            Privacy { blur_faces: true, .. } => Err(SetupError::HiddenFaces("--blur-faces")),
            _ => Ok(()),
        }
    }

    /// Where tokens and the own certificate are kept.
    ///
    /// # Errors
    /// If no folder was named and the user has none.
    pub fn folder(&self) -> Result<PathBuf, SetupError> {
        let set =
            |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = || set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
        let folder = self.state_folder.clone().or_else(|| Some(state()?.join("rapport")));
        folder.ok_or(SetupError::NoStateFolder)
    }
}

/// What a server tells when it starts: where it is, and what else its user should know.
pub fn greeting(address: SocketAddr, options: &Options) -> (String, Vec<String>) {
    let scheme = if options.certificate.is_some() { "https" } else { "http" };
    let shown = match own_names().into_iter().next() {
        Some(name) if address.ip().is_unspecified() => format!("{name}:{}", address.port()),
        _ => address.to_string(),
    };
    let mut more = Vec::new();
    if let Some(certificate) = &options.certificate {
        more.push(format!("SHA-256 of its certificate: {}", certificate.fingerprint()));
    }
    if let Some(tokens) = &options.tokens {
        let path = tokens.path().display();
        more.push(format!("tokens are in {path}; `rapport serve --show-tokens` prints them"));
    } else if !address.ip().is_loopback() {
        more.push(
            "WARNING: --insecure: everybody who reaches this address can use it, pause it, and \
             read along what others send"
                .to_owned(),
        );
    }
    (format!("Rapport is at {scheme}://{shown}/ (end it with Ctrl-C)"), more)
}

/// The names by which this machine is asked for.
fn own_names() -> Vec<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "" | "(none)" | "localhost" => Vec::new(),
        name if name.contains('.') => vec![name.to_owned()],
        name => vec![name.to_owned(), format!("{name}.local")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, folder: &std::path::Path) -> Setup {
        Setup {
            listen: Some(address.parse().unwrap()),
            state_folder: Some(folder.to_owned()),
            ..Setup::default()
        }
    }

    #[test]
    fn only_this_machine_gets_in_without_token_and_tls() {
        let folder = tempfile::tempdir().unwrap();
        let (listen, options) = Setup::default().decide().unwrap();
        assert_eq!(listen, Listen::Near(DEFAULT_ADDRESS));
        assert!(options.tokens.is_none() && options.certificate.is_none());
        let (_, options) = at("[::1]:80", folder.path()).decide().unwrap();
        assert!(options.tokens.is_none() && options.certificate.is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let (listen, options) = at("0.0.0.0:80", folder.path()).decide().unwrap();
        assert_eq!(listen, Listen::At("0.0.0.0:80".parse().unwrap()));
        let (first, more) = greeting("0.0.0.0:80".parse().unwrap(), &options);
        assert!(first.contains("https://") && more[0].contains("SHA-256"), "{first} {more:?}");
        let tokens = options.tokens.unwrap();
        assert!(tokens.iter().all(|(_, token)| !more.iter().any(|line| line.contains(token))));
    }

    #[test]
    fn others_get_in_without_only_where_that_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let insecure = Setup { insecure: true, ..at("0.0.0.0:80", folder.path()) };
        let (_, options) = insecure.clone().decide().unwrap();
        assert!(options.tokens.is_none() && options.certificate.is_none());
        let (_, more) = greeting("0.0.0.0:80".parse().unwrap(), &options);
        assert!(more[0].starts_with("WARNING: --insecure"), "{more:?}");
        let both = Setup { tokens: true, ..insecure };
        assert!(matches!(both.decide(), Err(SetupError::Contradiction)));
    }
}
