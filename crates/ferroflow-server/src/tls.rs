//! TLS in front of everything, from a certificate and a key in files.
//!
//! Read once: a renewed certificate counts from the next start. Clients are not asked for certificates.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// What greets connections: the server's certificate and its key.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not what it should be.
    #[error("`{0}` holds no {1} in PEM form")]
    Unreadable(PathBuf, &'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The two do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used together")]
    Unusable(#[source] tokio_rustls::rustls::Error),
}

impl Tls {
    /// From files in PEM form: the server's certificate followed by those that vouch for it, and its private key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let certificates = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable(certificate, "certificate"))?;
        let Some(own) = certificates.first().cloned() else {
            return Err(unreadable(certificate, "certificate")(pem::Error::NoItemsFound));
        };
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key, "private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: own })
    }

    /// The server's own certificate, in DER form.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The handshake with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

fn unreadable<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    what: &'static str,
) -> impl FnOnce(E) -> TlsError {
    let path = path.to_owned();
    move |error| TlsError::Unreadable(path, what, Box::new(error))
}
