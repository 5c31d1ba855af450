//! URIs of stores elsewhere.

use ferroflow_ports::{ErrorKind, PortError};
use object_store::path::Path as ObjectPath;

/// Which protocol a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    S3,
    /// S3 too, but set up for itself, as KFP has it.
    Minio,
    Google,
    Azure,
}

/// By scheme; the rest of a URI begins with the bucket.
const SCHEMES: [(&str, Kind); 7] = [
    ("s3", Kind::S3),
    ("minio", Kind::Minio),
    ("gs", Kind::Google),
    ("azblob", Kind::Azure),
    ("az", Kind::Azure),
    ("abfs", Kind::Azure),
    ("abfss", Kind::Azure),
];

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) kind: Kind,
    pub(crate) bucket: String,
    /// Empty for the bucket itself.
    pub(crate) key: ObjectPath,
}

/// Whether a URI names a place in a store elsewhere, well or badly.
pub(crate) fn is_remote(uri: &str) -> bool {
    split(uri).is_some()
}

fn split(uri: &str) -> Option<(Kind, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    SCHEMES.iter().find(|(name, _)| *name == scheme).map(|(_, kind)| (*kind, rest))
}

impl Address {
    /// Reads a URI, without its query string. `InvalidArgument` if it names no place.
    pub(crate) fn parse(uri: &str) -> Result<Self, PortError> {
        let bad = |why: &str| PortError::new(ErrorKind::InvalidArgument, format!("the URI `{uri}` {why}"));
        let (kind, rest) = split(uri).ok_or_else(|| bad("belongs to no store that is known here"))?;
        let rest = rest.split('?').next().unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if bucket.is_empty() || !bucket.bytes().all(is_plain) || bucket.starts_with('.') {
            return Err(bad("names no bucket"));
        }
        if key.starts_with('/') {
            return Err(bad("is odd: it has an empty step"));
        }
        // Refuses `.`, `..` and empty steps, which stores would take for names.
        let key =
            ObjectPath::parse(key.trim_end_matches('/')).map_err(|error| bad(&format!("is odd: {error}")))?;
        Ok(Self { kind, bucket: bucket.to_owned(), key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let check = |uri: &str, kind, bucket: &str, key: &str| {
            let found = Address::parse(uri).unwrap();
            assert_eq!((found.kind, found.bucket.as_str(), found.key.as_ref()), (kind, bucket, key), "{uri}");
        };
        check("s3://b/a/c.txt", Kind::S3, "b", "a/c.txt");
        check("minio://mlpipeline/v2/artifacts/", Kind::Minio, "mlpipeline", "v2/artifacts");
        check("gs://my.bucket_1", Kind::Google, "my.bucket_1", "");
        check("s3://b/a?region=eu-west-1", Kind::S3, "b", "a");
        check("abfss://c/x y/ä", Kind::Azure, "c", "x y/ä");
    }

    #[test]
    fn whatever_is_said_a_place_lies_in_its_bucket() {
        const PIECES: [&str; 18] = [
            "s3://", "minio://", "gs://", "az://", "abfss://", "b", "/", "//", "..", ".", "%2e%2e", "%2f",
            "?", "#", "@", ":9000", "\\", "ä",
        ];
        bolero::check!().with_type::<Vec<u8>>().for_each(|choice: &Vec<u8>| {
            let mut uri = String::new();
            for byte in choice {
                match PIECES.get(usize::from(*byte)) {
                    Some(piece) => uri.push_str(piece),
                    None => uri.push(char::from(*byte)),
                }
            }
            let Ok(found) = Address::parse(&uri) else { return };
            let rest = uri.split_once("://").unwrap().1;
            assert!(rest.starts_with(&found.bucket), "{uri:?}");
            assert!(!found.bucket.contains(['/', '@', ':', '\\', '%', '?']), "{uri:?}");
            assert!(found.key.parts().all(|step| !matches!(step.as_ref(), "" | "." | "..")), "{uri:?}");
        });
    }

    #[test]
    fn refused() {
        for uri in [
            "s3://",
            "s3:///x",
            "s3://b/../c",
            "s3://b/a/./c",
            "s3://b//a",
            "s3://b@host/x",
            "s3://../x",
            "http://h/x",
            "/p",
        ] {
            assert_eq!(Address::parse(uri).unwrap_err().kind, ErrorKind::InvalidArgument, "{uri}");
        }
        assert!(!is_remote("/data/x") && !is_remote("http://h/x") && !is_remote("file:///x"));
    }
}
