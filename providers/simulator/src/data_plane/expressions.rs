//! What policies say in CEL, in selectors and in patterns, judged against one call.
//!
//! Source: <https://docs.kuadrant.io/latest/architecture/rfcs/0002-well-known-attributes/> (the names),
//! <https://docs.kuadrant.io/latest/authorino/docs/features/> (selectors, operators of patterns).
//!
//! Invariant: an expression that cannot be compiled, or that asks for something that is not there, has no value, and a
//! predicate without a value does not hold.
//!
//! Left out: selectors beyond names, indices and `@tostr`; named patterns (`patternRef`).

use std::sync::{Arc, LazyLock};

use cel::{Context, Env, extensions};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::call::Call;
use crate::operators::object::Read;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    if let Err(error) = environment.add_extension(extensions::strings) {
        tracing::warn!(%error, "functions of strings are missing in policies");
    }
    Arc::new(environment)
});

/// What is known of a call: `request`, `context.request.http`, and `auth` as far as it has been found out.
#[derive(Clone, Debug)]
pub(super) struct Known(Value);

impl Known {
    /// Returns what the call itself says.
    pub(super) fn of(call: &Call) -> Self {
        let mut headers = Map::new();
        for name in call.headers.keys() {
            headers.insert(name.as_str().to_owned(), json!(call.header(name.as_str())));
        }
        let request = json!({
            "method": call.method.as_str(), "host": call.host, "path": call.path_and_query(), "url_path": call.path,
            "query": call.query.as_deref().unwrap_or_default(), "scheme": if call.is_tls { "https" } else { "http" },
            "headers": headers,
        });
        Self(json!({"request": request, "context": {"request": {"http": request}}, "auth": {}}))
    }

    /// Says who the caller is.
    pub(super) fn set_identity(&mut self, identity: Value) {
        self.0["auth"]["identity"] = identity;
    }

    /// Says what was found out elsewhere about the caller.
    pub(super) fn set_metadata(&mut self, name: &str, value: Value) {
        self.0["auth"]["metadata"][name] = value;
    }

    /// Returns the value of an expression in CEL.
    pub(super) fn evaluate(&self, expression: &str) -> Option<Value> {
        let program = ENVIRONMENT.compile(expression).ok()?;
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for name in ["request", "context", "auth"] {
            context.add_variable(name, &self.0[name]).ok()?;
        }
        program.execute(&context).ok()?.json().ok()
    }

    /// Returns what a selector selects: names and indices with dots between them.
    pub(super) fn select(&self, selector: &str) -> Option<Value> {
        let (path, is_text) = match selector.strip_suffix(".@tostr") {
            Some(path) => (path, true),
            None => (selector, false),
        };
        let found = path.split('.').try_fold(&self.0, |value, part| match value {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?),
            value => value.get(part),
        })?;
        Some(if is_text {
            json!(found.to_string())
        } else {
            found.clone()
        })
    }

    /// Returns what a `{value}`, `{expression}` or `{selector}` of a policy stands for.
    pub(super) fn value_of(&self, source: &Value) -> Option<Value> {
        if let Some(expression) = source.get("expression").and_then(Value::as_str) {
            return self.evaluate(expression);
        }
        match source.get("selector").and_then(Value::as_str) {
            Some(selector) => self.select(selector),
            None => source.get("value").cloned(),
        }
    }

    /// Returns the same as text: a string as it is, anything else as JSON.
    pub(super) fn text_of(&self, source: &Value) -> Option<String> {
        self.value_of(source).map(|value| text(&value))
    }

    /// Returns whether all patterns hold; without any they do.
    pub(super) fn all_hold(&self, patterns: &[Value]) -> bool {
        patterns.iter().all(|pattern| self.holds(pattern))
    }

    fn holds(&self, pattern: &Value) -> bool {
        if let Some(predicate) = pattern.get("predicate").and_then(Value::as_str) {
            return self.evaluate(predicate) == Some(Value::Bool(true));
        }
        if let Some(any) = pattern.get("any").and_then(Value::as_array) {
            return any.iter().any(|pattern| self.holds(pattern));
        }
        if let Some(all) = pattern.get("all").and_then(Value::as_array) {
            return self.all_hold(all);
        }
        let found = self.select(pattern.text("/selector")).unwrap_or_default();
        let (has, wants) = (text(&found), text(&pattern["value"]));
        match pattern.text("/operator") {
            "eq" => has == wants,
            "neq" => has != wants,
            "incl" => found
                .as_array()
                .is_some_and(|list| list.iter().any(|one| text(one) == wants)),
            "excl" => !found
                .as_array()
                .is_some_and(|list| list.iter().any(|one| text(one) == wants)),
            "matches" => Regex::new(&wants).is_ok_and(|regex| regex.is_match(&has)),
            _ => false,
        }
    }
}

/// Returns a value as the text that a header or a comparison has of it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn known() -> Known {
        let call = call("GET", "https://maas.apps.example.com/llm-d-demo/qwen/v1/models?x=1")
            .header("Authorization", "Bearer sk-oai-a_b");
        let mut known = Known::of(&call.done());
        known.set_identity(json!({"user": {"username": "system:serviceaccount:tier:anna", "groups": ["a", "b"]}}));
        known.set_metadata("subscription-info", json!({"phase": "Active"}));
        known
    }

    #[test]
    fn expressions_see_the_call_and_the_caller() {
        let known = known();
        for (expression, value) in [
            ("request.path.split(\"/\")[1]", json!("llm-d-demo")),
            ("auth.identity.user.username.split(\":\")[3]", json!("anna")),
            (
                "request.headers.authorization.replace(\"Bearer \", \"\")",
                json!("sk-oai-a_b"),
            ),
            ("{\"groups\": auth.identity.user.groups}", json!({"groups": ["a", "b"]})),
            ("has(auth.metadata[\"subscription-info\"].message) ? 1 : 2", json!(2)),
            ("auth.identity.user.groups.join(\",\")", json!("a,b")),
            ("!request.url_path.endsWith(\"/v1/models\")", json!(false)),
        ] {
            assert_eq!(known.evaluate(expression), Some(value), "{expression}");
        }
        assert_eq!(
            known.evaluate("auth.identity.tier == \"free\""),
            None,
            "nobody said the tier"
        );
        assert_eq!(known.evaluate("no ("), None);
        assert_eq!(
            known.select("auth.identity.user.groups.@tostr"),
            Some(json!("[\"a\",\"b\"]"))
        );
        assert_eq!(known.select("auth.identity.user.groups.1"), Some(json!("b")));
    }

    #[test]
    fn a_pattern_that_cannot_be_judged_does_not_hold() {
        let known = known();
        let pattern = |operator: &str, value: &str| json!({"selector": "request.headers.authorization", "operator": operator, "value": value});
        assert!(known.all_hold(&[]));
        assert!(known.all_hold(&[pattern("matches", "^Bearer sk-oai-.*"), pattern("neq", "")]));
        assert!(!known.all_hold(&[pattern("eq", "x")]));
        assert!(!known.all_hold(&[pattern("unknown", "x")]));
        assert!(!known.all_hold(&[json!({"predicate": "auth.identity.tier == \"free\""})]));
        assert!(known.all_hold(&[json!({"any": [pattern("eq", "x"), {"selector": "auth.identity.user.groups", "operator": "incl", "value": "a"}]})]));
        assert!(!known.all_hold(&[json!({"selector": "auth.identity.user.groups", "operator": "excl", "value": "a"})]));
    }
}
