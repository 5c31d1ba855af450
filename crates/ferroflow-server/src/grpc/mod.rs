//! gRPC and gRPC-web beside REST: the calls of v2beta1, ML Metadata, reflection and health.
//!
//! Frames and trailers are tonic's business; handlers are those of REST. Begin with [`Grpc::answer`].

mod codec;
mod frame;
mod service;

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use futures_util::future::BoxFuture;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Request};
use tonic::Status;
use tonic_reflection::server::Builder;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use self::service::{Calls, Target};
use crate::Services;
use crate::guard::essence_of;
use crate::metrics::Metrics;
use crate::rest::answer::Answer;
use crate::rest::body::BodyBudget;

/// An HTTP request as tonic sees it.
type Asked = Request<tonic::body::Body>;
/// An HTTP answer as tonic makes it.
type Answered = hyper::Response<tonic::body::Body>;
/// A service of tonic's, whatever its type.
type Ready = BoxCloneSyncService<Asked, Answered, Infallible>;

/// Whether a request is gRPC or gRPC-web.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    is_grpc_type(essence_of(content_type))
}

/// Whether a media type is one of gRPC or gRPC-web. No form can send one without asking the server first.
pub(crate) fn is_grpc_type(essence: &str) -> bool {
    let kind = essence.split('+').next().unwrap_or_default();
    ["application/grpc", "application/grpc-web", "application/grpc-web-text"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(kind))
}

/// The gRPC server without its sockets.
#[derive(Clone)]
pub(crate) struct Grpc {
    calls: Arc<Calls>,
    /// Both versions, made for the first client that asks: they keep all protos in memory.
    reflection: Arc<OnceLock<Option<[Ready; 2]>>>,
    health: Ready,
}

impl Grpc {
    pub(crate) fn new(services: Services, budget: BodyBudget, metrics: Arc<Metrics>) -> Self {
        // The server as a whole is healthy as long as it answers; it has no parts that could be ill alone.
        let (_, health) = tonic_health::server::health_reporter();
        Self {
            calls: Arc::new(Calls { services, budget, metrics }),
            reflection: Arc::default(),
            health: Ready::new(health),
        }
    }

    /// Answers one call; errors are answers too.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let web = tonic_web::GrpcWebLayer::new().layer(self.clone());
        match web.oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }

    async fn route(self, request: Asked) -> Answered {
        let path = request.uri().path();
        let Some((service, rpc)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
            return Status::unimplemented("a path has the form `/service/call`").into_http();
        };
        if let Some(target) = Target::of(service) {
            let rpc = rpc.to_owned();
            return self.calls.answer(target, rpc, request).await;
        }
        let ready = match service {
            "grpc.health.v1.Health" => Some(&self.health),
            "grpc.reflection.v1.ServerReflection" => self.reflection().map(|[v1, _]| v1),
            "grpc.reflection.v1alpha.ServerReflection" => self.reflection().map(|[_, v1alpha]| v1alpha),
            other => {
                return Status::unimplemented(format!("there is no service `{other}` here")).into_http();
            }
        };
        let Some(ready) = ready.cloned() else {
            return Status::internal("the protos of this build cannot be read").into_http();
        };
        match ready.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn reflection(&self) -> Option<&[Ready; 2]> {
        let made = self.reflection.get_or_init(|| {
            let protos =
                || Builder::configure().register_encoded_file_descriptor_set(ferroflow_proto::DESCRIPTORS);
            Some([Ready::new(protos().build_v1().ok()?), Ready::new(protos().build_v1alpha().ok()?)])
        });
        made.as_ref()
    }
}

impl Service<Asked> for Grpc {
    type Response = Answered;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Asked) -> Self::Future {
        let server = self.clone();
        Box::pin(async move { Ok(server.route(request).await) })
    }
}
