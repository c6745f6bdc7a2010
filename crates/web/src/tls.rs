//! TLS: the server's own certificate, made on the first run, or one from files.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::tokens::write_private;

/// A certificate and its key, ready for use.
#[derive(Clone)]
pub struct Certificate {
    config: Arc<ServerConfig>,
    fingerprint: String,
    path: PathBuf,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can be neither read nor made.
    #[error("certificate file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("certificate file {}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key cannot be used.
    #[error("certificate {}: {reason}", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Certificate {
    /// Reads a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// If a file cannot be read, holds something else, or the two do not belong together.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            fs::read(path)
                .map_err(|source| CertificateError::File { path: path.to_owned(), source })
        };
        let content = |path: &Path, reason: String| CertificateError::Content {
            path: path.to_owned(),
            reason,
        };
        let (chain, secret) = (read(certificate)?, read(key)?);
        let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| content(certificate, error.to_string()))?;
        let Some(first) = chain.first() else {
            return Err(content(certificate, "no certificate in it, expected PEM".to_owned()));
        };
        let fingerprint = fingerprint(first);
        let secret = PrivateKeyDer::from_pem_slice(&secret)
            .map_err(|error| content(key, format!("no private key in it: {error}")))?;
        let unusable = |error: rustls::Error| CertificateError::Unusable {
            path: certificate.to_owned(),
            reason: error.to_string(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint, path: certificate.to_owned() })
    }

    /// Reads the server's own certificate in a folder, or makes one for these names and addresses if
    /// there is none yet.
    ///
    /// # Errors
    /// If it can be neither read nor made.
    pub fn in_folder(
        folder: &Path,
        names: &[String],
        addresses: &[IpAddr],
    ) -> Result<Self, CertificateError> {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        match Self::from_files(&certificate, &key) {
            Err(CertificateError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                make(&certificate, &key, names, addresses)?;
                Self::from_files(&certificate, &key)
            }
            result => result,
        }
    }

    /// The SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The file of the certificate.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

fn make(
    certificate: &Path,
    key: &Path,
    names: &[String],
    addresses: &[IpAddr],
) -> Result<(), CertificateError> {
    let unusable = |error: rcgen::Error| CertificateError::Unusable {
        path: certificate.to_owned(),
        reason: error.to_string(),
    };
    let addresses = addresses.iter().map(IpAddr::to_string);
    let names: Vec<_> = names.iter().cloned().chain(addresses).collect();
    let mut params = rcgen::CertificateParams::new(names).map_err(unusable)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "Rapport");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let secret = rcgen::KeyPair::generate().map_err(unusable)?;
    let signed = params.self_signed(&secret).map_err(unusable)?;
    let file = |path: &Path, pem: String| {
        fs::remove_file(path).ok();
        write_private(path, pem.as_bytes())
            .map_err(|source| CertificateError::File { path: path.to_owned(), source })
    };
    file(key, secret.serialize_pem())?;
    file(certificate, signed.pem())
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut text = String::new();
    for (index, byte) in Sha256::digest(certificate).iter().enumerate() {
        let colon = if index > 0 { ":" } else { "" };
        // Writing to a string does not fail.
        write!(text, "{colon}{byte:02X}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_own_certificate_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned()];
        let addresses = ["127.0.0.1".parse().unwrap()];
        let made = Certificate::in_folder(folder.path(), &names, &addresses).unwrap();
        let read = Certificate::in_folder(folder.path(), &[], &[]).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert_eq!(made.fingerprint().len(), 32 * 3 - 1);
        let key = fs::metadata(folder.path().join("key.pem")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_wrong_with_files_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let own = Certificate::in_folder(&one, &["one".to_owned()], &[]).unwrap();
        let foreign = Certificate::in_folder(&other, &["other".to_owned()], &[]).unwrap();
        let error = |certificate: &Path, key: &Path| {
            Certificate::from_files(certificate, key).unwrap_err().to_string()
        };
        let missing = folder.path().join("missing.pem");
        assert!(error(&missing, &missing).contains("missing.pem: No such file"));
        let key = one.join("key.pem");
        assert!(error(&key, &key).contains("no certificate in it"));
        assert!(error(own.path(), own.path()).contains("no private key in it"));
        assert!(error(foreign.path(), &key).contains("other/certificate.pem"));
    }
}
