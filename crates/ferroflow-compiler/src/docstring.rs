//! Descriptions out of docstrings, in whichever style they are written: the one in which most is found counts.

mod google;
mod numpy;
mod tagged;

/// What a docstring says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Docstring {
    /// Its first line.
    pub short: Option<String>,
    /// What follows, up to the first section.
    pub long: Option<String>,
    /// Names and descriptions of parameters.
    pub params: Vec<(String, Option<String>)>,
    /// Number of things found: parameters, results, exceptions and others.
    found: usize,
}

impl Docstring {
    /// Both descriptions, the first line first.
    #[must_use]
    pub fn description(&self) -> Option<String> {
        let short = self.short.as_deref()?;
        let whole = match &self.long {
            Some(long) => format!("{short}\n{long}"),
            None => short.to_owned(),
        };
        Some(whole.trim().to_owned())
    }

    fn with_description(text: &str) -> Self {
        let (short, long) = text.split_once('\n').unwrap_or((text, ""));
        Self {
            short: (!short.is_empty()).then(|| short.to_owned()),
            long: Some(long.trim()).filter(|long| !long.is_empty()).map(str::to_owned),
            ..Self::default()
        }
    }

    fn param(&mut self, name: &str, description: Option<String>) {
        self.found += 1;
        self.params.push((name.to_owned(), description));
    }

    fn other(&mut self) {
        self.found += 1;
    }
}

/// Reads a docstring whose indentation is taken off. Styles that cannot read it do not count; of those that find
/// equally much, the first of reST, Google, NumPy and Epydoc.
#[must_use]
pub fn parse(text: &str) -> Docstring {
    let text = clean(text);
    let styles =
        [tagged::rest(&text), google::parse(&text), Some(numpy::parse(&text)), tagged::epydoc(&text)];
    let mut best: Option<Docstring> = None;
    for read in styles.into_iter().flatten() {
        if best.as_ref().is_none_or(|best| read.found > best.found) {
            best = Some(read);
        }
    }
    best.unwrap_or_default()
}

/// Takes off the common indentation of all lines but the first, and empty lines at both ends.
fn clean(text: &str) -> String {
    let text = text.replace('\t', "        ");
    let lines: Vec<&str> = text.split('\n').collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let margin = lines.iter().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut out: Vec<&str> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        out.push(if place == 0 { line.trim_start() } else { line.get(margin..).unwrap_or_default() });
    }
    while out.last().is_some_and(|line| line.is_empty()) {
        out.pop();
    }
    let skip = out.iter().take_while(|line| line.is_empty()).count();
    out.get(skip..).unwrap_or_default().join("\n")
}

/// A description whose further lines lose their indentation.
fn cleaned_after_first(text: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{}", clean(rest)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, description: Option<&str>, params: &[(&str, &str)]) {
        let read = parse(text);
        assert_eq!(read.description().as_deref(), description, "{text}");
        let found: Vec<_> = read
            .params
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(found, params, "{text}");
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        check("", None, &[]);
        check("One line.", Some("One line."), &[]);
        check("One line.\n\nMore\nof it.\n", Some("One line.\nMore\nof it."), &[]);
    }

    #[test]
    fn google_style() {
        let text = "Trains.\n\n    Args:\n        rate (float, optional): Speed.\n        data: Rows\n          and columns.\n\n    Returns:\n        A model.\n    ";
        check(text, Some("Trains."), &[("rate", "Speed."), ("data", "Rows\nand columns.")]);
    }

    #[test]
    fn numpy_style() {
        let text = "Trains.\n\nParameters\n----------\nrate : float\n    Speed.\ndata\n    Rows.\n";
        check(text, Some("Trains."), &[("rate", "Speed."), ("data", "Rows.")]);
    }

    #[test]
    fn tagged_styles() {
        check(
            "Trains.\n\n:param rate: Speed.\n:param int data: Rows.\n",
            Some("Trains."),
            &[("rate", "Speed."), ("data", "Rows.")],
        );
        check("Trains.\n\n@param rate: Speed.\n@type rate: float\n", Some("Trains."), &[("rate", "Speed.")]);
    }
}
