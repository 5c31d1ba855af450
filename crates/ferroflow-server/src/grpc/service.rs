//! One call: its bytes within the budget, its handler, its answer.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ferroflow_proto::protobuf::Any;
use ferroflow_proto::rpc;
use http_body_util::Full;
use hyper::Request;
use prost::Message as _;
use tonic::{Response, Status};

use super::codec::Raw;
use super::{Answered, Asked, frame};
use crate::Services;
use crate::calls::{self, Message};
use crate::metrics::Metrics;
use crate::rest::body::{BodyBudget, MAX_BODY_BYTES};
use crate::status::{ApiError, Code};
use crate::v2beta1::CallContext;

/// The service of ML Metadata.
const METADATA: &str = "ml_metadata.MetadataStoreService";

/// Package of the API's services.
const API: &str = "kubeflow.pipelines.backend.api.v2beta1.";

/// Tells that a client wants all tags gone, which a message without tags cannot tell.
const CLEAR_TAGS: &str = "x-clear-tags";

/// Who answers a call.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A service of v2beta1, by its name without package.
    Api(String),
    Metadata,
}

impl Target {
    pub(super) fn of(service: &str) -> Option<Self> {
        match service.strip_prefix(API) {
            Some(name) => Some(Self::Api(name.to_owned())),
            None => (service == METADATA).then_some(Self::Metadata),
        }
    }
}

/// The handlers, and the memory that their requests may take.
pub(super) struct Calls {
    pub(super) services: Services,
    pub(super) budget: BodyBudget,
    pub(super) metrics: Arc<Metrics>,
}

impl Calls {
    pub(super) async fn answer(self: &Arc<Self>, target: Target, rpc: String, request: Asked) -> Answered {
        let (parts, body) = request.into_parts();
        // Held until the answer is made.
        let (body, _permit) = match frame::read(body, &self.budget).await {
            Ok(read) => read,
            Err(failure) => return status(&failure).into_http(),
        };
        let request = Request::from_parts(parts, Full::new(body));
        let calls = Arc::clone(self);
        let handler = tower::service_fn(move |request: tonic::Request<Bytes>| {
            let (calls, target, rpc) = (Arc::clone(&calls), target.clone(), rpc.clone());
            async move {
                let context = context(&request);
                let answer = calls.call(&target, &rpc, request.into_inner(), context).await;
                answer.map(Response::new).map_err(|failure| match target {
                    Target::Api(_) => status(&failure),
                    Target::Metadata => plain_status(&failure),
                })
            }
        });
        let mut server = tonic::server::Grpc::new(Raw).max_decoding_message_size(MAX_BODY_BYTES);
        server.unary(handler, request).await
    }

    async fn call(
        &self,
        target: &Target,
        rpc: &str,
        message: Bytes,
        context: CallContext,
    ) -> Result<Bytes, ApiError> {
        match target {
            Target::Metadata => {
                let unknown = || {
                    let text = format!("there is no call `{rpc}` of ML Metadata");
                    ApiError::new(Code::Unimplemented, text)
                };
                Ok(self.services.metadata.call(rpc, message).await.ok_or_else(unknown)??)
            }
            Target::Api(service) => {
                let begin = Instant::now();
                let answer =
                    calls::call(&self.services, service, rpc, Message::Binary(message), context).await;
                self.metrics.note(service, rpc, begin.elapsed(), answer.is_err());
                match answer? {
                    Message::Binary(answer) => Ok(answer),
                    Message::Json(_) => {
                        Err(ApiError::internal("a call answers in another form than it was asked"))
                    }
                }
            }
        }
    }
}

fn context(request: &tonic::Request<Bytes>) -> CallContext {
    let clear_tags = request.metadata().get(CLEAR_TAGS).is_some_and(|value| value == "true");
    CallContext { clear_tags }
}

/// Clients of ML Metadata read a code and a text.
fn plain_status(failure: &ApiError) -> Status {
    failure.log();
    Status::new(tonic::Code::from(failure.code.number()), failure.public_text())
}

/// The status with the one detail that clients of KFP read: code and text for people.
fn status(failure: &ApiError) -> Status {
    failure.log();
    let number = failure.code.number();
    let short = rpc::Status { code: number, message: failure.public_text().to_owned(), details: Vec::new() };
    let whole = rpc::Status { code: number, message: failure.chain_text(), details: vec![Any::from(&short)] };
    let details = Bytes::from(whole.encode_to_vec());
    Status::with_details(tonic::Code::from(number), whole.message, details)
}
