//! What decoding into Go's types and back does to an object of a built-in kind.
//!
//! Invariants:
//! - Nulls and empty lists are gone afterwards, a null value of a string map is the empty string
//!   (`reference/ssa-semantics.md` §3); empty structs stay.
//! - Quantities are in canonical form (§7), so a second pass changes nothing.
//! - A value of the wrong type is an error that names Go's field path.

use serde_json::{Number, Value};

use super::schema::{Meaning, Schema, Type};

/// Normalises `value` in place.
///
/// # Errors
///
/// The text after `… cannot be handled as a <Kind>: `.
pub(in crate::apiserver) fn normalise(schema: &Schema, value: &mut Value) -> Result<(), String> {
    walk(schema, value, &mut Vec::new())
}

fn mismatch(value: &Value, path: &[String], expected: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!(
        "json: cannot unmarshal {found} into Go struct field .{} of type {expected}",
        path.join(".")
    )
}

fn walk(schema: &Schema, value: &mut Value, path: &mut Vec<String>) -> Result<(), String> {
    match schema.value_type {
        Type::Any => Ok(()),
        Type::Object => {
            let Value::Object(map) = value else {
                return Err(mismatch(value, path, "map[string]interface {}"));
            };
            let mut failure = None;
            map.retain(|name, child| {
                if failure.is_some() {
                    return true;
                }
                let Some(field) = schema.field(name) else { return true };
                if child.is_null() {
                    let is_text_map = !schema.properties.contains_key(name) && field.value_type == Type::String;
                    if is_text_map {
                        *child = Value::String(String::new());
                    }
                    return is_text_map;
                }
                path.push(name.clone());
                if let Err(error) = walk(field, child, path) {
                    failure = Some(error);
                }
                path.pop();
                match child {
                    Value::Array(list) => !list.is_empty(),
                    Value::Object(map) => !(map.is_empty() && field.additional.is_some()),
                    _ => true,
                }
            });
            failure.map_or(Ok(()), Err)
        }
        Type::Array => {
            let Value::Array(list) = value else {
                return Err(mismatch(value, path, "[]interface {}"));
            };
            let item = schema.item();
            for child in list {
                if child.is_null() && item.value_type == Type::String {
                    *child = Value::String(String::new());
                    continue;
                }
                walk(item, child, path)?;
            }
            Ok(())
        }
        Type::String => text(schema, value, path),
        Type::Integer => match value {
            Value::Number(number) if number.is_i64() || number.is_u64() => Ok(()),
            Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() == 0.0) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a whole number: its fraction was just found to be zero"
                )]
                let whole = number.as_f64().unwrap_or_default() as i64;
                *number = Number::from(whole);
                Ok(())
            }
            _ => Err(mismatch(value, path, "int64")),
        },
        Type::Number => {
            if value.is_number() {
                Ok(())
            } else {
                Err(mismatch(value, path, "float64"))
            }
        }
        Type::Boolean => {
            if value.is_boolean() {
                Ok(())
            } else {
                Err(mismatch(value, path, "bool"))
            }
        }
        Type::IntOrString => {
            if value.is_number() || value.is_string() {
                Ok(())
            } else {
                Err(mismatch(value, path, "intstr.IntOrString"))
            }
        }
    }
}

fn text(schema: &Schema, value: &mut Value, path: &[String]) -> Result<(), String> {
    if schema.meaning == Meaning::Quantity {
        let given = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                return Err(
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                        .to_owned(),
                );
            }
        };
        let canonical = canonical_quantity(&given)
            .ok_or("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")?;
        *value = Value::String(canonical);
        return Ok(());
    }
    let Value::String(found) = value else {
        return Err(mismatch(value, path, "string"));
    };
    match schema.meaning {
        Meaning::MicroTime if !is_micro_time(found) => Err(format!(
            "parsing time \"\\\"{found}\\\"\" as \"\\\"2006-01-02T15:04:05.000000Z07:00\\\"\": cannot parse \"{}\" as \".000000\"",
            found.get(19..).unwrap_or_default()
        )),
        Meaning::Bytes if !is_base64(found) => Err("illegal base64 data at input byte 0".to_owned()),
        Meaning::Plain | Meaning::Time | Meaning::MicroTime | Meaning::Bytes | Meaning::Quantity => Ok(()),
    }
}

