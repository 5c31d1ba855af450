//! Requests and limits of a component, as numbers.

use serde_json::Value;

use super::order::Resources;

/// Reads `resources` of a container. `resolve` replaces placeholders in texts. The reason of a failure is a sentence.
pub(crate) fn read(
    resources: &Value,
    resolve: &impl Fn(&str) -> Result<String, String>,
) -> Result<Resources, String> {
    let text = |name: &str| -> Result<Option<String>, String> {
        match resources.get(name) {
            Some(Value::String(text)) if !text.is_empty() => {
                Ok(Some(resolve(text)?).filter(|text| !text.is_empty()))
            }
            _ => Ok(None),
        }
    };
    // The texts go before the numbers of older compilers; those tell memory in units of 10^9 bytes.
    let quantity = |name: &str, older: &str, unit: f64| -> Result<Option<f64>, String> {
        if let Some(text) = text(name)? {
            let value = quantity(&text);
            return Ok(Some(
                value.ok_or_else(|| format!("its resources say `{text}`, which is no quantity"))?,
            ));
        }
        let older = resources.get(older).and_then(Value::as_f64).filter(|value| *value > 0.0);
        Ok(older.map(|value| value * unit))
    };
    const GIGA: f64 = 1e9;
    Ok(Resources {
        cpu_limit: quantity("resourceCpuLimit", "cpuLimit", 1.0)?,
        cpu_request: quantity("resourceCpuRequest", "cpuRequest", 1.0)?,
        memory_limit: quantity("resourceMemoryLimit", "memoryLimit", GIGA)?.map(bytes),
        memory_request: quantity("resourceMemoryRequest", "memoryRequest", GIGA)?.map(bytes),
        accelerator: accelerator(resources.get("accelerator").unwrap_or(&Value::Null), resolve)?,
        shared_memory: None,
    })
}

fn accelerator(
    accelerator: &Value,
    resolve: &impl Fn(&str) -> Result<String, String>,
) -> Result<Option<(String, u64)>, String> {
    let text = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(|name| accelerator.get(*name));
        found.find_map(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) if number.as_u64() != Some(0) => Some(number.to_string()),
            _ => None,
        })
    };
    let (Some(kind), Some(count)) = (text(["resourceType", "type"]), text(["resourceCount", "count"])) else {
        return Ok(None);
    };
    let (kind, count) = (resolve(&kind)?, resolve(&count)?);
    let number = count
        .trim()
        .parse()
        .map_err(|_| format!("it asks for `{count}` accelerators, which is no number"))?;
    Ok((number > 0 && !kind.is_empty()).then_some((kind, number)))
}

/// A quantity as Kubernetes writes it: `500m`, `2`, `1.5`, `64Mi`, `1G`, `1e3`.
pub(crate) fn quantity(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
    ];
    let text = text.trim();
    let with_unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = with_unit.unwrap_or((text, 1.0));
    let is_plain = number.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '.' | '+'));
    let value: f64 = number.parse().ok().filter(|_| is_plain)?;
    Some(value * factor).filter(|value| value.is_finite())
}

/// Whole bytes; more than there can be is as much as there can be.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "finite and not negative; `as` saturates"
)]
pub(crate) fn bytes(value: f64) -> u64 {
    value.ceil() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("2", Some(2.0)),
            ("500m", Some(0.5)),
            ("0.25", Some(0.25)),
            ("64Mi", Some(67_108_864.0)),
            ("1G", Some(1e9)),
            ("1e3", Some(1000.0)),
            (" 3k ", Some(3000.0)),
            ("", None),
            ("-1", None),
            ("much", None),
            ("inf", None),
            ("Mi", None),
        ] {
            assert_eq!(quantity(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_go_before_numbers_and_may_be_placeholders() {
        let resources = json!({
            "resourceCpuLimit": "{{cores}}", "cpuLimit": 9.0, "memoryLimit": 0.5, "resourceMemoryRequest": "1Mi",
            "accelerator": {"type": "nvidia.com/gpu", "count": "2", "resourceCount": "{{cores}}"}
        });
        let resolve = |text: &str| Ok(text.replace("{{cores}}", "3"));
        let found = read(&resources, &resolve).unwrap();
        assert_eq!(found.cpu_limit, Some(3.0));
        assert_eq!(found.memory_limit, Some(500_000_000));
        assert_eq!(found.memory_request, Some(1_048_576));
        assert_eq!(found.accelerator, Some(("nvidia.com/gpu".to_owned(), 3)));
        assert_eq!(read(&Value::Null, &resolve).unwrap(), Resources::default());
        let wrong = read(&json!({"resourceMemoryLimit": "lots"}), &resolve).unwrap_err();
        assert_eq!(wrong, "its resources say `lots`, which is no quantity");
    }
}
