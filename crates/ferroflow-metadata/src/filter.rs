//! Filter queries: `type = 'system.Model' AND contexts_a.name = 'r1' AND custom_properties.acc.double_value > 0.9`.
//!
//! A condition on a property, or on a neighbour under an alias, holds only for nodes that have one; all conditions
//! under one alias speak of the same neighbour. Functions are not known.

mod evaluate;
mod parse;
mod token;

use std::collections::BTreeMap;

use ferroflow_ports::PortError;
use ferroflow_ports::metadata::{MetadataTables, Narrowing, NodeKind, NodeOrder, NodeQuery};

use crate::node::Node;
use crate::row;
use crate::types::{self, PIPELINE, PIPELINE_RUN};

/// A value in a query or of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A bare word: the name of a state or of a type of events.
    Word(String),
}

/// Which neighbours an alias stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    Contexts,
    ParentContexts,
    ChildContexts,
    Artifacts,
    Executions,
    Events,
}

/// Something that has a value for a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Literal(Literal),
    /// A field of the node.
    Field(String),
    /// A declared or custom property, and which type of value is meant.
    Property {
        is_custom: bool,
        name: String,
        held: String,
    },
    /// A field of the neighbour under an alias.
    Neighbour {
        relation: Relation,
        alias: String,
        field: String,
    },
    /// `+`, `-`, `*` or `/`.
    Arithmetic {
        sign: char,
        left: Box<Operand>,
        right: Box<Operand>,
    },
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare {
        how: Comparison,
        left: Operand,
        right: Operand,
    },
    In {
        operand: Operand,
        among: Vec<Literal>,
    },
    IsNull(Operand),
    /// A truth value by itself.
    Is(Operand),
}

/// A query that was read.
pub(crate) struct Filter {
    kind: NodeKind,
    condition: Condition,
    /// Properties that a node must have: custom or not, and the name.
    properties: Vec<(bool, String)>,
    /// What the aliases stand for.
    aliases: BTreeMap<String, Relation>,
}

impl Filter {
    /// Reads a query about nodes of a kind. `InvalidArgument` says where it went wrong.
    pub(crate) fn parse(kind: NodeKind, text: &str) -> Result<Self, PortError> {
        let condition = parse::condition(kind, text)?;
        let mut filter = Self { kind, condition, properties: Vec::new(), aliases: BTreeMap::new() };
        let condition = filter.condition.clone();
        condition.visit(&mut |operand| filter.note(operand));
        Ok(filter)
    }

    fn note(&mut self, operand: &Operand) {
        match operand {
            Operand::Property { is_custom, name, .. } => self.properties.push((*is_custom, name.clone())),
            Operand::Neighbour { relation, alias, .. } => {
                self.aliases.insert(alias.clone(), *relation);
            }
            Operand::Arithmetic { left, right, .. } => {
                self.note(left);
                self.note(right);
            }
            Operand::Literal(_) | Operand::Field(_) => {}
        }
    }

    /// What an index can find; the filter itself still has to be asked. `None` if nothing helps.
    pub(crate) fn narrowing(&self, tables: &dyn MetadataTables) -> Result<Option<Narrowing>, PortError> {
        let mut weaker = None;
        for condition in self.condition.conjuncts() {
            match condition {
                Condition::Compare { how: Comparison::Equal, left, right } => {
                    let found = match (left, right) {
                        (operand, Operand::Literal(value)) | (Operand::Literal(value), operand) => {
                            self.equal(tables, operand, value)?
                        }
                        _ => None,
                    };
                    match found {
                        Some(types @ Narrowing::Types { .. }) => weaker = Some(types),
                        Some(strong) => return Ok(Some(strong)),
                        None => {}
                    }
                }
                Condition::In { operand: Operand::Field(field), among } if field == "id" => {
                    let ids = among.iter().filter_map(|value| match value {
                        Literal::Int(id) => Some(*id),
                        _ => None,
                    });
                    return Ok(Some(Narrowing::Ids(ids.collect())));
                }
                _ => {}
            }
        }
        Ok(weaker)
    }

