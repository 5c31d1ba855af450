//! The HTTP form of every call of the API, from the `google.api.http` annotations in `proto/v2beta1`.
//!
//! A server walks [`ROUTES`] once and needs no route of its own: it finds the call by method and path, makes one JSON
//! object of path, query and body, reads it as the request type in [`crate::v2beta1`], and calls the handler that is
//! known by `service` and `rpc`. Handlers stay functions from message to message, so other transports can use them
//! too. Matching paths and choosing handlers is the server's business, not done here.

pub use crate::generated::rest::ROUTES;
use crate::shape::MessageShape;

/// One call with its HTTP form.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Name of the service without its package, for example `RunService`.
    pub service: &'static str,
    /// Name of the call, for example `CreateRun`.
    pub rpc: &'static str,
    /// `GET`, `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Template of the path, for example `/apis/v2beta1/runs/{run_id}:archive`. `{field}` stands for one segment; what
    /// stands there is the value of that field of the request, or of a field in it if the name has dots.
    pub path: &'static str,
    /// The field of the request that the body holds, `*` for the whole request, `None` for no body. The query may hold
    /// all fields that are in neither path nor body.
    pub body: Option<&'static str>,
    /// The request. Its Rust type has the same name, except for `google.protobuf.Empty`, which has none.
    pub request: &'static MessageShape,
}
