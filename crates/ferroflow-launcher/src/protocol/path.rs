//! The paths inside placeholders: `.inputs.parameters['n'].json_escape[1]`.

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// `.name`
    Name(&'a str),
    /// `['key']` or `["key"]`
    Key(&'a str),
    /// `[3]`
    Index(usize),
}

/// Reads what stands between `{{$` and `}}`; `None` if it is no path.
pub(super) fn parse(body: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (step, after) = if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, after) = named.split_at(end);
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            (is_name.then_some(Step::Name(name))?, after)
        } else {
            bracket(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn bracket(text: &str) -> Option<(Step<'_>, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let (key, after) = quoted.split_once(quote)?;
            return Some((Step::Key(key), after.strip_prefix(']')?));
        }
    }
    let (digits, after) = text.split_once(']')?;
    Some((Step::Index(digits.parse().ok()?), after))
}
