//! `Quantity`: an amount of CPU or memory in the notation of Kubernetes.
//!
//! Invariant: positive, with the text kept as it was written; two quantities are compared by [`Quantity::nano`]. The
//! grammar is <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/> without exponents.

use std::fmt;
use std::str::FromStr;

/// An amount: `4`, `500m`, `16Gi`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    text: String,
    nano: u128,
}

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a positive amount such as `4`, `500m` or `16Gi`")]
pub struct QuantityError;

/// Suffixes and what one of them is in billionths.
const SUFFIXES: &[(&str, u128)] = &[
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", 1_000_000_000),
    ("k", 1_000_000_000_000),
    ("M", 1_000_000_000_000_000),
    ("G", 1_000_000_000_000_000_000),
    ("T", 1_000_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000_000_000),
    ("Ki", 1_000_000_000 << 10),
    ("Mi", 1_000_000_000 << 20),
    ("Gi", 1_000_000_000 << 30),
    ("Ti", 1_000_000_000 << 40),
    ("Pi", 1_000_000_000 << 50),
];

impl Quantity {
    /// Returns the text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the amount in billionths, to compare it with another.
    #[must_use]
    pub const fn nano(&self) -> u128 {
        self.nano
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = SUFFIXES
            .iter()
            .find(|(suffix, _)| *suffix == &text[number.len()..])
            .ok_or(QuantityError)?
            .1;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = !whole.is_empty() && (number.len() == whole.len() || !fraction.is_empty());
        if !has_digits || !is_digits(whole) || !is_digits(fraction) || whole.len() > 12 || fraction.len() > 9 {
            return Err(QuantityError);
        }
        let whole: u128 = whole.parse().map_err(|_| QuantityError)?;
        let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| QuantityError)?);
        let fraction: u128 = if fraction.is_empty() {
            0
        } else {
            fraction.parse().map_err(|_| QuantityError)?
        };
        let nano = (whole * scale + fraction).checked_mul(unit).ok_or(QuantityError)? / scale;
        if nano == 0 {
            Err(QuantityError)
        } else {
            Ok(Self {
                text: text.to_owned(),
                nano,
            })
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_compare_across_units() {
        let nano = |text: &str| text.parse::<Quantity>().expect("a quantity").nano();
        assert_eq!(nano("1"), nano("1000m"));
        assert_eq!(nano("0.5"), nano("500m"));
        assert_eq!(nano("1Gi"), nano("1024Mi"));
        assert!(nano("16G") < nano("16Gi"));
    }

    #[test]
    fn nothing_else_is_an_amount() {
        for text in [
            "",
            "0",
            "-1",
            "1.",
            ".5",
            "1e3",
            "Gi",
            "16 Gi",
            "16gb",
            "1,5",
            "9999999999999",
        ] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            if let Ok(quantity) = text.parse::<Quantity>() {
                prop_assert_eq!(quantity.to_string(), text);
            }
        }
    }
}
