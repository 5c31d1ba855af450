//! Tells two cache keys apart, in words.
//!
//! Pure. Keys have named parts, as KFP builds them; parts that users set (parameters, artifacts, the container) are told
//! one by one, since they are what decides.

use ferroflow_model::record::CacheRecord;
use serde_json::{Map, Value};

use super::wire::CacheDifference;

/// Parts in the order in which they are told, with the words for their members. Parts that are not here come last.
const PARTS: [(&str, &str); 6] = [
    ("inputParameterValues", "input parameter"),
    ("inputArtifactNames", "input artifact"),
    ("containerSpec", ""),
    ("componentName", "component"),
    ("cacheKey", "custom cache key"),
    ("outputArtifactsSpec", "declared output artifact"),
];

/// What is not the same, the deciding parts first.
pub(super) fn differences(then: &CacheRecord, now: &CacheRecord) -> Vec<CacheDifference> {
    let mut found = Vec::new();
    let (then, now) = (then.parts.read(), now.parts.read());
    let listed = PARTS.iter().map(|(key, words)| (*key, *words));
    let names = then.keys().chain(now.keys().filter(|key| !then.contains_key(*key)));
    let rest = names
        .map(|key| (key.as_str(), key.as_str()))
        .filter(|(key, _)| !PARTS.iter().any(|part| part.0 == *key));
    for (key, words) in listed.chain(rest) {
        compare(words, then.get(key), now.get(key), &mut found);
    }
    found
}

fn compare(words: &str, then: Option<&Value>, now: Option<&Value>, found: &mut Vec<CacheDifference>) {
    if then == now {
        return;
    }
    let empty = Map::new();
    let members = |value: Option<&Value>| match value {
        Some(Value::Object(members)) => Some(members.clone()),
        None => Some(empty.clone()),
        Some(_) => None,
    };
    let (Some(then_members), Some(now_members)) = (members(then), members(now)) else {
        found.push(CacheDifference { part: words.to_owned(), then: or_null(then), now: or_null(now) });
        return;
    };
    let names =
        then_members.keys().chain(now_members.keys().filter(|name| !then_members.contains_key(*name)));
    for name in names {
        let (then, now) = (then_members.get(name), now_members.get(name));
        if then != now {
            found.push(CacheDifference {
                part: part_name(words, name),
                then: or_null(then),
                now: or_null(now),
            });
        }
    }
}

fn part_name(words: &str, name: &str) -> String {
    match (words, name) {
        ("", "cmdArgs") => "command".to_owned(),
        ("", name) => name.to_owned(),
        (words, name) => format!("{words} {name}"),
    }
}

fn or_null(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(parts: &Value) -> CacheRecord {
        CacheRecord { fingerprint: String::new(), parts: parts.as_object().unwrap().into(), refusal: None }
    }

    fn check(then: &Value, now: &Value, expected: &[&str]) {
        let found = differences(&record(then), &record(now));
        let got: Vec<_> = found.iter().map(|d| format!("{}: {} → {}", d.part, d.then, d.now)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn parts_are_named() {
        let base = json!({
            "inputParameterValues": { "depth": 4, "rate": 0.5 },
            "inputArtifactNames": { "data": { "artifactNames": ["7"] } },
            "containerSpec": { "image": "a", "cmdArgs": ["x"] },
            "outputParametersSpec": { "score": "NUMBER_DOUBLE" }
        });
        check(&base, &base, &[]);
        let mut other = base.clone();
        other["inputParameterValues"]["depth"] = json!(5);
        check(&base, &other, &["input parameter depth: 4 → 5"]);
        other["containerSpec"] = json!({ "image": "b", "cmdArgs": ["x"] });
        other["inputParameterValues"] = json!({ "depth": 4, "extra": true });
        other["outputParametersSpec"] = json!({ "score": "STRING" });
        check(
            &base,
            &other,
            &[
                "input parameter rate: 0.5 → null",
                "input parameter extra: null → true",
                "image: \"a\" → \"b\"",
                "outputParametersSpec score: \"NUMBER_DOUBLE\" → \"STRING\"",
            ],
        );
        check(&json!({}), &json!({ "cacheKey": "v2" }), &["custom cache key: null → \"v2\""]);
    }
}
