//! Lists with options: a filter, an order, pages.

use std::fmt::Write as _;

use ferroflow_ports::metadata::{MetadataTables, Narrowing, NodeOrder, NodeQuery};
use ferroflow_ports::{ErrorKind, PortError};
use ferroflow_proto::ml_metadata::list_operation_options::order_by_field::Field;
use ferroflow_proto::ml_metadata::{ListOperationNextPageToken, ListOperationOptions};
use prost::Message;

use crate::filter::Filter;
use crate::node::Node;
use crate::view;

type Result<T> = std::result::Result<T, PortError>;

/// Value sorted by and number: where a list goes on.
type Key = (i64, i64);

/// Rows that are read at once while a filter looks for what fits.
const CHUNK: u32 = 1000;

/// Nodes that an answer without pages may hold.
const MOST: usize = 1_000_000;

fn invalid(message: impl Into<String>) -> PortError {
    PortError::new(ErrorKind::InvalidArgument, message)
}

/// All that are narrowed down to, in order of number.
pub(crate) fn all<N: Node>(tables: &dyn MetadataTables, narrowing: Narrowing) -> Result<Vec<N>> {
    let (nodes, _) = Listing { narrowing, filter: None, order: NodeOrder::Id, ascending: true }
        .take(tables, None, MOST)?;
    Ok(nodes)
}

/// All that fit a filter, in order of number; at most `most`.
pub(crate) fn matching<N: Node>(tables: &dyn MetadataTables, filter: &str, most: usize) -> Result<Vec<N>> {
    let filter = Filter::parse(N::KIND, filter)?;
    let narrowing = filter.narrowing(tables)?.unwrap_or(Narrowing::All);
    let listing = Listing { narrowing, filter: Some(filter), order: NodeOrder::Id, ascending: true };
    Ok(listing.take(tables, None, most)?.0)
}

/// A page, and the token of the next one if there is more. Without options, everything.
pub(crate) fn page<N: Node>(
    tables: &dyn MetadataTables,
    narrowing: Narrowing,
    options: Option<&ListOperationOptions>,
) -> Result<(Vec<N>, Option<String>)> {
    let Some(options) = options else { return Ok((all(tables, narrowing)?, None)) };
    let size = usize::try_from(options.max_result_size()).unwrap_or_default();
    if size == 0 {
        return Err(invalid("`max_result_size` must be 1 or more"));
    }
    let order = options.order_by_field.unwrap_or_default();
    let filter = match options.filter_query() {
        "" => None,
        text => Some(Filter::parse(N::KIND, text)?),
    };
    // What the call itself narrows by stays; a filter may only narrow what is not.
    let narrowing = match (&filter, narrowing) {
        (Some(filter), Narrowing::All) => filter.narrowing(tables)?.unwrap_or(Narrowing::All),
        (_, narrowing) => narrowing,
    };
    let listing = Listing {
        narrowing,
        filter,
        order: match order.field() {
            Field::CreateTime => NodeOrder::Created,
            Field::LastUpdateTime => NodeOrder::Updated,
            Field::Id | Field::Unspecified => NodeOrder::Id,
        },
        ascending: order.is_asc(),
    };
    let after = match options.next_page_token() {
        "" => None,
        token => Some(read_token(token, options)?),
    };
    let (nodes, next) = listing.take(tables, after, size)?;
    Ok((nodes, next.map(|key| token(key, options))))
}

struct Listing {
    narrowing: Narrowing,
    filter: Option<Filter>,
    order: NodeOrder,
    ascending: bool,
}

impl Listing {
    /// At most `most` nodes after a key, and the key of the last one if there may be more.
    fn take<N: Node>(
        self,
        tables: &dyn MetadataTables,
        mut after: Option<Key>,
        most: usize,
    ) -> Result<(Vec<N>, Option<Key>)> {
        let mut found: Vec<N> = Vec::new();
        // One more than wanted tells whether there is more.
        let chunk = match self.filter {
            None => u32::try_from(most.saturating_add(1)).unwrap_or(u32::MAX),
            Some(_) => CHUNK,
        };
        let mut query = NodeQuery {
            narrowing: self.narrowing,
            order: self.order,
            ascending: self.ascending,
            after,
            limit: chunk,
        };
        let mut last = None;
        loop {
            query.after = after;
            let keys = tables.list(N::KIND, &query)?;
            let ids: Vec<i64> = keys.iter().map(|(_, id)| *id).collect();
            let mut nodes = view::nodes::<N>(tables, &ids)?;
            if let Some(filter) = &self.filter {
                nodes = filter.keep(tables, nodes)?;
            }
            let mut key_of =
                keys.iter().map(|(key, id)| (*id, *key)).collect::<std::collections::HashMap<_, _>>();
            for node in nodes {
                if found.len() == most {
                    return Ok((found, last));
                }
                last = node.common().id.and_then(|id| Some((key_of.remove(&id)?, id)));
                found.push(node);
            }
            after = keys.last().copied();
            if keys.len() < chunk as usize {
                return Ok((found, None));
            }
        }
    }
}

/// A token holds where to go on, and what was asked: it is good for the same question only.
fn token((key, id): Key, options: &ListOperationOptions) -> String {
    let token = ListOperationNextPageToken {
        id_offset: Some(id),
        field_offset: Some(key),
        set_options: Some(question(options)),
        listed_ids: Vec::new(),
    };
    token.encode_to_vec().iter().fold(String::new(), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn question(options: &ListOperationOptions) -> ListOperationOptions {
    ListOperationOptions { next_page_token: None, max_result_size: None, ..options.clone() }
}

fn read_token(text: &str, options: &ListOperationOptions) -> Result<Key> {
    let refuse = || invalid("`next_page_token` is not one that this server gave for this list");
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Vec<u8> = digits.collect::<Option<_>>().ok_or_else(refuse)?;
    let token = ListOperationNextPageToken::decode(bytes.as_slice()).map_err(|_| refuse())?;
    match (token.field_offset, token.id_offset, token.set_options) {
        (Some(key), Some(id), Some(asked)) if asked == question(options) => Ok((key, id)),
        _ => Err(refuse()),
    }
}
