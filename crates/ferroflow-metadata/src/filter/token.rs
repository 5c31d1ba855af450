//! Cuts a query into words, values and signs.

use ferroflow_ports::{ErrorKind, PortError};

use super::Literal;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    /// A name in backticks, which may hold anything.
    Quoted(String),
    Value(Literal),
    Sign(&'static str),
}

/// A query that cannot be read, with the place (in characters, from 1).
pub(super) fn wrong(why: &str, place: usize) -> PortError {
    PortError::new(
        ErrorKind::InvalidArgument,
        format!("`filter_query` cannot be read at character {place}: {why}"),
    )
}

const SIGNS: [&str; 16] =
    ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ",", ".", "+", "-", "*", "/", ";"];

/// All pieces with their places.
pub(super) fn cut(text: &str) -> Result<Vec<(Token, usize)>, PortError> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let place = at + 1;
        if letter.is_whitespace() {
            at += 1;
        } else if matches!(letter, '\'' | '"' | '`') {
            let (content, next) = quoted(&letters, at, letter)?;
            at = next;
            let token =
                if letter == '`' { Token::Quoted(content) } else { Token::Value(Literal::Text(content)) };
            tokens.push((token, place));
        } else if letter.is_ascii_digit() {
            let (token, next) = number(&letters, at)?;
            at = next;
            tokens.push((token, place));
        } else if letter.is_alphabetic() || letter == '_' {
            let word: String =
                letters.iter().skip(at).take_while(|c| c.is_alphanumeric() || **c == '_').collect();
            at += word.chars().count();
            tokens.push((Token::Word(word), place));
        } else {
            let rest: String = letters.iter().skip(at).take(2).collect();
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| wrong(&format!("`{letter}` has no meaning here"), place))?;
            at += sign.len();
            tokens.push((Token::Sign(sign), place));
        }
    }
    Ok(tokens)
}

fn quoted(letters: &[char], start: usize, quote: char) -> Result<(String, usize), PortError> {
    let mut content = String::new();
    let mut at = start + 1;
    loop {
        match letters.get(at).copied() {
            None => return Err(wrong(&format!("the quote {quote} is not closed"), start + 1)),
            Some('\\') => {
                let escaped = letters.get(at + 1).copied();
                let escaped = escaped.ok_or_else(|| wrong("nothing follows the backslash", at + 1))?;
                content.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
                at += 2;
            }
            Some(letter) if letter == quote => return Ok((content, at + 1)),
            Some(letter) => {
                content.push(letter);
                at += 1;
            }
        }
    }
}

fn number(letters: &[char], start: usize) -> Result<(Token, usize), PortError> {
    let mut text = String::new();
    for letter in letters.iter().skip(start) {
        let is_sign_of_exponent = matches!(letter, '+' | '-') && text.ends_with(['e', 'E']);
        if letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E') || is_sign_of_exponent {
            text.push(*letter);
        } else {
            break;
        }
    }
    let next = start + text.len();
    if let Ok(whole) = text.parse::<i64>() {
        return Ok((Token::Value(Literal::Int(whole)), next));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Value(Literal::Float(number)), next)),
        _ => Err(wrong(&format!("`{text}` is no number"), start + 1)),
    }
}
