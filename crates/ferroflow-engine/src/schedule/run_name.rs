//! Names of a schedule's object and of its runs, in the form that KFP gives them.

use ferroflow_model::RecurringRunId;

/// Most characters of a display name in an object's name.
const MOST_CHARACTERS: usize = 25;

/// Characters behind it.
const SUFFIX_CHARACTERS: usize = 5;

/// Characters that Kubernetes uses in generated names.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Name of the object that would stand behind a schedule in a cluster: the display name in lower case as far as
/// Kubernetes allows its characters, and five characters that follow from the id. `Hello World` becomes something like
/// `helloworld5xkzq`.
pub fn object_name(display_name: &str, id: RecurringRunId) -> String {
    let allowed = |next: &char| next.is_ascii_lowercase() || next.is_ascii_digit() || *next == '-';
    let base: String = display_name.to_lowercase().chars().filter(allowed).take(MOST_CHARACTERS).collect();
    let mut name = if base.is_empty() { "job-".to_owned() } else { base };
    let suffix = id.0.as_bytes().iter().rev().take(SUFFIX_CHARACTERS).map(|byte| {
        ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map_or('x', |letter| char::from(*letter))
    });
    name.extend(suffix);
    name
}

/// Name of run number `index`, the first being 1: `<object name>-<index>-<checksum of what stands before>`.
pub fn run_name(object_name: &str, index: u64) -> String {
    let prefix = format!("{object_name}-{index}");
    let checksum = fnv_1a(prefix.as_bytes());
    format!("{prefix}-{checksum}")
}

/// The 32-bit hash of Fowler, Noll and Vo in its second form.
fn fnv_1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_kubernetes_allows() {
        let rows = [
            ("Hello World", "helloworld"),
            ("a_b-c.d", "ab-cd"),
            ("数据", "job-"),
            ("", "job-"),
            ("abcdefghijklmnopqrstuvwxyz0123", "abcdefghijklmnopqrstuvwxy"),
        ];
        let id = |text: &str| text.parse::<RecurringRunId>().unwrap();
        let (one, other) =
            (id("5e0cd3f3-4d6c-4b5e-8a8f-0123456789ab"), id("5e0cd3f3-4d6c-4b5e-8a8f-0123456789ac"));
        for (display_name, base) in rows {
            let name = object_name(display_name, one);
            let (found, suffix) = name.split_at(name.len() - SUFFIX_CHARACTERS);
            assert_eq!(found, base, "{display_name}");
            assert!(suffix.bytes().all(|byte| ALPHABET.contains(&byte)), "{name}");
            assert_ne!(name, object_name(display_name, other));
        }
    }

    #[test]
    fn runs_are_named_by_object_number_and_checksum() {
        // Published values of the hash.
        assert_eq!((fnv_1a(b""), fnv_1a(b"a"), fnv_1a(b"foobar")), (0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968));
        let name = run_name("helloworld5xkzq", 12);
        assert_eq!(name, format!("helloworld5xkzq-12-{}", fnv_1a(b"helloworld5xkzq-12")));
    }
}
