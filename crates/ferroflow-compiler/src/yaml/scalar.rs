//! How a text may be printed: plain, in single or in double quotes.

/// What PyYAML's emitter finds out about a text.
#[expect(clippy::struct_excessive_bools, reason = "independent findings, as PyYAML keeps them")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Analysis {
    pub(super) is_empty: bool,
    pub(super) is_multiline: bool,
    pub(super) allows_plain: bool,
    pub(super) allows_single_quotes: bool,
}

pub(super) fn is_break(sign: char) -> bool {
    matches!(sign, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_white(sign: Option<&char>) -> bool {
    sign.is_none_or(|sign| matches!(sign, '\0' | ' ' | '\t' | '\r') || is_break(*sign))
}

/// Looks through the text once.
pub(super) fn analyze(text: &[char]) -> Analysis {
    let (Some(first), Some(last)) = (text.first(), text.last()) else {
        return Analysis {
            is_empty: true,
            allows_plain: true,
            allows_single_quotes: true,
            ..Analysis::default()
        };
    };
    let is_edge = |sign: &char| *sign == ' ' || is_break(*sign);
    let mut has_indicator = text.starts_with(&['-', '-', '-']) || text.starts_with(&['.', '.', '.']);
    let (mut has_break, mut is_special, mut break_then_space) = (false, false, false);
    let mut before: Option<&char> = None;
    for (place, sign) in text.iter().enumerate() {
        let is_followed_by_white = is_white(text.get(place + 1));
        has_indicator |= match sign {
            '#' => is_white(before),
            ':' => is_followed_by_white,
            '?' | '-' => before.is_none() && is_followed_by_white,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                before.is_none()
            }
            _ => false,
        };
        has_break |= is_break(*sign);
        is_special |= !(*sign == '\n' || (' '..='~').contains(sign));
        if let Some(before) = before {
            break_then_space |= *sign == ' ' && is_break(*before);
            is_special |= is_break(*sign) && *before == ' ';
        }
        before = Some(sign);
    }
    Analysis {
        is_empty: false,
        is_multiline: has_break,
        allows_plain: !(has_indicator || has_break || is_special || is_edge(first) || is_edge(last)),
        allows_single_quotes: !(break_then_space || is_special),
    }
}

/// Whether a plain text would be read as something else than text.
pub(super) fn reads_as_other(text: &str) -> bool {
    is_word(text) || is_integer(text) || is_float(text) || is_timestamp(text)
}

fn is_word(text: &str) -> bool {
    const WORDS: [&str; 18] = [
        "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On",
        "ON", "off", "Off", "OFF",
    ];
    WORDS.contains(&text)
        || matches!(text, "" | "~" | "null" | "Null" | "NULL" | "<<" | "=" | "!" | "&" | "*")
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, is_right: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_right)
}

fn is_digit_or_line(sign: char) -> bool {
    sign.is_ascii_digit() || sign == '_'
}

/// Parts after the first of numbers like `190:20:30`.
fn are_sixties<'a>(mut parts: impl Iterator<Item = &'a str>) -> bool {
    parts.all(|part| {
        let is_number = all(part, |sign| sign.is_ascii_digit());
        is_number
            && (part.len() == 1 || (part.len() == 2 && part.starts_with(|sign| ('0'..='5').contains(&sign))))
    })
}

fn is_integer(text: &str) -> bool {
    let bare = unsigned(text);
    if let Some(bits) = bare.strip_prefix("0b") {
        return all(bits, |sign| matches!(sign, '0' | '1' | '_'));
    }
    if let Some(digits) = bare.strip_prefix("0x") {
        return all(digits, |sign| sign.is_ascii_hexdigit() || sign == '_');
    }
    if let Some(digits) = bare.strip_prefix('0') {
        return digits.is_empty() || all(digits, |sign| matches!(sign, '0'..='7' | '_'));
    }
    let mut parts = bare.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|sign: char| sign.is_ascii_digit())
        && all(first, is_digit_or_line)
        && are_sixties(parts)
}

fn is_float(text: &str) -> bool {
    let bare = unsigned(text);
    if matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, rest)) = bare.split_once('.') else { return false };
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(place) => (rest.get(..place).unwrap_or_default(), rest.get(place + 1..)),
        None => (rest, None),
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        exponent.starts_with(['-', '+']) && all(unsigned(exponent), |sign| sign.is_ascii_digit())
    });
    let is_fraction = fraction.chars().all(is_digit_or_line);
    if whole.is_empty() {
        let begins = fraction.starts_with(|sign: char| sign.is_ascii_digit());
        return bare.len() == text.len() && begins && is_fraction && is_exponent;
    }
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let is_whole = first.starts_with(|sign: char| sign.is_ascii_digit()) && all(first, is_digit_or_line);
    let is_sixties = whole.contains(':');
    is_whole && is_fraction && is_exponent && are_sixties(parts) && !(is_sixties && exponent.is_some())
}

/// Takes up to `most` digits, at least `least`, and gives what follows them.
fn digits(text: &str, least: usize, most: usize) -> Option<&str> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (count >= least).then(|| text.get(count..)).flatten()
}

fn is_timestamp(text: &str) -> bool {
    timestamp_rest(text).is_some_and(str::is_empty)
}

fn timestamp_rest(text: &str) -> Option<&str> {
    let day = |least| {
        let text = digits(text, 4, 4)?.strip_prefix('-')?;
        let text = digits(text, least, 2)?.strip_prefix('-')?;
        digits(text, least, 2)
    };
    if day(2).is_some_and(str::is_empty) {
        return Some("");
    }
    let rest = day(1)?;
    let white: &[char] = &[' ', '\t'];
    let rest = match rest.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None => rest.strip_prefix(white)?.trim_start_matches(white),
    };
    let rest = digits(rest, 1, 2)?.strip_prefix(':')?;
    let rest = digits(rest, 2, 2)?.strip_prefix(':')?;
    let rest = digits(rest, 2, 2)?;
    let rest = rest
        .strip_prefix('.')
        .map_or(rest, |rest| rest.trim_start_matches(|sign: char| sign.is_ascii_digit()));
    if rest.is_empty() {
        return Some(rest);
    }
    let zone = rest.trim_start_matches(white);
    if let Some(rest) = zone.strip_prefix('Z') {
        return Some(rest);
    }
    let rest = digits(zone.strip_prefix(['-', '+'])?, 1, 2)?;
    if rest.is_empty() { Some(rest) } else { digits(rest.strip_prefix(':')?, 2, 2) }
}
