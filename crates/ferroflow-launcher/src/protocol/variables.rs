//! `$(NAME)` as Kubernetes expands it.

/// Replaces `$(NAME)` by the value that `lookup` knows; unknown names stay as they are, and `$$(NAME)` stands for
/// the text `$(NAME)`. Values are not looked at again.
pub fn expand_variables<'v>(text: &str, lookup: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some((name, after)) = from.strip_prefix("$$").and_then(name) {
            out.extend(["$(", name, ")"]);
            rest = after;
        } else if let Some((name, after)) = from.strip_prefix('$').and_then(name)
            && let Some(value) = lookup(name)
        {
            out.push_str(value);
            rest = after;
        } else {
            out.push('$');
            rest = from.strip_prefix('$').unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// `(NAME)` at the start of the text, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('(')?.split_once(')')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(fits)).then_some((name, after))
}
