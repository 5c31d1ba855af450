//! Lists in the words of the API: page size, order, filter, and the token of the next page.
//!
//! Which keys exist is the store's business. Tokens are opaque, signed and bound to the list, order and filter they
//! were made for. Begin with [`PageRequest::read`].

use std::borrow::Cow;

use ferroflow_model::list::{FilterValue, ListQuery, Operation, Position, Predicate, Sort};
use ferroflow_proto::v2beta1 as wire;
use serde::{Deserialize, Serialize};
use wire::predicate::{Operation as WireOperation, Value as WireValue};

use crate::status::ApiError;

const DEFAULT_PAGE_SIZE: u32 = 20;
const MAX_PAGE_SIZE: i32 = 200;
/// Longest text of one page token or filter, and most predicates in a filter; far above what clients send.
const MAX_TEXT_BYTES: usize = 64 * 1024;
const MAX_PREDICATES: usize = 64;

/// Signs page tokens. Made once for a data directory, so that tokens outlive the server.
#[derive(Clone)]
pub struct PageTokenKey(pub [u8; 32]);

impl std::fmt::Debug for PageTokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokenKey(…)")
    }
}

/// The list fields that every list request has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageRequest<'a> {
    /// Which list this is, with its own arguments; a token of another list is refused.
    pub(crate) scope: &'a str,
    pub(crate) page_token: &'a str,
    pub(crate) page_size: i32,
    pub(crate) sort_by: &'a str,
    pub(crate) filter: &'a str,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct TokenBody {
    scope: String,
    predicates: Vec<Predicate>,
    sort: Sort,
    after: Position,
}

impl PageRequest<'_> {
    /// The query that the request asks for. All errors are `InvalidArgument`.
    pub(crate) fn read(&self, key: &PageTokenKey) -> Result<ListQuery, ApiError> {
        let page_size = self.read_page_size()?;
        let predicates = read_filter(self.filter)?;
        let sort = read_sort(self.sort_by)?;
        if self.page_token.is_empty() {
            let sort = sort.unwrap_or_else(|| Sort { key: "created_at".to_owned(), descending: false });
            return Ok(ListQuery { predicates, sort, page_size, after: None });
        }
        let token =
            open(key, self.page_token).ok_or_else(|| ApiError::invalid("the page token is not valid"))?;
        let differs = token.scope != self.scope
            || sort.is_some_and(|sort| sort != token.sort)
            || (!self.filter.is_empty() && predicates != token.predicates);
        if differs {
            return Err(ApiError::invalid(
                "the page token belongs to another list, order or filter: repeat those of the first page",
            ));
        }
        Ok(ListQuery { predicates: token.predicates, sort: token.sort, page_size, after: Some(token.after) })
    }

    fn read_page_size(&self) -> Result<u32, ApiError> {
        let size = u32::try_from(self.page_size.min(MAX_PAGE_SIZE)).map_err(|_| {
            ApiError::invalid(format!("the page size must not be negative, it is `{}`", self.page_size))
        })?;
        Ok(if size == 0 { DEFAULT_PAGE_SIZE } else { size })
    }

    /// The token of the page after this one; empty if there is none.
    pub(crate) fn next_token(&self, key: &PageTokenKey, query: ListQuery, next: Option<Position>) -> String {
        let Some(after) = next else { return String::new() };
        let scope = self.scope.to_owned();
        seal(key, &TokenBody { scope, predicates: query.predicates, sort: query.sort, after })
    }
}

