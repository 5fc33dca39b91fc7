//! People's own predicates in CEL over a whole object, as rules of definitions are written.
//!
//! Invariants:
//! - Names of variables and functions are checked when a text is compiled, and whether it can be true at all, as far as its
//!   operators say that: an object can only lack a field, or hold something else in it.
//! - What is said about an object that cannot be judged quotes nothing that the object holds.

use crate::library;
use cel::{
    ExecutionError, IdedExpr, Program, Value,
    common::ast::{EntryExpr, Expr, LiteralValue, operators},
};
use serde_json::Value as Json;
use std::fmt;

/// What an expression may name: the object as in rules of definitions, or a field of it as in Flux
/// (<https://fluxcd.io/flux/components/kustomize/kustomizations/#health-check-expressions>).
pub const VARIABLES: &[&str] = &["self", "apiVersion", "kind", "metadata", "spec", "status", "data"];

/// A predicate that was compiled.
pub struct Predicate {
    text: String,
    program: Program,
}

/// Why it cannot be said whether a predicate holds, in words that quote nothing of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// What it looks at may come yet.
    NotYet(String),
    /// What there is, is nothing that it can be asked of.
    Unfit(String),
}

/// Why a text is no predicate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredicateError {
    /// The text breaks a rule of the language; in the parser's words.
    #[error("it is not CEL: {0}")]
    Syntax(String),
    /// It names a variable that is not there.
    #[error("it names `{0}`, which is not there")]
    Variable(String),
    /// It calls a function that is not there.
    #[error("it calls `{0}`, which is not there")]
    Function(String),
    /// It has a value, and never a boolean.
    #[error("it is {0}, where true or false is needed")]
    NotBoolean(&'static str),
}

impl Predicate {
    /// Compiles a text.
    ///
    /// # Errors
    /// When it does not parse, names a variable or a function that is not there, or can be neither true nor false.
    pub fn compile(text: &str) -> Result<Self, PredicateError> {
        let program = library::parse(text).map_err(PredicateError::Syntax)?;
        let mut variables = Vec::new();
        free(program.expression(), &mut Vec::new(), &mut variables);
        if let Some(name) = variables.into_iter().filter(|name| !VARIABLES.contains(name)).min() {
            return Err(PredicateError::Variable(name.to_owned()));
        }
        if let Some(name) = library::unknown_function(&program) {
            return Err(PredicateError::Function(name));
        }
        if let Some(what) = other_than_boolean(program.expression()) {
            return Err(PredicateError::NotBoolean(what));
        }
        Ok(Self {
            text: text.to_owned(),
            program,
        })
    }

    /// Whether it holds for an object.
    ///
    /// # Errors
    /// Why that cannot be said: most often a field is not there.
    pub fn holds(&self, object: &Json) -> Result<bool, Unjudged> {
        let mut context = library::context();
        for name in VARIABLES {
            let value = if *name == "self" {
                Some(object)
            } else {
                object.get(*name)
            };
            if let Some(value) = value {
                context.add_variable_from_value(*name, library::value_of(&crate::ANYTHING, value));
            }
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err(Unjudged::Unfit("it is neither true nor false".to_owned())),
            // A name that is not the expression's own was computed, maybe of what a Secret holds.
            Err(ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name))
                if self.text.contains(name.as_str()) =>
            {
                Err(Unjudged::NotYet(format!("there is no `{name}` yet")))
            }
            Err(ExecutionError::NoSuchKey(_)) => Err(Unjudged::NotYet("what it looks up is not there yet".to_owned())),
            Err(ExecutionError::IndexOutOfBounds(_)) => Err(Unjudged::NotYet("a list is not that long yet".to_owned())),
            // Others quote values.
            Err(_) => Err(Unjudged::Unfit(
                "what it compares or calls does not fit what the object holds".to_owned(),
            )),
        }
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Predicate({})", self.text)
    }
}

/// What an expression is for certain, if that is no boolean. Fields of an object may be anything.
fn other_than_boolean(expression: &IdedExpr) -> Option<&'static str> {
    const NUMBER: &str = "a number";
    const TEXT: &str = "a text";
    match &expression.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => None,
            LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Some(NUMBER),
            LiteralValue::String(_) => Some(TEXT),
            LiteralValue::Bytes(_) => Some("bytes"),
            LiteralValue::Null => Some("null"),
        },
        Expr::List(_) => Some("a list"),
        Expr::Map(_) | Expr::Struct(_) => Some("a map"),
        Expr::Ident(name) => match name.as_str() {
            "apiVersion" | "kind" => Some(TEXT),
            name if VARIABLES.contains(&name) => Some("a part of the object"),
            _ => None,
        },
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [_, yes, no]) => other_than_boolean(yes).or_else(|| other_than_boolean(no)),
            (
                operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO | operators::NEGATE,
                _,
            ) => Some(NUMBER),
            (operators::ADD, _) => Some("a sum"),
            ("size" | "int" | "uint" | "double", _) => Some(NUMBER),
            ("string", _) => Some(TEXT),
            _ => None,
        },
        // What a macro comes to is what it begins with, unless it computes something of it: lists of `map` and `filter`.
        Expr::Comprehension(macro_) => match &macro_.result.expr {
            Expr::Ident(name) if *name == macro_.accu_var => other_than_boolean(&macro_.accu_init),
            _ => other_than_boolean(&macro_.result),
        },
        Expr::Unspecified | Expr::Select(_) => None,
    }
}

