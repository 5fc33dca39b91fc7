//! Quantities (<https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library>), exact to a billionth as
//! the API server's own are.

use std::cmp::Ordering;

use cel::common::types::{INT_TYPE, STRING_TYPE, Type};
use cel::objects::Opaque;
use cel::{ExecutionError, Value};

use super::{Function, answer, arguments, inner, opaque, text, unexpected};

const QUANTITY: &str = "kubernetes.Quantity";
const BILLION: i128 = 1_000_000_000;

/// In billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Quantity(i128);

impl Opaque for Quantity {
    fn runtime_type_name(&self) -> &str {
        QUANTITY
    }
}

pub(super) fn functions() -> Vec<Function> {
    let quantity = || Type::new_opaque_type(QUANTITY);
    let one = || vec![quantity()];
    let two = || vec![quantity(), quantity()];
    vec![
        Function::global("isQuantity", vec![STRING_TYPE], |given| {
            let [quantity] = arguments(&given)?;
            answer(Quantity::read(text(&quantity)?).is_some())
        }),
        Function::global("quantity", vec![STRING_TYPE], |given| {
            let [quantity] = arguments(&given)?;
            let quantity = text(&quantity)?;
            let error = || ExecutionError::function_error("quantity", format!("{quantity:?} is no quantity"));
            opaque(Quantity::read(quantity).ok_or_else(error)?)
        }),
        Function::member("sign", one(), |given| {
            let [quantity] = arguments(&given)?;
            answer(i64::try_from(of(&quantity)?.0.signum()).unwrap_or_default())
        }),
        Function::member("isInteger", one(), |given| {
            let [quantity] = arguments(&given)?;
            answer(of(&quantity)?.whole().is_some())
        }),
        Function::member("asInteger", one(), |given| {
            let [quantity] = arguments(&given)?;
            let error = || ExecutionError::function_error("asInteger", "cannot convert value to integer");
            answer(of(&quantity)?.whole().ok_or_else(error)?)
        }),
        Function::member("asApproximateFloat", one(), |given| {
            let [quantity] = arguments(&given)?;
            answer(of(&quantity)?.approximately())
        }),
        Function::member("isGreaterThan", two(), |given| {
            let [one, other] = arguments(&given)?;
            answer(of(&one)? > of(&other)?)
        }),
        Function::member("isLessThan", two(), |given| {
            let [one, other] = arguments(&given)?;
            answer(of(&one)? < of(&other)?)
        }),
        Function::member("compareTo", two(), |given| {
            let [one, other] = arguments(&given)?;
            answer(match of(&one)?.cmp(&of(&other)?) {
                Ordering::Less => -1_i64,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            })
        }),
        Function::member("add", two(), |given| {
            let [one, other] = arguments(&given)?;
            opaque(of(&one)?.plus(of(&other)?.0)?)
        }),
        Function::member("add", vec![quantity(), INT_TYPE], |given| {
            let [one, other] = arguments(&given)?;
            opaque(of(&one)?.plus(billionths(&other)?)?)
        }),
        Function::member("sub", two(), |given| {
            let [one, other] = arguments(&given)?;
            opaque(of(&one)?.plus(-of(&other)?.0)?)
        }),
        Function::member("sub", vec![quantity(), INT_TYPE], |given| {
            let [one, other] = arguments(&given)?;
            opaque(of(&one)?.plus(-billionths(&other)?)?)
        }),
    ]
}

fn of(value: &Value) -> Result<Quantity, ExecutionError> {
    inner::<Quantity>(value, QUANTITY).copied()
}

fn billionths(value: &Value) -> Result<i128, ExecutionError> {
    match value {
        Value::Int(whole) => Ok(i128::from(*whole) * BILLION),
        other => Err(unexpected(other, "int")),
    }
}

impl Quantity {
    fn read(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (factor, divisor) = scale(suffix)?;
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let divisor = divisor.checked_mul(10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
        let scaled = digits.checked_mul(factor)?.checked_mul(BILLION)?;
        // What is smaller than a billionth is rounded up (`resource.ParseQuantity`).
        let value = scaled.checked_add(divisor - 1)? / divisor;
        Some(Self(if text.starts_with('-') { -value } else { value }))
    }

    fn whole(self) -> Option<i64> {
        (self.0 % BILLION == 0).then(|| i64::try_from(self.0 / BILLION).ok())?
    }

    #[expect(clippy::cast_precision_loss, reason = "it is asked for approximately")]
    fn approximately(self) -> f64 {
        self.0 as f64 / BILLION as f64
    }

    fn plus(self, other: i128) -> Result<Self, ExecutionError> {
        let error = || ExecutionError::function_error("add", "the sum is too large");
        self.0.checked_add(other).map(Self).ok_or_else(error)
    }
}

/// What a suffix multiplies by, and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, BILLION),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (BILLION, 1),
        "T" => (1_000 * BILLION, 1),
        "P" => (1_000_000 * BILLION, 1),
        "E" => (BILLION * BILLION, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{holds, judged};
    use serde_json::json;

    #[test]
    fn quantities_compare_and_add_exactly() {
        holds(
            &[
                "isQuantity('1Gi') && isQuantity('1.5') && isQuantity('2e3') && !isQuantity('1GiB') && !isQuantity('')",
                "quantity('1Gi').compareTo(quantity('1024Mi')) == 0 && quantity('1Gi').isGreaterThan(quantity('1G'))",
                "quantity('500m').add(quantity('0.5')) == quantity('1') && quantity('3').sub(1).asInteger() == 2",
                "quantity('1.5').isInteger() == false && quantity('-1').sign() == -1 && quantity('1500m').asApproximateFloat() == 1.5",
                "quantity('10').isLessThan(quantity('1k'))",
            ],
            &json!(null),
        );
        assert!(judged("quantity('1.5').asInteger() == 1", &json!(null)).is_err());
    }
}
