//! Readiness in CEL, the Common Expression Language, as Flux (`healthCheckExprs`) and rules of definitions have it.
//!
//! In: a text. Out: an [`Expression`] for the engine, or why the text is none. Nothing is found out only when an object is
//! met but what that object lacks: names of variables and functions are checked here.
//!
//! Names: `self` is the object, as in rules of definitions; `metadata`, `spec`, `status` and so on are its fields, as Flux
//! has them (<https://fluxcd.io/flux/components/kustomize/kustomizations/#health-check-expressions>).

use crate::language::closest;
use cel::{
    Context, Env, ExecutionError, IdedExpr, Program, Value,
    common::ast::{EntryExpr, Expr},
};
use serde_json::Value as Json;
use stackctl_engine::readiness::Expression;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

/// What an expression may name: the object, or a field of it.
const VARIABLES: &[&str] = &["self", "apiVersion", "kind", "metadata", "spec", "status", "data"];

/// What an expression may call by name; operators have none. The standard functions
/// (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions>) and the extensions
/// `strings`, `lists` and `math`, which Kubernetes switches on too.
const FUNCTIONS: &[&str] = &[
    "abs",
    "bool",
    "bytes",
    "ceil",
    "charAt",
    "contains",
    "distinct",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "flatten",
    "floor",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "greatest",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "least",
    "lowerAscii",
    "matches",
    "none",
    "of",
    "ofNonZeroValue",
    "optFlatMap",
    "optMap",
    "or",
    "orValue",
    "replace",
    "reverse",
    "round",
    "size",
    "slice",
    "sort",
    "split",
    "startsWith",
    "string",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "value",
];

/// Where expressions are compiled and judged; made once.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    for extension in [cel::extensions::strings, cel::extensions::lists, cel::extensions::math] {
        extension(&mut env).expect("the extensions declare nothing that is declared already");
    }
    Arc::new(env)
});

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpressionError {
    /// The text breaks a rule of the language.
    #[error("it is not CEL: {0}")]
    Syntax(String),
    /// It names what is not there.
    #[error("it names `{name}`, which is not there{}", hint(.closest.as_deref()))]
    Unknown {
        /// The name.
        name: String,
        /// What may have been meant.
        closest: Option<String>,
    },
}

fn hint(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Compiles an expression.
///
/// # Errors
/// When it does not parse, or names a variable or a function that is not there.
pub(crate) fn compile(text: &str) -> Result<Expression, ExpressionError> {
    let program = ENVIRONMENT.compile(text).map_err(|errors| {
        let said = errors.to_string();
        // The first line says what and where; below it the text is shown again.
        ExpressionError::Syntax(said.lines().next().unwrap_or_default().trim().to_owned())
    })?;
    let mut variables = Vec::new();
    free(program.expression(), &mut Vec::new(), &mut variables);
    let references = program.references();
    let mut functions = references.functions();
    functions.retain(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
    for (named, known) in [(variables, VARIABLES), (functions, FUNCTIONS)] {
        if let Some(name) = named.into_iter().filter(|name| !known.contains(name)).min() {
            return Err(ExpressionError::Unknown {
                name: name.to_owned(),
                closest: closest(name, known.iter().copied()).map(str::to_owned),
            });
        }
    }
    let own = text.to_owned();
    Ok(Expression::new(text, move |object| holds(&program, &own, object)))
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

/// Whether it holds for an object; else in words that quote nothing of the object.
fn holds(program: &Program, text: &str, object: &Json) -> Result<bool, String> {
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    for name in VARIABLES {
        if *name == "self" {
            context.add_variable_from_value(*name, value_of(object));
        } else if let Some(field) = object.get(*name) {
            context.add_variable_from_value(*name, value_of(field));
        }
    }
    match program.execute(&context) {
        Ok(Value::Bool(holds)) => Ok(holds),
        Ok(_) => Err("it is neither true nor false".to_owned()),
        // A name that is not the expression's own was computed, maybe of what a Secret holds.
        Err(ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name))
            if text.contains(name.as_str()) =>
        {
            Err(format!("there is no `{name}` yet"))
        }
        Err(ExecutionError::NoSuchKey(_)) => Err("what it looks up is not there yet".to_owned()),
        Err(ExecutionError::IndexOutOfBounds(_)) => Err("a list is not that long yet".to_owned()),
        // Others quote values.
        Err(_) => Err("what it compares or calls does not fit what the object holds".to_owned()),
    }
}

/// A value as expressions see it: whole numbers are `int`.
fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(is) => Value::Bool(*is),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(float)) => Value::Float(float),
            (None, None) => Value::Null,
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(list) => Value::List(Arc::new(list.iter().map(value_of).collect())),
        Json::Object(map) => {
            let map: HashMap<String, Value> = map
                .iter()
                .map(|(name, child)| (name.clone(), value_of(child)))
                .collect();
            Value::from(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(text: &str, object: &Json) -> (bool, String) {
        let readiness = compile(text).expect("an expression").evaluate(object);
        (readiness.is_ready(), readiness.why().to_owned())
    }

    #[test]
    fn an_expression_reads_the_object_by_both_conventions() {
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
            assert!(verdict(text, &object).0, "{text}: {}", verdict(text, &object).1);
        }
    }

    #[test]
    fn what_is_not_there_yet_is_not_ready() {
        let (is_ready, why) = verdict("self.status.phase == 'Active'", &json!({"metadata": {}}));
        assert!(!is_ready);
        assert_eq!(
            why,
            "`self.status.phase == 'Active'` cannot be judged: there is no `status` yet"
        );
        assert!(
            verdict("status.phase == 'Active'", &json!({}))
                .1
                .ends_with("there is no `status` yet")
        );
    }

    #[test]
    fn what_is_wrong_with_a_text_is_known_before_any_object_is_met() {
        let error = |text: &str| compile(text).expect_err("no expression").to_string();
        assert!(
            error("status.phase ==").starts_with("it is not CEL: "),
            "{}",
            error("status.phase ==")
        );
        assert_eq!(
            error("staus.phase == 'Active'"),
            "it names `staus`, which is not there; did you mean `status`?"
        );
        assert_eq!(
            error("status.conditions.exists(c, c.type == d)"),
            "it names `d`, which is not there"
        );
        assert_eq!(
            error("status.phase.startWith('A')"),
            "it names `startWith`, which is not there; did you mean `startsWith`?"
        );
    }

    #[test]
    fn no_verdict_quotes_a_value() {
        let secret = json!({"kind": "Secret", "data": {"token": "aHVudGVyMg=="}});
        for text in [
            "data.token > 1",
            "data.token",
            "data[data.token] == 'x'",
            "size(data.token) / 0 == 1",
        ] {
            let (is_ready, why) = verdict(text, &secret);
            assert!(!is_ready && !why.contains("aHVudGVyMg=="), "{why}");
        }
    }
}
