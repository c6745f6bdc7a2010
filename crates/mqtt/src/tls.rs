//! Whom the robot trusts to be its broker.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::options::MqttError;

/// TLS 1.2 or 1.3 with the certificates of a file, or else of the system. The broker's name is
/// always checked.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, MqttError> {
    let mut roots = RootCertStore::empty();
    let from = match ca_file {
        Some(path) => {
            let wrong = |error: rustls::pki_types::pem::Error| MqttError::File {
                path: path.to_owned(),
                what: "certificates",
                reason: error.to_string(),
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(wrong)? {
                roots.add(certificate.map_err(wrong)?)?;
            }
            path.display().to_string()
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "this system".to_owned()
        }
    };
    if roots.is_empty() {
        return Err(MqttError::NoCertificate { from });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
