//! Addresses and connections.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::ClientError;

/// Most bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaseError {
    /// Not an address.
    #[error("is not an address that begins with http:// or https://")]
    NotAnAddress,
    /// It holds more than an address.
    #[error("holds a user, a query or a fragment: write address and path alone")]
    HoldsMore,
}

/// Where an API begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    is_tls: bool,
    host: String,
    port: u16,
    path: String,
}

impl Base {
    /// Reads an address: `http://nms.example.net:8181/nms-api`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, BaseError> {
        let uri: hyper::Uri = text.parse().map_err(|_| BaseError::NotAnAddress)?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(BaseError::NotAnAddress),
        };
        let authority = uri.authority().ok_or(BaseError::NotAnAddress)?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(BaseError::HoldsMore);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(BaseError::NotAnAddress);
        }
        Ok(Self {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Its path, without a stroke at the end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether what is said to it can be read on the way.
    pub fn is_readable_on_the_way(&self) -> bool {
        !self.is_tls
    }

    pub(super) fn host_header(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    /// Host and port, for people.
    pub fn host_and_port(&self) -> String {
        self.host_header()
    }
}

/// Whose certificates are believed.
#[derive(Clone)]
pub struct Trust(Option<TlsConnector>);

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Trust(tls)" } else { "Trust(none)" })
    }
}

/// Certificates that cannot be used.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("cannot read certificates from {0}: name a PEM file")]
    File(String),
    /// There are none.
    #[error("the system has no certificates to believe: install ca-certificates, or name a file with `ca`")]
    NoneHere,
    /// The protocol versions do not fit the library.
    #[error("cannot prepare TLS")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

impl Trust {
    /// What a base address needs: nothing, the certificates of a file, or those of the system.
    ///
    /// # Errors
    /// When there are none.
    pub fn of(base: &Base, ca: Option<&Path>) -> Result<Self, TrustError> {
        if !base.is_tls {
            return Ok(Self(None));
        }
        let mut roots = RootCertStore::empty();
        match ca {
            Some(path) => {
                let file = || TrustError::File(path.display().to_string());
                let found = CertificateDer::pem_file_iter(path).map_err(|_| file())?;
                let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|_| file())?;
                if roots.add_parsable_certificates(found).0 == 0 {
                    return Err(file());
                }
            }
            None => {
                let found = rustls_native_certs::load_native_certs();
                if roots.add_parsable_certificates(found.certs).0 == 0 {
                    return Err(TrustError::NoneHere);
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(TlsConnector::from(Arc::new(config)))))
    }
}

/// A new connection. The task that drives it ends with it.
pub(super) async fn open(base: &Base, trust: &Trust) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let stream = TcpStream::connect((base.host.as_str(), base.port))
        .await
        .map_err(ClientError::Connect)?;
    stream.set_nodelay(true).map_err(ClientError::Connect)?;
    let Some(tls) = &trust.0 else {
        return handshake(TokioIo::new(stream)).await;
    };
    let name = ServerName::try_from(base.host.clone())
        .map_err(|error| ClientError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let stream = tls.connect(name, stream).await.map_err(ClientError::Tls)?;
    handshake(TokioIo::new(stream)).await
}

async fn handshake<I>(io: I) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    I: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let builder = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(64)
        .to_owned();
    let (sender, connection) = builder.handshake(io).await.map_err(ClientError::Closed)?;
    tokio::spawn(async move {
        // Who waits for an answer hears of it.
        if let Err(error) = connection.await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a connection to a management system ended"
            );
        }
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_port_and_path() {
        #[track_caller]
        fn check(text: &str, expected: Result<(&str, &str), BaseError>) {
            let base = Base::parse(text);
            let shown = base.as_ref().map(|base| (base.host_header(), base.path().to_owned()));
            let expected = expected.map(|(host, path)| (host.to_owned(), path.to_owned()));
            assert_eq!(shown.map_err(Clone::clone), expected, "{text}");
        }
        check(
            "http://nms.example.net:8181/nms-api",
            Ok(("nms.example.net:8181", "/nms-api")),
        );
        check(
            "http://nms.example.net:8181/nms-api/",
            Ok(("nms.example.net:8181", "/nms-api")),
        );
        check("https://192.0.2.7", Ok(("192.0.2.7:443", "")));
        check("http://[2001:db8::7]:81/", Ok(("[2001:db8::7]:81", "")));
        check("http://noc:secret@nms.example.net/", Err(BaseError::HoldsMore));
        check("http://nms.example.net/?a=b", Err(BaseError::HoldsMore));
        check("ftp://nms.example.net/", Err(BaseError::NotAnAddress));
        check("nms.example.net", Err(BaseError::NotAnAddress));
    }
}