/// `<signature as hex><JSON as hex>`.
fn seal(key: &PageTokenKey, body: &TokenBody) -> String {
    use std::fmt::Write;
    let json = serde_json::to_vec(body).unwrap_or_default();
    let mut text = blake3::keyed_hash(&key.0, &json).to_hex().to_string();
    for byte in json {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn open(key: &PageTokenKey, token: &str) -> Option<TokenBody> {
    if token.len() > MAX_TEXT_BYTES || !token.is_ascii() {
        return None;
    }
    let (signature, rest) = token.split_at_checked(blake3::OUT_LEN * 2)?;
    let digits: Option<Vec<u8>> =
        rest.chars().map(|digit| digit.to_digit(16).map(|d| d.to_le_bytes()[0])).collect();
    let json: Vec<u8> =
        digits?.chunks(2).map(|pair| pair.iter().fold(0_u8, |byte, digit| byte << 4 | digit)).collect();
    // Comparing hashes takes the same time wherever they differ.
    let signature = blake3::Hash::from_hex(signature).ok()?;
    if signature != blake3::keyed_hash(&key.0, &json) {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

/// `field`, `field asc` or `field desc`, whatever the case; `None` if empty.
fn read_sort(text: &str) -> Result<Option<Sort>, ApiError> {
    let lower = text.trim().to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    let Some(key) = words.next() else { return Ok(None) };
    let descending = match (words.next(), words.next()) {
        (None | Some("asc"), None) => false,
        (Some("desc"), None) => true,
        _ => {
            return Err(ApiError::invalid(format!(
                "cannot sort by `{text}`: write `<field> asc` or `<field> desc`"
            )));
        }
    };
    Ok(Some(Sort { key: key.to_owned(), descending }))
}

/// Reads the JSON of a `Filter`. Some clients escape it once more than needed.
fn read_filter(text: &str) -> Result<Vec<Predicate>, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(ApiError::invalid("the filter is too long"));
    }
    let json = if text.starts_with('{') { Cow::Borrowed(text) } else { unescape(text) };
    let filter: wire::Filter = serde_json::from_str(&json)
        .map_err(|error| ApiError::invalid(format!("the filter cannot be read: {error}")))?;
    if filter.predicates.len() > MAX_PREDICATES {
        return Err(ApiError::invalid(format!("a filter holds {MAX_PREDICATES} predicates at most")));
    }
    filter.predicates.into_iter().map(read_predicate).collect()
}

fn unescape(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

fn read_predicate(predicate: wire::Predicate) -> Result<Predicate, ApiError> {
    let key = predicate.key;
    if key.is_empty() {
        return Err(ApiError::invalid("a predicate of the filter has no key"));
    }
    let operation = match WireOperation::try_from(predicate.operation) {
        Ok(WireOperation::Equals) => Operation::Equals,
        Ok(WireOperation::NotEquals) => Operation::NotEquals,
        Ok(WireOperation::GreaterThan) => Operation::GreaterThan,
        Ok(WireOperation::GreaterThanEquals) => Operation::GreaterThanEquals,
        Ok(WireOperation::LessThan) => Operation::LessThan,
        Ok(WireOperation::LessThanEquals) => Operation::LessThanEquals,
        Ok(WireOperation::In) => Operation::In,
        Ok(WireOperation::IsSubstring) => Operation::IsSubstring,
        Ok(WireOperation::Unspecified) | Err(_) => {
            return Err(ApiError::invalid(format!(
                "the predicate on `{key}` has no operation that is known"
            )));
        }
    };
    let value = match predicate.value {
        Some(WireValue::IntValue(number)) => FilterValue::Integer(number.into()),
        Some(WireValue::LongValue(number)) => FilterValue::Integer(number),
        Some(WireValue::StringValue(text)) => FilterValue::Text(text),
        Some(WireValue::TimestampValue(time)) => FilterValue::Seconds(time.seconds),
        Some(WireValue::IntValues(list)) => {
            FilterValue::Integers(list.values.into_iter().map(i64::from).collect())
        }
        Some(WireValue::LongValues(list)) => FilterValue::Integers(list.values),
        Some(WireValue::StringValues(list)) => FilterValue::Texts(list.values),
        None => return Err(ApiError::invalid(format!("the predicate on `{key}` has no value"))),
    };
    check_value(operation, &key, &value)?;
    Ok(Predicate { operation, key, value })
}

fn check_value(operation: Operation, key: &str, value: &FilterValue) -> Result<(), ApiError> {
    let is_list = matches!(value, FilterValue::Integers(_) | FilterValue::Texts(_));
    let wanted = match operation {
        Operation::In if !is_list => "a list of values",
        Operation::IsSubstring if !matches!(value, FilterValue::Text(_)) => "a string value",
        Operation::In | Operation::IsSubstring => return Ok(()),
        _ if is_list => "a single value",
        _ => return Ok(()),
    };
    Err(ApiError::invalid(format!("the predicate on `{key}` needs {wanted} for this operation")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PageTokenKey = PageTokenKey([7; 32]);

    fn request<'a>(token: &'a str, size: i32, sort: &'a str, filter: &'a str) -> PageRequest<'a> {
        PageRequest { scope: "runs", page_token: token, page_size: size, sort_by: sort, filter }
    }

    #[test]
    fn sizes_and_orders() {
        let rows = [
            (0, "", Some((20, "created_at", false))),
            (7, "name", Some((7, "name", false))),
            (1000, "Created_At DESC", Some((200, "created_at", true))),
            (200, " display_name  asc ", Some((200, "display_name", false))),
            (-1, "", None),
            (1, "name sideways", None),
            (1, "name asc asc", None),
        ];
        for (size, sort, expected) in rows {
            let query = request("", size, sort, "").read(&KEY).ok();
            let got = query.as_ref().map(|q| (q.page_size, q.sort.key.as_str(), q.sort.descending));
            assert_eq!(got, expected, "{size} {sort}");
        }
    }

    #[test]
    fn filters() {
        let name = |value: &str| Some(("display_name".to_owned(), FilterValue::Text(value.to_owned())));
        let rows = [
            (r#"{"predicates":[{"operation":1,"key":"display_name","stringValue":"a b"}]}"#, name("a b")),
            (
                r#"{"predicates":[{"operation":"EQUALS","key":"display_name","string_value":"a+%41"}]}"#,
                name("a+%41"),
            ),
            (
                "%7B%22predicates%22%3A%5B%7B%22operation%22%3A1%2C%22key%22%3A%22display_name%22%2C%22stringValue%22%3A%22a+b%22%7D%5D%7D",
                name("a b"),
            ),
            (r#"{"predicates":[{"operation":1,"key":"","stringValue":"a"}]}"#, None),
            (r#"{"predicates":[{"key":"name","stringValue":"a"}]}"#, None),
            (r#"{"predicates":[{"operation":4,"key":"name","stringValue":"a"}]}"#, None),
            (r#"{"predicates":[{"operation":"IN","key":"name","stringValue":"a"}]}"#, None),
            (r#"{"predicates":[{"operation":"EQUALS","key":"name","stringValues":{"values":["a"]}}]}"#, None),
            (r#"{"predicates":[{"operation":"IS_SUBSTRING","key":"name","intValue":1}]}"#, None),
            (r#"{"predicates":[{"operation":"EQUALS","key":"name"}]}"#, None),
            ("not json", None),
            ("{", None),
        ];
        for (filter, expected) in rows {
            let query = request("", 1, "", filter).read(&KEY).ok();
            let got = query.map(|q| (q.predicates[0].key.clone(), q.predicates[0].value.clone()));
            assert_eq!(got, expected, "{filter}");
        }
    }

    #[test]
    fn tokens_belong_to_their_list() {
        let filter = r#"{"predicates":[{"operation":1,"key":"name","stringValue":"a"}]}"#;
        let first = request("", 5, "name desc", filter);
        let query = first.read(&KEY).unwrap();
        let position = Position { value: FilterValue::Text("é".to_owned()), id: "x".to_owned() };
        let token = first.next_token(&KEY, query.clone(), Some(position.clone()));

        let next = request(&token, 9, "", "").read(&KEY).unwrap();
        assert_eq!((next.page_size, next.sort, next.after), (9, query.sort.clone(), Some(position)));
        assert_eq!(next.predicates, query.predicates);
        assert!(request(&token, 9, "name desc", filter).read(&KEY).is_ok());
        assert!(first.next_token(&KEY, query, None).is_empty());

        let forged = format!("{}0{}", &token[..70], &token[71..]);
        let cut = &token[..token.len() - 2];
        let rows = [
            (token.as_str(), "name asc", ""),
            (&token, "", "{\"predicates\":[]}"),
            (&forged, "", ""),
            (cut, "", ""),
            ("garbage", "", ""),
            ("é", "", ""),
        ];
        for (token, sort, filter) in rows {
            assert!(request(token, 9, sort, filter).read(&KEY).is_err(), "{token} {sort} {filter}");
        }
        let elsewhere = PageRequest { scope: "pipelines", ..request(&token, 9, "", "") };
        assert!(elsewhere.read(&KEY).is_err());
        assert!(request(&token, 9, "", "").read(&PageTokenKey([8; 32])).is_err());
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        const PIECES: [&str; 16] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"predicates\"",
            "\"operation\"",
            "\"key\"",
            "\"IN\"",
            "\"string_values\"",
            "%7B",
            "%",
            "+",
            "1",
            "\"\"",
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
            let _ = request("", 1, "", &text).read(&KEY);
            let _ = request("", 1, &text, "").read(&KEY);
            // Nobody else can make a token.
            assert!(text.is_empty() || request(&text, 1, "", "").read(&KEY).is_err());
        });
    }
}
