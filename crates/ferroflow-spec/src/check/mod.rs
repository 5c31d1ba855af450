//! What must hold before a pipeline is accepted: the shape of its messages, then their meaning.
//!
//! Both report everything they find. Begin with [`meaning_of`].

use crate::ir::PipelineSpec;
use crate::problem::Sink;
use crate::tree::NodeRef;

/// Checks the fields and kinds of both documents against the messages of the wire format.
pub(crate) fn shape_of(_spec: NodeRef<'_>, _platform: Option<NodeRef<'_>>, _sink: &mut Sink) {}

/// Checks references, types and graphs of the typed form; the document tells where to point.
pub(crate) fn meaning_of(_spec: &PipelineSpec, _document: NodeRef<'_>, _sink: &mut Sink) {}
