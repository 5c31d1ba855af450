//! The shape of the messages.

use crate::problem::Sink;
use crate::tree::NodeRef;

/// Checks the fields and kinds of both documents against the messages of the wire format.
pub(crate) fn shape_of(_spec: NodeRef<'_>, _platform: Option<NodeRef<'_>>, _sink: &mut Sink) {}
