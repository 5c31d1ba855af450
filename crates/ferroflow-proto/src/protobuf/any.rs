//! `google.protobuf.Any`: a message of any type.

use prost::Message;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rpc::Status;

/// A message of any type. In JSON only a [`Status`] is known, which is all that KFP's errors carry; other types are
/// errors there.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Any {
    /// What the message is, for example `type.googleapis.com/google.rpc.Status`.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message in binary form.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

const STATUS: &str = "type.googleapis.com/google.rpc.Status";

/// The JSON of the one known type: its fields beside its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusWithType {
    #[serde(rename = "@type")]
    type_url: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    code: i32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<Any>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(code: &i32) -> bool {
    *code == 0
}

impl From<&Status> for Any {
    fn from(status: &Status) -> Self {
        Self { type_url: STATUS.to_owned(), value: status.encode_to_vec() }
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.type_url != STATUS {
            return Err(S::Error::custom(format!("`{}` has no JSON form here", self.type_url)));
        }
        let Status { code, message, details } =
            Status::decode(self.value.as_slice()).map_err(S::Error::custom)?;
        StatusWithType { type_url: self.type_url.clone(), code, message, details }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StatusWithType { type_url, code, message, details } = Deserialize::deserialize(deserializer)?;
        if type_url != STATUS {
            return Err(D::Error::custom(format!("`{type_url}` has no JSON form here, use `{STATUS}`")));
        }
        Ok(Self::from(&Status { code, message, details }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_shows_its_fields() {
        let inner = Status { code: 5, message: "run `a` not found".to_owned(), details: Vec::new() };
        let json = r#"{"code":5,"message":"gone","details":[{"@type":"type.googleapis.com/google.rpc.Status","code":5,"message":"run `a` not found"}]}"#;
        let outer = Status { code: 5, message: "gone".to_owned(), details: vec![Any::from(&inner)] };
        assert_eq!(serde_json::to_string(&outer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Status>(json).unwrap(), outer);
    }

    #[test]
    fn other_types_are_errors() {
        let other = Any { type_url: "type.googleapis.com/a.B".to_owned(), value: Vec::new() };
        assert_eq!(
            serde_json::to_string(&other).unwrap_err().to_string(),
            "`type.googleapis.com/a.B` has no JSON form here"
        );
        let error = serde_json::from_str::<Any>(r#"{"@type":"type.googleapis.com/a.B"}"#).unwrap_err();
        assert!(error.to_string().contains("a.B"), "{error}");
    }
}