/// The variables that are not those of a macro, as `c` is in `exists(c, …)`.
fn free<'a>(expression: &'a IdedExpr, bound: &mut Vec<&'a str>, found: &mut Vec<&'a str>) {
    let of_entry = |entry: &'a EntryExpr| match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    };
    let within: Vec<&IdedExpr> = match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => Vec::new(),
        Expr::Ident(name) => {
            if !name.starts_with('@') && !bound.contains(&name.as_str()) {
                found.push(name);
            }
            Vec::new()
        }
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Struct(written) => written.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Comprehension(macro_) => {
            free(&macro_.iter_range, bound, found);
            free(&macro_.accu_init, bound, found);
            let before = bound.len();
            bound.extend([macro_.iter_var.as_str(), macro_.accu_var.as_str()]);
            bound.extend(macro_.iter_var2.as_deref());
            for part in [&macro_.loop_cond, &macro_.loop_step, &macro_.result] {
                free(part, bound, found);
            }
            bound.truncate(before);
            Vec::new()
        }
    };
    for part in within {
        free(part, bound, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(text: &str, object: &Json) -> Result<bool, String> {
        let held = Predicate::compile(text).expect("a predicate").holds(object);
        held.map_err(|(Unjudged::NotYet(why) | Unjudged::Unfit(why))| why)
    }

    #[test]
    fn a_predicate_reads_the_object_by_both_conventions() {
        let object = json!({"metadata": {"generation": 3}, "spec": {"replicas": 2}, "status": {"readyReplicas": 2,
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}]}});
        for text in [
            "self.status.readyReplicas >= self.spec.replicas",
            "status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
            "has(self.status.readyReplicas) && size(status.conditions) == 2",
            "!has(self.status.phase) || self.status.phase in ['Active', 'Bound']",
            "metadata.generation == 3",
        ] {
            assert_eq!(holds(text, &object), Ok(true), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_said_by_its_name() {
        let why = Err("there is no `status` yet".to_owned());
        assert_eq!(holds("self.status.phase == 'Active'", &json!({"metadata": {}})), why);
        assert_eq!(holds("status.phase == 'Active'", &json!({})), why);
    }

    #[test]
    fn what_is_wrong_with_a_text_is_known_before_any_object_is_met() {
        let error = |text: &str| Predicate::compile(text).expect_err("no predicate");
        assert!(matches!(error("status.phase =="), PredicateError::Syntax(_)));
        assert_eq!(
            error("staus.phase == 'x'"),
            PredicateError::Variable("staus".to_owned())
        );
        assert_eq!(
            error("status.conditions.exists(c, c.type == d)"),
            PredicateError::Variable("d".to_owned())
        );
        assert_eq!(
            error("status.phase.startWith('A')"),
            PredicateError::Function("startWith".to_owned())
        );
    }

    #[test]
    fn a_text_that_can_never_be_true_is_known_before_any_object_is_met() {
        for (text, what) in [
            ("size(status.conditions)", "a number"),
            ("status.ready - 1", "a number"),
            ("'Ready'", "a text"),
            ("status", "a part of the object"),
            ("status.conditions.filter(c, c.type == 'Ready')", "a list"),
            ("status.conditions.map(c, c.type)", "a list"),
            ("has(status.x) ? status.x : 'none'", "a text"),
            ("status.a + status.b", "a sum"),
        ] {
            let error = Predicate::compile(text).expect_err("no predicate");
            assert_eq!(error, PredicateError::NotBoolean(what), "{text}");
        }
        for text in [
            "true",
            "status.isReady",
            "status.conditions[0]",
            "!has(status.phase)",
            "status.conditions.exists(c, c.type == 'Ready')",
            "status.conditions.exists_one(c, c.type == 'Ready')",
            "status.conditions.all(c, c.status == 'True')",
            "has(status.x) ? status.x : false",
            "status.phase.startsWith('A') || status.phase in ['B']",
        ] {
            assert!(Predicate::compile(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_said_quotes_a_value() {
        let secret = json!({"kind": "Secret", "data": {"token": "aHVudGVyMg=="}});
        for text in [
            "data.token > 1",
            "data.token",
            "data[data.token] == 'x'",
            "size(data.token) / 0 == 1",
        ] {
            let why = holds(text, &secret).expect_err("cannot be judged");
            assert!(!why.contains("aHVudGVyMg=="), "{why}");
        }
    }
}
