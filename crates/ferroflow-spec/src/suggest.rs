//! "Did you mean": the known name nearest to a misspelt one.

/// Names longer than this are not compared: nobody misspells them by a letter.
const LONGEST: usize = 64;
/// Names looked at for one suggestion, so that a broken file of 100,000 tasks is still answered at once.
const LOOKED_AT: usize = 20_000;

/// The known name nearest to `wrong`, if one is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let allowed = (wrong.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .take(LOOKED_AT)
        .filter(|name| name.len() <= LONGEST && name.len().abs_diff(wrong.len()) <= 3 * allowed)
        .filter_map(|name| distance(wrong, name, allowed).map(|found| (found, name)))
        .min()
        .map(|(_, name)| name)
}

/// Hint that names the nearest known name, or lists the known ones if they are few.
pub(crate) fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(name) = nearest(wrong, known.clone()) {
        return format!("did you mean `{name}`?");
    }
    let first: Vec<&str> = known.into_iter().take(11).collect();
    match first.len() {
        1..=10 => format!("known: `{}`", first.join("`, `")),
        _ => String::new(),
    }
}

/// Edits (insert, delete, replace, swap of neighbours; case is free) between two names, or `None` above `allowed`.
fn distance(left: &str, right: &str, allowed: usize) -> Option<usize> {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = Vec::with_capacity(right.len() + 1);
        row.push(i + 1);
        for (j, b) in right.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (cell(&last, j) + usize::from(a != b)).min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if swapped {
                best = best.min(cell(&before, j - 1) + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_none_or(|least| *least > allowed) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|found| *found <= allowed)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_else() {
        let known = ["components", "componentRef", "dependentTasks", "train", "x"];
        for (wrong, expected) in [
            ("components_1", Some("components")),
            ("component", Some("components")),
            ("dependantTasks", Some("dependentTasks")),
            ("tarin", Some("train")),
            ("Train", Some("train")),
            ("evaluate", None),
            ("y", Some("x")),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), expected, "{wrong}");
        }
    }
}
