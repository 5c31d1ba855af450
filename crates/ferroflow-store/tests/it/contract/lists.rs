//! Lists.

use ferroflow_model::list::{ListQuery, Sort};

pub(crate) fn by(key: &str) -> ListQuery {
    let (key, descending) = key.strip_prefix('-').map_or((key, false), |key| (key, true));
    ListQuery {
        predicates: Vec::new(),
        sort: Sort { key: key.to_owned(), descending },
        page_size: 200,
        after: None,
    }
}