/// `2026-11-24T00:00:00.123456Z`: exactly six decimals (`reference/ssa-semantics.md` §15).
fn is_micro_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 27
        && bytes[19] == b'.'
        && bytes[20..26].iter().all(u8::is_ascii_digit)
        && !bytes[26].is_ascii_digit()
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text.replace(['\n', '\r'], ""))
        .is_ok()
}

/// Writes a quantity as Kubernetes does: no fraction, the largest suffix that keeps it whole, the family of suffixes kept
/// (<https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity>).
pub(in crate::apiserver) fn canonical_quantity(text: &str) -> Option<String> {
    const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
    const DECIMAL: [(&str, i32); 10] = [
        ("n", -9),
        ("u", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
        ("E", 18),
    ];
    let text = text.trim();
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned
        .find(|character: char| !(character.is_ascii_digit() || character == '.'))
        .unwrap_or(unsigned.len());
    let (digits, suffix) = unsigned.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let sign = if is_negative { "-" } else { "" };
    let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let n_decimals = i32::try_from(fraction.len()).ok()?;
    if mantissa == 0 {
        return Some("0".to_owned());
    }
    if let Some((_, shift)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        let scaled = mantissa.checked_shl(*shift)?;
        let divisor = 10_i128.checked_pow(u32::try_from(n_decimals).ok()?)?;
        if scaled % divisor == 0 {
            let number = scaled / divisor;
            let best = BINARY.iter().rev().find(|(_, shift)| number % (1_i128 << shift) == 0);
            return Some(match best {
                Some((name, shift)) => format!("{sign}{}{name}", number >> shift),
                None => format!("{sign}{number}"),
            });
        }
        // A binary quantity that is no whole number is written in decimals, in thousandths.
        let milli = scaled.checked_mul(1_000)?;
        return Some(format!("{sign}{}m", (milli + divisor - 1) / divisor));
    }
    let (exponent, in_exponents) = match DECIMAL.iter().find(|(name, _)| *name == suffix) {
        Some((_, exponent)) => (*exponent, false),
        None => (suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?, true),
    };
    let (mut number, mut power) = (mantissa, exponent - n_decimals);
    while number % 10 == 0 {
        number /= 10;
        power += 1;
    }
    if power < -9 {
        let divisor = 10_i128.checked_pow(u32::try_from(-9 - power).ok()?)?;
        number = (number + divisor - 1) / divisor;
        power = -9;
    }
    let step = power.div_euclid(3) * 3;
    let step = if in_exponents { step } else { step.min(18) };
    number = number.checked_mul(10_i128.checked_pow(u32::try_from(power - step).ok()?)?)?;
    if in_exponents {
        return Some(if step == 0 {
            format!("{sign}{number}")
        } else {
            format!("{sign}{number}e{step}")
        });
    }
    let (name, _) = DECIMAL.iter().find(|(_, exponent)| *exponent == step)?;
    Some(format!("{sign}{number}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_canonical_form() {
        for (given, expected) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("2000", "2k"),
            ("1000000", "1M"),
            ("100Gi", "100Gi"),
            ("0", "0"),
            ("1e3", "1e3"),
            ("12", "12"),
            ("1Ki", "1Ki"),
            ("1024", "1024"),
            ("0.1Gi", "107374182400m"),
        ] {
            assert_eq!(canonical_quantity(given).as_deref(), Some(expected), "{given}");
        }
        assert_eq!(canonical_quantity("abc"), None);
    }
}
