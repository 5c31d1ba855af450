//! Asks nodes whether a filter holds for them. Neighbours of all nodes are read together.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use ferroflow_ports::PortError;
use ferroflow_ports::metadata::{LinkEnd, LinkKind, MetadataTables, NodeKind};
use ferroflow_proto::ml_metadata::{Artifact, Context, Event, Execution, event, value};

use super::{Comparison, Condition, Filter, Literal, Operand, Relation};
use crate::node::Node;
use crate::view;

/// A neighbour: its fields by name.
type Fields = HashMap<&'static str, Literal>;

/// Neighbours of each node, by relation.
type Neighbours = BTreeMap<Relation, HashMap<i64, Vec<Fields>>>;

/// Ways to choose one neighbour for each alias; beyond this many only the first are tried.
const MOST_CHOICES: usize = 100_000;

pub(super) fn keep<N: Node>(
    filter: &Filter,
    tables: &dyn MetadataTables,
    nodes: Vec<N>,
) -> Result<Vec<N>, PortError> {
    let ids: Vec<i64> = nodes.iter().filter_map(|node| node.common().id).collect();
    let mut neighbours = Neighbours::new();
    for relation in filter.aliases.values() {
        if !neighbours.contains_key(relation) {
            neighbours.insert(*relation, read(tables, N::KIND, *relation, &ids)?);
        }
    }
    Ok(nodes.into_iter().filter(|node| fits(filter, node, &neighbours)).collect())
}

fn fits<N: Node>(filter: &Filter, node: &N, neighbours: &Neighbours) -> bool {
    let common = node.common();
    let has_properties = filter.properties.iter().all(|(is_custom, name)| {
        let properties = if *is_custom { common.custom_properties } else { common.properties };
        properties.contains_key(name)
    });
    if !has_properties {
        return false;
    }
    let fields = fields(node);
    let id = common.id.unwrap_or_default();
    // Every alias needs a neighbour; all combinations are tried until one fits.
    let mut choices: Vec<(&String, &[Fields])> = Vec::new();
    for (alias, relation) in &filter.aliases {
        match neighbours.get(relation).and_then(|found| found.get(&id)) {
            Some(found) if !found.is_empty() => choices.push((alias, found)),
            _ => return false,
        }
    }
    let combinations =
        choices.iter().fold(1_usize, |product, (_, found)| product.saturating_mul(found.len()));
    (0..combinations.min(MOST_CHOICES)).any(|mut number| {
        let mut chosen = HashMap::new();
        for (alias, found) in &choices {
            chosen.insert(alias.as_str(), found.get(number % found.len()));
            number /= found.len();
        }
        let scene = Scene { node, fields: &fields, chosen: &chosen };
        scene.holds(&filter.condition) == Some(true)
    })
}

struct Scene<'a, N> {
    node: &'a N,
    fields: &'a Fields,
    chosen: &'a HashMap<&'a str, Option<&'a Fields>>,
}

impl<N: Node> Scene<'_, N> {
    /// True, false, or unknown where something has no value.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::And(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Not(inner) => self.holds(inner).map(|held| !held),
            Condition::Compare { how, left, right } => compare(*how, &self.value(left), &self.value(right)),
            Condition::In { operand, among } => {
                let value = self.value(operand);
                if value == Literal::Null {
                    return None;
                }
                Some(among.iter().any(|other| compare(Comparison::Equal, &value, other) == Some(true)))
            }
            Condition::IsNull(operand) => Some(self.value(operand) == Literal::Null),
            Condition::Is(operand) => match self.value(operand) {
                Literal::Bool(flag) => Some(flag),
                _ => None,
            },
        }
    }

    fn value(&self, operand: &Operand) -> Literal {
        match operand {
            Operand::Literal(value) => value.clone(),
            Operand::Field(field) => self.fields.get(field.as_str()).cloned().unwrap_or(Literal::Null),
            Operand::Property { is_custom, name, held } => {
                let common = self.node.common();
                let properties = if *is_custom { common.custom_properties } else { common.properties };
                let value = properties.get(name).and_then(|value| value.value.as_ref());
                match (value, held.as_str()) {
                    (Some(value::Value::IntValue(value)), "int_value") => Literal::Int(*value),
                    (Some(value::Value::DoubleValue(value)), "double_value") => Literal::Float(*value),
                    (Some(value::Value::StringValue(value)), "string_value") => Literal::Text(value.clone()),
                    (Some(value::Value::BoolValue(value)), "bool_value") => Literal::Bool(*value),
                    _ => Literal::Null,
                }
            }
            Operand::Neighbour { alias, field, .. } => {
                let neighbour = self.chosen.get(alias.as_str()).copied().flatten();
                neighbour.and_then(|fields| fields.get(field.as_str())).cloned().unwrap_or(Literal::Null)
            }
            Operand::Arithmetic { sign, left, right } => {
                arithmetic(*sign, &self.value(left), &self.value(right))
            }
        }
    }
}

fn number(value: &Literal) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "databases compare so, too")]
        Literal::Int(value) => Some(*value as f64),
        Literal::Float(value) => Some(*value),
        _ => None,
    }
}

fn arithmetic(sign: char, left: &Literal, right: &Literal) -> Literal {
    if let (Literal::Int(left), Literal::Int(right)) = (left, right) {
        let whole = match sign {
            '+' => left.checked_add(*right),
            '-' => left.checked_sub(*right),
            '*' => left.checked_mul(*right),
            _ => None,
        };
        if let Some(whole) = whole {
            return Literal::Int(whole);
        }
    }
    let (Some(left), Some(right)) = (number(left), number(right)) else { return Literal::Null };
    let result = match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        _ => left / right,
    };
    if result.is_finite() { Literal::Float(result) } else { Literal::Null }
}

