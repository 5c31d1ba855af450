//! Sockets: accepts connections, bounds what they may cost, and drains them at the end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

use crate::Services;
use crate::guard::HostPolicy;
use crate::rest::Rest;
use crate::tls::Tls;

/// Time for a client to send its headers; also how long an idle connection is kept.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 100;
/// Request line and headers together; also the read buffer of a connection.
const MAX_HEADER_BYTES: usize = 128 * 1024;
/// The same for HTTP/2.
const MAX_HEADER_LIST_BYTES: u32 = 128 * 1024;
/// Calls at once on a connection of HTTP/2.
const MAX_STREAMS: u32 = 200;
/// After this time without a byte, a client of HTTP/2 is asked whether it is still there.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_mins(1);
/// Further connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;
/// Longest time that a client takes no byte of what it is being sent.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// Time that open connections have at the end.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// Pause after a failed accept (most likely out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Serve on an address that other machines reach, although nobody is asked who they are.
    pub allow_unauthenticated: bool,
    /// Further names that clients may call this server by, without port.
    pub allowed_hosts: Vec<String>,
    /// Speak TLS, and nothing else.
    pub tls: Option<Tls>,
}

/// Why serving ended early or never began.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is open to other machines.
    #[error(
        "`{0}` can be reached from other machines and the server asks nobody for a password: \
         listen on `127.0.0.1`, or say `--allow-unauthenticated`"
    )]
    NotLocal(SocketAddr),
    /// The socket is unusable.
    #[error("cannot use the listening socket")]
    Socket(#[source] std::io::Error),
}

/// Refuses an address that other machines reach, unless that was asked for. [`serve`] checks too; call it earlier to
/// fail before anything is started.
pub fn check_listen(address: SocketAddr, options: &ServerOptions) -> Result<(), ServeError> {
    if address.ip().is_loopback() || options.allow_unauthenticated {
        Ok(())
    } else {
        Err(ServeError::NotLocal(address))
    }
}

/// Serves until `shutdown` is ready, then lets open requests end (followed logs break off, the rest has 10 s).
pub async fn serve(
    listener: TcpListener,
    services: Services,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Socket)?;
    check_listen(address, &options)?;
    let stop = CancellationToken::new();
    let policy = HostPolicy::new(address, &options.allowed_hosts);
    let rest = Arc::new(Rest::new(services, policy, stop.clone()));
    let connections = TaskTracker::new();
    tokio::select! {
        () = accept(&listener, options.tls.as_ref(), &rest, &stop, &connections) => {}
        () = shutdown => {}
    }
    drop(listener);
    stop.cancel();
    connections.close();
    if timeout(DRAIN_LIMIT, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut off at shutdown");
    }
    Ok(())
}

/// Never returns.
async fn accept(
    listener: &TcpListener,
    tls: Option<&Tls>,
    rest: &Arc<Rest>,
    stop: &CancellationToken,
    connections: &TaskTracker,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = greet(stream, tls.cloned(), Arc::clone(rest), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn greet(stream: TcpStream, tls: Option<Tls>, rest: Arc<Rest>, stop: CancellationToken) {
    // Answers are small and clients wait for them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve_connection(stream, rest, stop).await,
        Some(tls) => match timeout(HEADER_LIMIT, tls.accept(stream)).await {
            Ok(Ok(stream)) => Box::pin(serve_connection(stream, rest, stop)).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS connection comes about"),
            Err(_) => tracing::debug!("a client takes too long to begin TLS"),
        },
    }
}

async fn serve_connection<Stream>(stream: Stream, rest: Arc<Rest>, stop: CancellationToken)
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let rest = Arc::clone(&rest);
        async move { Ok::<_, Infallible>(Box::pin(answer(&rest, request)).await) }
    });
    // Clients that speak HTTP/2 say so with their first bytes: gRPC does.
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(HEADER_LIMIT);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_LIMIT));
    let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke off");
    }
}

/// One request with its id: in the answer, and in everything that is logged meanwhile.
async fn answer(rest: &Rest, request: Request<Incoming>) -> Response<Body> {
    let id = Uuid::new_v4().simple().to_string();
    let span = tracing::info_span!(
        "request",
        request_id = id,
        method = %request.method(),
        path = request.uri().path(),
    );
    async {
        let mut response = rest.answer(request.map(Body::new)).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let same_origin = HeaderValue::from_static("same-origin");
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), same_origin);
        if let Ok(id) = HeaderValue::try_from(id.as_str()) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        response
    }
    .instrument(span)
    .await
}
