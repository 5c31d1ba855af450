//! The calls, one function each. All but writes look at one state of the tables.
//!
//! Here is what they have in common; the calls themselves are in the files below.

mod nodes;
mod of_types;
mod reads;
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ferroflow_ports::metadata::{LinkEnd, LinkKind, MetadataStore, MetadataTables};
use ferroflow_ports::{Clock, ErrorKind, PortError};
use ferroflow_proto::ml_metadata as wire;
use wire::Context;

use crate::node::{Mask, Node};
use crate::put::{self, Stored, Writing};
use crate::put_type::{self, Allowed};
use crate::types::NodeType;
use crate::{filter, list, types, view};

type Result<T> = std::result::Result<T, PortError>;

/// ML Metadata over a store.
#[derive(Clone)]
pub struct Metadata {
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
}

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

fn not_found(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::NotFound, message)
}

impl Metadata {
    /// Over a store; the clock tells when something was written.
    pub fn new(store: Arc<dyn MetadataStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn MetadataTables) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (place, work) = placed(move |tables: &mut dyn MetadataTables| work(tables));
        self.store.read_metadata(work).await?;
        taken(&place)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let now = self.clock.now();
        let (place, work) = placed(move |tables: &mut dyn MetadataTables| work(&mut Writing { tables, now }));
        self.store.write_metadata(work).await?;
        taken(&place)
    }

    async fn put_nodes<N: Stored>(&self, nodes: Vec<N>, mask: Mask) -> Result<Vec<i64>> {
        self.write(move |writing| nodes.iter().map(|node| writing.put(node, &mask)).collect()).await
    }

    async fn put_one_type<T: NodeType>(
        &self,
        given: Option<T>,
        allowed: Allowed,
        all_fields_match: bool,
        can_delete: bool,
    ) -> Result<i64> {
        old_flags(all_fields_match, can_delete)?;
        let given = given.ok_or_else(|| invalid("the type is missing"))?;
        self.write(move |writing| put_type::put(writing.tables, &given, allowed)).await
    }

    async fn nodes_of_type<N: Stored>(
        &self,
        name: String,
        version: String,
        options: Option<wire::ListOperationOptions>,
    ) -> Result<(Vec<N>, Option<String>)> {
        self.read(move |tables| {
            let narrowing = filter::of_type(tables, N::KIND, &name, &version)?;
            list::page(tables, narrowing, options.as_ref())
        })
        .await
    }

    async fn node_by_name<N: Stored>(
        &self,
        type_name: String,
        version: String,
        name: String,
    ) -> Result<Option<N>> {
        self.read(move |tables| {
            let id = types::id_of(tables, N::KIND, &type_name, &version)?;
            put::by_type_and_name(tables, id, &name)
        })
        .await
    }

    async fn by_external_ids<N: Stored>(&self, ids: Vec<String>) -> Result<Vec<N>> {
        no_empty(&ids)?;
        let found: Vec<N> = self.read(move |tables| put::by_external_ids(tables, &ids)).await?;
        if found.is_empty() {
            return Err(not_found(format!("no {}s have these external ids", N::WORD)));
        }
        Ok(found)
    }

    async fn types_by_external_ids<T: NodeType>(&self, ids: Vec<String>) -> Result<Vec<T>> {
        no_empty(&ids)?;
        let all: Vec<T> = self.read(types::all).await?;
        let has = |found: &T| found.parts().external_id.is_some_and(|id| ids.iter().any(|other| other == id));
        let found: Vec<T> = all.into_iter().filter(has).collect();
        if found.is_empty() {
            return Err(not_found("no types have these external ids"));
        }
        Ok(found)
    }

    async fn one_type<T: NodeType>(&self, name: String, version: String) -> Result<T> {
        let key = name.clone();
        let found = self.read(move |tables| types::by_name(tables, &key, &version)).await?;
        found.ok_or_else(|| not_found(format!("there is no type `{name}`")))
    }

    async fn contexts_of<N: Node>(&self, id: i64) -> Result<Vec<Context>> {
        let kind = match N::KIND {
            ferroflow_ports::metadata::NodeKind::Artifact => LinkKind::Attribution,
            _ => LinkKind::Association,
        };
        let contexts = self.read(move |tables| linked(tables, kind, LinkEnd::Node, &[id])).await?;
        match contexts.into_values().next() {
            Some(contexts) => Ok(contexts),
            None => Err(not_found(format!("no contexts found for {} {id}", N::WORD))),
        }
    }

    async fn relatives(&self, ids: Vec<i64>, end: LinkEnd) -> Result<BTreeMap<i64, Vec<Context>>> {
        self.read(move |tables| linked(tables, LinkKind::Parent, end, &ids)).await
    }
}

/// Where a piece of work leaves its result.
type Place<T> = Arc<Mutex<Option<T>>>;

fn placed<T: Send + 'static>(
    work: impl Fn(&mut dyn MetadataTables) -> Result<T> + Send + 'static,
) -> (Place<T>, ferroflow_ports::metadata::MetadataWork) {
    let place = Place::default();
    let result = Arc::clone(&place);
    let work = Box::new(move |tables: &mut dyn MetadataTables| {
        let found = work(tables)?;
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(())
    });
    (place, work)
}

fn taken<T>(place: &Place<T>) -> Result<T> {
    let found = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.ok_or_else(|| PortError::new(ErrorKind::Internal, "the work on metadata left no result"))
}

/// Contexts at the other end of edges, by the known end.
fn linked(
    tables: &dyn MetadataTables,
    kind: LinkKind,
    end: LinkEnd,
    ids: &[i64],
) -> Result<BTreeMap<i64, Vec<Context>>> {
    let mut others: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (node, context) in tables.links(kind, end, ids)? {
        let (own, other) = if end == LinkEnd::Node { (node, context) } else { (context, node) };
        others.entry(own).or_default().push(other);
    }
    others.into_iter().map(|(own, other)| Ok((own, view::nodes(tables, &other)?))).collect()
}

fn no_empty(ids: &[String]) -> Result<()> {
    if ids.iter().any(String::is_empty) {
        return Err(invalid("`external_ids` holds an empty one"));
    }
    Ok(())
}

/// Two flags of old clients whose other values nobody supports.
fn old_flags(all_fields_match: bool, can_delete: bool) -> Result<()> {
    let refuse = |field: &str| {
        Err(PortError::new(ErrorKind::Unimplemented, format!("`{field}` is deprecated; leave it out")))
    };
    match (all_fields_match, can_delete) {
        (false, _) => refuse("all_fields_match"),
        (_, true) => refuse("can_delete_fields"),
        _ => Ok(()),
    }
}