fn compare(how: Comparison, left: &Literal, right: &Literal) -> Option<bool> {
    let ordering = match (left, right) {
        (Literal::Null, _) | (_, Literal::Null) => return None,
        (Literal::Int(left), Literal::Int(right)) => left.cmp(right),
        (Literal::Bool(left), Literal::Bool(right)) => left.cmp(right),
        (Literal::Text(left) | Literal::Word(left), Literal::Text(right) | Literal::Word(right)) => {
            if how == Comparison::Like {
                return Some(is_like(left, right));
            }
            left.cmp(right)
        }
        _ => number(left)?.partial_cmp(&number(right)?)?,
    };
    Some(match how {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
        Comparison::Like => return None,
    })
}

/// Whether a text fits a pattern: `%` is any text, `_` any letter; the case of ASCII letters does not matter.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut next) = (0, 0);
    // Where to try again: behind the last `%`, with one letter more for it.
    let mut again: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(at) {
        match pattern.get(next) {
            Some('%') => {
                again = Some((next + 1, at));
                next += 1;
            }
            Some(wanted) if *wanted == '_' || wanted.eq_ignore_ascii_case(letter) => {
                at += 1;
                next += 1;
            }
            _ => match &mut again {
                Some((behind, from)) => {
                    *from += 1;
                    (next, at) = (*behind, *from);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(next).all(|letter| *letter == '%')
}

fn optional<T>(value: Option<T>, literal: impl FnOnce(T) -> Literal) -> Literal {
    value.map_or(Literal::Null, literal)
}

fn fields<N: Node>(node: &N) -> Fields {
    let common = node.common();
    let text = |value: Option<&str>| optional(value, |value| Literal::Text(value.to_owned()));
    let state = if N::KIND == NodeKind::Execution { "last_known_state" } else { "state" };
    HashMap::from([
        ("id", optional(common.id, Literal::Int)),
        ("type_id", optional(common.type_id, Literal::Int)),
        ("type", text(common.type_name)),
        ("name", text(common.name)),
        ("external_id", text(common.external_id)),
        ("uri", text(common.uri)),
        (state, optional(node.state(), |state| Literal::Word(state.to_owned()))),
        ("create_time_since_epoch", optional(common.created_ms, Literal::Int)),
        ("last_update_time_since_epoch", optional(common.updated_ms, Literal::Int)),
    ])
}

fn event_fields(event: &Event) -> Fields {
    let name = event.r#type.and_then(|number| event::Type::try_from(number).ok());
    HashMap::from([
        ("type", optional(name, |name| Literal::Word(name.as_str_name().to_owned()))),
        ("artifact_id", optional(event.artifact_id, Literal::Int)),
        ("execution_id", optional(event.execution_id, Literal::Int)),
        ("milliseconds_since_epoch", optional(event.milliseconds_since_epoch, Literal::Int)),
    ])
}

/// Neighbours of these nodes.
fn read(
    tables: &dyn MetadataTables,
    kind: NodeKind,
    relation: Relation,
    ids: &[i64],
) -> Result<HashMap<i64, Vec<Fields>>, PortError> {
    let member = if kind == NodeKind::Artifact { LinkKind::Attribution } else { LinkKind::Association };
    match relation {
        Relation::Events => {
            let events = match kind {
                NodeKind::Artifact => view::events::<Artifact>(tables, ids)?,
                _ => view::events::<Execution>(tables, ids)?,
            };
            let mut found: HashMap<i64, Vec<Fields>> = HashMap::new();
            for event in events {
                let own = if kind == NodeKind::Artifact { event.artifact_id } else { event.execution_id };
                found.entry(own.unwrap_or_default()).or_default().push(event_fields(&event));
            }
            Ok(found)
        }
        Relation::Contexts => linked::<Context>(tables, member, LinkEnd::Node, ids),
        Relation::ParentContexts => linked::<Context>(tables, LinkKind::Parent, LinkEnd::Node, ids),
        Relation::ChildContexts => linked::<Context>(tables, LinkKind::Parent, LinkEnd::Context, ids),
        Relation::Artifacts => linked::<Artifact>(tables, LinkKind::Attribution, LinkEnd::Context, ids),
        Relation::Executions => linked::<Execution>(tables, LinkKind::Association, LinkEnd::Context, ids),
    }
}

/// Nodes at the other end of edges.
fn linked<N: Node>(
    tables: &dyn MetadataTables,
    kind: LinkKind,
    end: LinkEnd,
    ids: &[i64],
) -> Result<HashMap<i64, Vec<Fields>>, PortError> {
    let links = tables.links(kind, end, ids)?;
    let pairs = links.into_iter().map(|(node, context)| match end {
        LinkEnd::Node => (node, context),
        LinkEnd::Context => (context, node),
    });
    let pairs: Vec<(i64, i64)> = pairs.collect();
    let mut others: Vec<i64> = pairs.iter().map(|(_, other)| *other).collect();
    others.sort_unstable();
    others.dedup();
    let nodes = view::nodes::<N>(tables, &others)?;
    let fields: HashMap<i64, Fields> =
        nodes.iter().filter_map(|node| Some((node.common().id?, fields(node)))).collect();
    let mut found: HashMap<i64, Vec<Fields>> = HashMap::new();
    for (own, other) in pairs {
        found.entry(own).or_default().extend(fields.get(&other).cloned());
    }
    Ok(found)
}
