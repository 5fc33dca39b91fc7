//! Readiness in CEL, the Common Expression Language: from a text of a stack file to what the engine can evaluate.

use crate::language::closest;
use stackctl_engine::readiness::{Expression, Unjudged};
use stackctl_schema::expression::{self, Predicate, PredicateError, VARIABLES};

/// Compiles an expression.
///
/// # Errors
/// Why the text is none, in words for people.
pub(crate) fn compile(text: &str) -> Result<Expression, String> {
    match Predicate::compile(text) {
        Ok(predicate) => Ok(Expression::new(text, move |object| {
            predicate.holds(object).map_err(|why| match why {
                expression::Unjudged::NotYet(why) => Unjudged::NotYet(why),
                expression::Unjudged::Unfit(why) => Unjudged::Unfit(why),
            })
        })),
        Err(error) => {
            let meant = match &error {
                PredicateError::Variable(name) => closest(name, VARIABLES.iter().copied()),
                PredicateError::Syntax(_) | PredicateError::Function(_) | PredicateError::NotBoolean(_) => None,
            };
            let hint = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            Err(format!("{error}{hint}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_is_not_there_yet_is_not_ready() {
        let expression = compile("self.status.phase == 'Active'").expect("an expression");
        let verdict = expression.evaluate(&json!({"metadata": {}}));
        assert!(!verdict.is_ready());
        assert_eq!(
            verdict.why(),
            "`self.status.phase == 'Active'` cannot be judged: there is no `status` yet"
        );
    }

    #[test]
    fn a_name_that_is_not_there_is_told_with_what_was_meant() {
        assert_eq!(
            compile("staus.phase == 'Active'"),
            Err("it names `staus`, which is not there; did you mean `status`?".to_owned())
        );
    }
}
