//! Pages of lists that show the newest first, by the number of their rows.

use ferroflow_model::list::{FilterValue, ListQuery, Position};

use super::query::Query;
use super::{OwnApi, Question};
use crate::page::PageRequest;
use crate::status::ApiError;

/// The page that a question asks for.
pub(super) struct NewestFirst {
    scope: String,
    asked: ListQuery,
    /// Rows wanted.
    pub(super) limit: u32,
    /// Only smaller numbers.
    pub(super) before: Option<i64>,
}

impl NewestFirst {
    /// Reads `page_size` and `page_token`. `InvalidArgument` for a token of another question.
    pub(super) fn read(
        api: &OwnApi,
        list: &str,
        question: &Question<'_>,
        query: &Query,
    ) -> Result<Self, ApiError> {
        let conditions = form_urlencoded::parse(question.query.as_bytes())
            .filter(|(name, value)| !value.is_empty() && !name.starts_with("page_"));
        let mut hasher = blake3::Hasher::new();
        for (name, value) in conditions {
            hasher.update(name.as_bytes()).update(&[0]).update(value.as_bytes()).update(&[0]);
        }
        let scope = format!("ferroflow {list} {}", hasher.finalize().to_hex());
        let asked =
            request(&scope, query.text("page_token").unwrap_or_default()).read(&api.services.page_tokens)?;
        let before = asked.after.as_ref().and_then(|position| position.id.parse().ok());
        Ok(Self { scope, asked, limit: query.number("page_size", 100, (1, 200))?, before })
    }

    /// Cuts off the row that only tells that there is more, and makes the token of the next page.
    pub(super) fn end<T>(self, api: &OwnApi, rows: &mut Vec<T>, number: impl Fn(&T) -> i64) -> String {
        let has_more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = rows.last().filter(|_| has_more).map(|last| {
            let number = number(last);
            Position { value: FilterValue::Integer(number), id: number.to_string() }
        });
        request(&self.scope, "").next_token(&api.services.page_tokens, self.asked, next)
    }
}

fn request<'a>(scope: &'a str, page_token: &'a str) -> PageRequest<'a> {
    PageRequest { scope, page_token, page_size: 0, sort_by: "id desc", filter: "" }
}
