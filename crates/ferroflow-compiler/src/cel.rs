//! Comparisons as CEL, in the words of KFP's compiler.

use crate::CompileError;
use crate::graph::{Channel, Comparison, Operand};
use crate::types;

/// Comparisons joined by *and*.
pub(crate) fn conjunction(comparisons: &[Comparison], channels: &[Channel]) -> Result<String, CompileError> {
    let texts: Result<Vec<_>, _> =
        comparisons.iter().map(|comparison| single(comparison, channels)).collect();
    Ok(texts?.join(" && "))
}

struct Side {
    text: String,
    kind: &'static str,
}

fn single(comparison: &Comparison, channels: &[Channel]) -> Result<String, CompileError> {
    let (left, right) = (side(&comparison.left, channels)?, side(&comparison.right, channels)?);
    let common = ["STRING", "BOOLEAN", "NUMBER_DOUBLE", "NUMBER_INTEGER"];
    let common =
        common.into_iter().find(|kind| left.kind == *kind || right.kind == *kind).unwrap_or("STRING");
    let text = format!("{} {} {}", cast(left, common)?, comparison.operator, cast(right, common)?);
    Ok(if comparison.negate { format!("!({text})") } else { text })
}

fn side(operand: &Operand, channels: &[Channel]) -> Result<Side, CompileError> {
    match operand {
        Operand::Channel(place) => {
            let channel = channels
                .get(*place)
                .ok_or_else(|| CompileError::Value(format!("channel {place} is not in the graph")))?;
            let name = channel.input_name();
            let text = format!("inputs.parameter_values['{name}']");
            match types::channel_parameter(&channel.kind) {
                Some("NUMBER_INTEGER") => Ok(Side { text: format!("int({text})"), kind: "NUMBER_INTEGER" }),
                Some(kind @ ("STRING" | "BOOLEAN" | "NUMBER_DOUBLE")) => Ok(Side { text, kind }),
                _ => Err(CompileError::Value(format!(
                    "conditions compare texts, numbers and booleans, but '{}' is of type {}: let a component make one of these of it",
                    channel.full_name(),
                    channel.kind
                ))),
            }
        }
        Operand::Constant(kind, text) => match kind.as_str() {
            "str" => Ok(Side { text: format!("'{text}'"), kind: "STRING" }),
            "bool" => Ok(Side { text: text.to_lowercase(), kind: "BOOLEAN" }),
            "int" => Ok(Side { text: text.clone(), kind: "NUMBER_INTEGER" }),
            "float" => Ok(Side { text: text.clone(), kind: "NUMBER_DOUBLE" }),
            _ => Err(CompileError::Value(format!(
                "conditions compare texts, numbers and booleans, but {text} is of type {kind}"
            ))),
        },
    }
}

/// Text wins over booleans, these over doubles, these over integers.
fn cast(side: Side, common: &str) -> Result<String, CompileError> {
    if side.kind == common {
        return Ok(side.text);
    }
    match common {
        "STRING" => Ok(format!("'{}'", side.text)),
        // KFP reads a zero beside a boolean as true.
        "BOOLEAN" => match side.text.parse::<i64>() {
            Ok(number) => Ok(if number == 0 { "true" } else { "false" }.to_owned()),
            Err(_) => Err(CompileError::Value(format!(
                "a boolean cannot be compared with {}: compare values of one type",
                side.text
            ))),
        },
        _ => Ok(format!("double({})", side.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::conjunction;
    use crate::graph::{Channel, Comparison, Form, Operand};

    fn channel(kind: &str) -> Channel {
        Channel {
            name: "Output".to_owned(),
            kind: kind.to_owned(),
            producer: Some("task".to_owned()),
            list: false,
            form: Form::Parameter,
        }
    }

    fn check(kind: &str, constant: (&str, &str), expected: Result<&str, &str>) {
        let comparison = Comparison {
            operator: "==".to_owned(),
            left: Operand::Channel(0),
            right: Operand::Constant(constant.0.to_owned(), constant.1.to_owned()),
            negate: false,
        };
        let found = conjunction(&[comparison], &[channel(kind)]).map_err(|error| error.to_string());
        match expected {
            Ok(expected) => {
                let value = "inputs.parameter_values['pipelinechannel--task-Output']";
                assert_eq!(found, Ok(expected.replace('$', value)), "{kind} {constant:?}");
            }
            Err(part) => assert!(found.as_ref().is_err_and(|text| text.contains(part)), "{found:?}"),
        }
    }

    #[test]
    fn types_are_promoted_as_kfp_does() {
        check("String", ("str", "a"), Ok("$ == 'a'"));
        check("Integer", ("int", "1"), Ok("int($) == 1"));
        check("Integer", ("float", "1.5"), Ok("double(int($)) == 1.5"));
        check("Float", ("int", "1"), Ok("$ == double(1)"));
        check("Boolean", ("bool", "True"), Ok("$ == true"));
        check("Boolean", ("int", "0"), Ok("$ == true"));
        check("String", ("int", "1"), Ok("$ == '1'"));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        check("List", ("int", "1"), Err("is of type List"));
        check("String", ("NoneType", "None"), Err("is of type NoneType"));
        check("Boolean", ("float", "0.5"), Err("compare values of one type"));
    }
}
