//! `google.protobuf.Value`, `Struct` and `ListValue`: free JSON inside of messages.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Any JSON.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// Which JSON; `None` is shown as `null`.
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<Kind>,
}

/// The kinds of JSON.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Kind {
    /// `null`. The number is always 0.
    #[prost(int32, tag = "1")]
    NullValue(i32),
    /// A number; there are no others in this form, so integers beyond 2^53 lose digits.
    #[prost(double, tag = "2")]
    NumberValue(f64),
    /// A string.
    #[prost(string, tag = "3")]
    StringValue(String),
    /// `true` or `false`.
    #[prost(bool, tag = "4")]
    BoolValue(bool),
    /// An object.
    #[prost(message, tag = "5")]
    StructValue(Struct),
    /// An array.
    #[prost(message, tag = "6")]
    ListValue(ListValue),
}

/// A JSON object.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Struct {
    /// Values by name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

/// A JSON array.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListValue {
    /// The items in order.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.kind {
            None | Some(Kind::NullValue(_)) => serializer.serialize_unit(),
            Some(Kind::NumberValue(number)) => serialize_number(*number, serializer),
            Some(Kind::StringValue(text)) => serializer.serialize_str(text),
            Some(Kind::BoolValue(flag)) => serializer.serialize_bool(*flag),
            Some(Kind::StructValue(object)) => object.serialize(serializer),
            Some(Kind::ListValue(list)) => list.serialize(serializer),
        }
    }
}

/// Whole numbers have no fraction, as KFP has it, as long as they are exact.
#[expect(clippy::cast_possible_truncation, reason = "the number is whole and in range")]
fn serialize_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        return Err(S::Error::custom(format!("the number {number} has no JSON form")));
    }
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= EXACT && !is_negative_zero {
        serializer.serialize_i64(number as i64)
    } else {
        serializer.serialize_f64(number)
    }
}

impl Serialize for Struct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.fields)
    }
}

impl Serialize for ListValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.values)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Struct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { fields: BTreeMap::deserialize(deserializer)? })
    }
}

impl<'de> Deserialize<'de> for ListValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { values: Vec::deserialize(deserializer)? })
    }
}

struct ValueVisitor;

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Kind::NullValue(0).into())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Kind::BoolValue(flag).into())
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers are doubles in this form")]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Kind::NumberValue(number as f64).into())
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers are doubles in this form")]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Kind::NumberValue(number as f64).into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Kind::NumberValue(number).into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Kind::StringValue(text.to_owned()).into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Kind::StringValue(text).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Kind::ListValue(ListValue { values }).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            fields.insert(key, value);
        }
        Ok(Kind::StructValue(Struct { fields }).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, shown: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), shown, "{json}");
    }

    #[test]
    fn json_stays_what_it_is() {
        for json in ["null", "true", "\"a\"", "\"\"", "1.5", "[]", "{}", "[null,[1,{\"a\":[]}]]", "-7", "0"] {
            check(json, json);
        }
        check("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}");
    }

    #[test]
    fn numbers_are_doubles_without_needless_fractions() {
        check("3.0", "3");
        check("-0.0", "-0.0");
        check("1e3", "1000");
        check("9007199254740992", "9007199254740992");
        check("18446744073709551615", "1.8446744073709552e+19");
    }

    #[test]
    fn numbers_without_json_are_errors() {
        for number in [f64::NAN, f64::INFINITY] {
            assert!(serde_json::to_string(&Value::from(Kind::NumberValue(number))).is_err());
        }
    }
}