    fn equal(
        &self,
        tables: &dyn MetadataTables,
        operand: &Operand,
        value: &Literal,
    ) -> Result<Option<Narrowing>, PortError> {
        Ok(match (operand, value) {
            (Operand::Field(field), Literal::Int(id)) if field == "id" => Some(Narrowing::Ids(vec![*id])),
            (Operand::Field(field), Literal::Text(text)) => match field.as_str() {
                "name" => Some(Narrowing::Name(text.clone())),
                "uri" => Some(Narrowing::Uris(vec![text.clone()])),
                "type" => Some(self.of_any_version(tables, text)?),
                "external_id" => Some(Narrowing::ExternalIds(vec![text.clone()])),
                _ => None,
            },
            (Operand::Neighbour { relation: Relation::Contexts, field, .. }, Literal::Int(id))
                if field == "id" =>
            {
                Some(Narrowing::Context(*id))
            }
            (Operand::Neighbour { relation: Relation::Contexts, field, .. }, Literal::Text(name))
                if field == "name" =>
            {
                let query = NodeQuery {
                    narrowing: Narrowing::Name(name.clone()),
                    order: NodeOrder::Id,
                    ascending: true,
                    after: None,
                    limit: 2,
                };
                match tables.list(NodeKind::Context, &query)?.as_slice() {
                    [] => Some(Narrowing::Ids(Vec::new())),
                    [(_, only)] => Some(Narrowing::Context(*only)),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// Nodes of the types of this name, whatever their versions.
    fn of_any_version(&self, tables: &dyn MetadataTables, name: &str) -> Result<Narrowing, PortError> {
        let Narrowing::Types { mut ids, rows } = of_type(tables, self.kind, name, "")? else {
            return Ok(Narrowing::All);
        };
        ids.extend(tables.types(self.kind)?.into_iter().filter(|row| row.name == name).map(|row| row.id));
        Ok(Narrowing::Types { ids, rows })
    }

    /// The nodes that fit, in their order.
    pub(crate) fn keep<N: Node>(
        &self,
        tables: &dyn MetadataTables,
        nodes: Vec<N>,
    ) -> Result<Vec<N>, PortError> {
        evaluate::keep(self, tables, nodes)
    }
}

/// Nodes of a type, whatever stands behind them.
pub(crate) fn of_type(
    tables: &dyn MetadataTables,
    kind: NodeKind,
    name: &str,
    version: &str,
) -> Result<Narrowing, PortError> {
    let rows = match (kind, version) {
        (NodeKind::Artifact, "") if name == types::ARTIFACT => vec![name.to_owned(), String::new()],
        (NodeKind::Artifact, "") => vec![name.to_owned()],
        (NodeKind::Execution, "") => row::task_kinds(name),
        (NodeKind::Context, "") if name == PIPELINE => vec!["PIPELINE".to_owned()],
        (NodeKind::Context, "") if name == PIPELINE_RUN => vec!["RUN".to_owned()],
        _ => Vec::new(),
    };
    Ok(Narrowing::Types { ids: vec![types::id_of(tables, kind, name, version)?], rows })
}

impl Condition {
    /// Conditions that must all hold.
    fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(left, right) => {
                let mut all = left.conjuncts();
                all.append(&mut right.conjuncts());
                all
            }
            other => vec![other],
        }
    }

    fn visit(&self, see: &mut dyn FnMut(&Operand)) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.visit(see);
                right.visit(see);
            }
            Self::Not(inner) => inner.visit(see),
            Self::Compare { left, right, .. } => {
                see(left);
                see(right);
            }
            Self::In { operand, .. } | Self::IsNull(operand) | Self::Is(operand) => see(operand),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_comes_is_read_or_refused() {
        const PIECES: [&str; 32] = [
            "name",
            "=",
            "!=",
            "'a'",
            "\"b\"",
            " AND ",
            " OR ",
            "NOT ",
            "(",
            ")",
            "properties",
            ".",
            "x",
            ".int_value",
            "1",
            "1.5",
            " IN ",
            " LIKE ",
            " IS NULL",
            " BETWEEN ",
            "contexts_a",
            "events_0",
            "type",
            "-",
            "+",
            "*",
            "/",
            ",",
            "`c d`",
            "custom_properties",
            "LIVE",
            " ",
        ];
        bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
            let mut bytes = Vec::new();
            for byte in choice {
                match PIECES.get(usize::from(*byte)) {
                    Some(piece) => bytes.extend_from_slice(piece.as_bytes()),
                    None => bytes.push(*byte),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            for kind in [NodeKind::Artifact, NodeKind::Execution, NodeKind::Context] {
                let _ = Filter::parse(kind, &text);
            }
        });
    }
}
