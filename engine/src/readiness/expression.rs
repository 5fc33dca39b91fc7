//! A predicate in a language that the engine does not read.
//!
//! Invariants:
//! - It is compiled before it gets here: what is wrong with its text is said by whoever reads the language, with a place.
//! - Two are equal when their texts are.
//! - A verdict quotes the text of the predicate and nothing of the object.

use super::Readiness;
use serde_json::Value;
use std::{fmt, sync::Arc};

/// Why it cannot be said whether a predicate holds, in words that quote nothing of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// What it looks at may come yet.
    NotYet(String),
    /// What there is, is nothing that it can be asked of: its text is at fault.
    Unfit(String),
}

impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotYet(why) | Self::Unfit(why)) = self;
        f.write_str(why)
    }
}

/// What a predicate was compiled to: whether it holds for an object, or why that cannot be said.
type Holds = dyn Fn(&Value) -> Result<bool, Unjudged> + Send + Sync;

/// A predicate over one live object: its text, and what that was compiled to.
#[derive(Clone)]
pub struct Expression {
    text: String,
    holds: Arc<Holds>,
}

impl Expression {
    /// Makes one of its text and of what it was compiled to; see [`Self::evaluate`] for what is made of the answers.
    pub fn new(text: &str, holds: impl Fn(&Value) -> Result<bool, Unjudged> + Send + Sync + 'static) -> Self {
        Self {
            text: text.to_owned(),
            holds: Arc::new(holds),
        }
    }

    /// The text, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates it. What cannot be said yet is not ready: most often a field of the status is not there.
    pub fn evaluate(&self, object: &Value) -> Readiness {
        match (self.holds)(object) {
            Ok(true) => Readiness::Ready(format!("`{}` holds", self.text)),
            Ok(false) => Readiness::Progressing(format!("`{}` does not hold", self.text)),
            Err(why) => Readiness::Progressing(format!("`{}` cannot be judged: {why}", self.text)),
        }
    }

    /// Why its text is at fault, as far as this object shows it.
    pub(super) fn fault(&self, object: &Value) -> Option<String> {
        match (self.holds)(object) {
            Err(Unjudged::Unfit(why)) => Some(format!("`{}` cannot be judged: {why}", self.text)),
            Ok(_) | Err(Unjudged::NotYet(_)) => None,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expression({})", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_judged_is_not_ready_and_says_why() {
        let expression = Expression::new("n > 1", |object| match object["n"].as_i64() {
            Some(n) => Ok(n > 1),
            None => Err(Unjudged::NotYet("there is no `n`".to_owned())),
        });
        let verdict = |object: Value| expression.evaluate(&object);
        assert_eq!(verdict(json!({"n": 2})), Readiness::Ready("`n > 1` holds".to_owned()));
        assert_eq!(verdict(json!({"n": 1})).why(), "`n > 1` does not hold");
        assert_eq!(verdict(json!({})).why(), "`n > 1` cannot be judged: there is no `n`");
        assert!(!verdict(json!({})).is_ready());
    }
}
