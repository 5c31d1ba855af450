//! Reads a query, strongest binding last: OR, AND, NOT, comparisons, `+ -`, `* /`, single values.

use ferroflow_ports::PortError;
use ferroflow_ports::metadata::NodeKind;

use super::token::{self, Token, wrong};
use super::{Comparison, Condition, Literal, Operand, Relation};

type Result<T> = std::result::Result<T, PortError>;

/// Parentheses and NOTs within each other; deeper ones would cost the stack.
const MOST_LEVELS: usize = 64;

/// Longest query, in bytes.
const MOST_BYTES: usize = 100_000;

struct Reader {
    kind: NodeKind,
    tokens: Vec<(Token, usize)>,
    next: usize,
    levels: usize,
    end: usize,
}

/// The condition that a query states.
pub(super) fn condition(kind: NodeKind, text: &str) -> Result<Condition> {
    if text.len() > MOST_BYTES {
        return Err(wrong("it is longer than 100,000 bytes", 1));
    }
    let tokens = token::cut(text)?;
    let mut reader = Reader { kind, tokens, next: 0, levels: 0, end: text.chars().count() + 1 };
    let condition = reader.any()?;
    match reader.peek() {
        None => Ok(condition),
        Some(_) => Err(wrong("the query should end here", reader.place())),
    }
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, place)| *place)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str) -> Result<()> {
        if self.takes(sign) { Ok(()) } else { Err(wrong(&format!("`{sign}` is missing"), self.place())) }
    }

    fn any(&mut self) -> Result<Condition> {
        let mut left = self.all()?;
        while self.takes_word("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Condition> {
        let mut left = self.negation()?;
        while self.takes_word("AND") {
            left = Condition::And(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn deeper(&mut self) -> Result<()> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(wrong("more than 64 levels of parentheses", self.place()));
        }
        Ok(())
    }

    fn negation(&mut self) -> Result<Condition> {
        if self.takes_word("NOT") {
            self.deeper()?;
            let inner = self.negation()?;
            self.levels -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        // A parenthesis opens a condition or a number: whichever can be read.
        let start = self.next;
        if self.takes("(") {
            self.deeper()?;
            let inner = self.any().and_then(|inner| self.needs(")").map(|()| inner));
            self.levels -= 1;
            match inner {
                Ok(inner) if !self.is_at_operator() => return Ok(inner),
                Err(error) if !self.is_number_at(start) => return Err(error),
                _ => self.next = start,
            }
        }
        self.comparison()
    }

    fn is_at_operator(&self) -> bool {
        matches!(self.peek(), Some(Token::Sign(sign)) if !matches!(*sign, ")" | ","))
    }

    /// Whether what was opened here looks like arithmetic: a parenthesis before a value.
    fn is_number_at(&self, start: usize) -> bool {
        matches!(self.tokens.get(start + 1), Some((Token::Value(Literal::Int(_) | Literal::Float(_)), _)))
    }

    fn comparison(&mut self) -> Result<Condition> {
        let left = self.sum()?;
        if self.takes_word("IS") {
            let is_negated = self.takes_word("NOT");
            if !self.takes_word("NULL") {
                return Err(wrong("`NULL` is missing", self.place()));
            }
            return Ok(negated(is_negated, Condition::IsNull(left)));
        }
        let is_negated = self.takes_word("NOT");
        if self.takes_word("IN") {
            let among = self.list()?;
            return Ok(negated(is_negated, Condition::In { operand: left, among }));
        }
        if self.takes_word("LIKE") {
            let right = self.sum()?;
            return Ok(negated(is_negated, Condition::Compare { how: Comparison::Like, left, right }));
        }
        if self.takes_word("BETWEEN") {
            let low = self.sum()?;
            if !self.takes_word("AND") {
                return Err(wrong("`AND` of BETWEEN is missing", self.place()));
            }
            let high = self.sum()?;
            let above =
                Condition::Compare { how: Comparison::GreaterOrEqual, left: left.clone(), right: low };
            let below = Condition::Compare { how: Comparison::LessOrEqual, left, right: high };
            return Ok(negated(is_negated, Condition::And(Box::new(above), Box::new(below))));
        }
        if is_negated {
            return Err(wrong("`IN`, `LIKE` or `BETWEEN` is missing", self.place()));
        }
        let how = match self.peek() {
            Some(Token::Sign("=")) => Comparison::Equal,
            Some(Token::Sign("!=" | "<>")) => Comparison::NotEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            _ => return Ok(Condition::Is(left)),
        };
        self.next += 1;
        Ok(Condition::Compare { how, left, right: self.sum()? })
    }

    fn list(&mut self) -> Result<Vec<Literal>> {
        self.needs("(")?;
        let mut among = Vec::new();
        loop {
            let place = self.place();
            match self.single()? {
                Operand::Literal(value) => among.push(value),
                _ => return Err(wrong("lists hold plain values only", place)),
            }
            if !self.takes(",") {
                break;
            }
        }
        self.needs(")")?;
        Ok(among)
    }

    fn sum(&mut self) -> Result<Operand> {
        let mut left = self.product()?;
        loop {
            let sign = match self.peek() {
                Some(Token::Sign("+")) => '+',
                Some(Token::Sign("-")) => '-',
                _ => return Ok(left),
            };
            self.next += 1;
            left = Operand::Arithmetic { sign, left: Box::new(left), right: Box::new(self.product()?) };
        }
    }

    fn product(&mut self) -> Result<Operand> {
        let mut left = self.single()?;
        loop {
            let sign = match self.peek() {
                Some(Token::Sign("*")) => '*',
                Some(Token::Sign("/")) => '/',
                _ => return Ok(left),
            };
            self.next += 1;
            left = Operand::Arithmetic { sign, left: Box::new(left), right: Box::new(self.single()?) };
        }
    }

    fn single(&mut self) -> Result<Operand> {
        let place = self.place();
        if self.takes("-") {
            return match self.single()? {
                Operand::Literal(Literal::Int(value)) => Ok(Operand::Literal(Literal::Int(-value))),
                Operand::Literal(Literal::Float(value)) => Ok(Operand::Literal(Literal::Float(-value))),
                _ => Err(wrong("`-` stands before a number only", place)),
            };
        }
        if self.takes("(") {
            self.deeper()?;
            let inner = self.sum()?;
            self.levels -= 1;
            self.needs(")")?;
            return Ok(inner);
        }
        let token = self.peek().cloned();
        self.next += 1;
        match token {
            Some(Token::Value(value)) => Ok(Operand::Literal(value)),
            Some(Token::Word(word)) => self.path(word, place),
            None => Err(wrong("the query ends too soon", place)),
            Some(_) => Err(wrong("a field or a value is missing", place)),
        }
    }

    /// A field, a property, a field of a neighbour, or a word that is a value.
    fn path(&mut self, first: String, place: usize) -> Result<Operand> {
        if matches!(first.as_str(), "properties" | "custom_properties") {
            let name = self.part()?;
            let held = self.part()?;
            if !matches!(held.as_str(), "int_value" | "double_value" | "string_value" | "bool_value") {
                let why = "a property ends in int_value, double_value, string_value or bool_value";
                return Err(wrong(why, place));
            }
            return Ok(Operand::Property { is_custom: first == "custom_properties", name, held });
        }
        if let Some(relation) = relation(self.kind, &first) {
            let field = self.part()?;
            if !has_field(relation, &field) {
                return Err(wrong(&format!("`{first}` has no field `{field}`"), place));
            }
            return Ok(Operand::Neighbour { relation, alias: first, field });
        }
        if fields(self.kind).contains(&first.as_str()) {
            return Ok(Operand::Field(first));
        }
        match first.to_ascii_uppercase().as_str() {
            "TRUE" => Ok(Operand::Literal(Literal::Bool(true))),
            "FALSE" => Ok(Operand::Literal(Literal::Bool(false))),
            "NULL" => Ok(Operand::Literal(Literal::Null)),
            // Names of states and of types of events are written in capitals.
            upper if upper == first && upper.chars().any(|c| c.is_ascii_uppercase()) => {
                Ok(Operand::Literal(Literal::Word(first)))
            }
            _ => Err(wrong(&format!("there is no field `{first}`"), place)),
        }
    }

    fn part(&mut self) -> Result<String> {
        self.needs(".")?;
        let place = self.place();
        let token = self.peek().cloned();
        self.next += 1;
        match token {
            Some(Token::Word(word) | Token::Quoted(word)) => Ok(word),
            // A name that begins with digits: `properties.0.int_value`.
            Some(Token::Value(Literal::Int(number))) => Ok(number.to_string()),
            _ => Err(wrong("a name is missing after the dot", place)),
        }
    }
}

fn negated(is_negated: bool, condition: Condition) -> Condition {
    if is_negated { Condition::Not(Box::new(condition)) } else { condition }
}

/// Fields of nodes of a kind.
fn fields(kind: NodeKind) -> &'static [&'static str] {
    match kind {
        NodeKind::Artifact => &[
            "id",
            "type_id",
            "type",
            "name",
            "uri",
            "state",
            "external_id",
            "create_time_since_epoch",
            "last_update_time_since_epoch",
        ],
        NodeKind::Execution => &[
            "id",
            "type_id",
            "type",
            "name",
            "last_known_state",
            "external_id",
            "create_time_since_epoch",
            "last_update_time_since_epoch",
        ],
        NodeKind::Context => &[
            "id",
            "type_id",
            "type",
            "name",
            "external_id",
            "create_time_since_epoch",
            "last_update_time_since_epoch",
        ],
    }
}

/// What the alias `contexts_a` and its like stand for at nodes of this kind.
fn relation(kind: NodeKind, alias: &str) -> Option<Relation> {
    let known = [
        ("parent_contexts_", Relation::ParentContexts),
        ("child_contexts_", Relation::ChildContexts),
        ("contexts_", Relation::Contexts),
        ("artifacts_", Relation::Artifacts),
        ("executions_", Relation::Executions),
        ("events_", Relation::Events),
    ];
    let (_, relation) = known.into_iter().find(|(prefix, _)| alias.starts_with(prefix))?;
    let is_of_context = matches!(
        relation,
        Relation::ParentContexts | Relation::ChildContexts | Relation::Artifacts | Relation::Executions
    );
    (is_of_context == (kind == NodeKind::Context)).then_some(relation)
}

fn has_field(relation: Relation, field: &str) -> bool {
    match relation {
        Relation::Events => {
            matches!(field, "type" | "artifact_id" | "execution_id" | "milliseconds_since_epoch")
        }
        Relation::Contexts | Relation::ParentContexts | Relation::ChildContexts => {
            fields(NodeKind::Context).contains(&field)
        }
        Relation::Artifacts => fields(NodeKind::Artifact).contains(&field),
        Relation::Executions => fields(NodeKind::Execution).contains(&field),
    }
}
