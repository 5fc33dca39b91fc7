//! What a definition says against an object that is to be applied.
//!
//! In: one version of a kind and an object as it would be sent. Out: every finding, with the field it is about.
//!
//! Invariants:
//! - An object is judged as a server would: undeclared fields, then defaults, then the schema, then its rules.
//! - What is not known yet is not judged: neither an open field nor anything that its value could decide.
//! - A transition rule is judged only where the object is known as it is.
//! - Where it is known as it is, a fault is told only if what would be there has it too: others may have set what we do not.

use serde_json::Value;

use super::{Extent, ListType, Schema, apply_defaults, definition::Version, prune, rules, validate};

/// An object, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The object as it would be sent.
    pub object: &'a Value,
    /// Whether that is all of it.
    pub extent: Extent,
    /// Fields whose values come later, as in `spec.tls.caBundle`; of a list that holds one, the list.
    pub open: &'a [String],
    /// The object as it is, if that is known.
    pub live: Option<&'a Value>,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The field is not declared.
    Unknown,
    /// The value is not one that the schema allows, or is missing.
    Value,
    /// A rule of the schema does not hold.
    Rule,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind it is.
    pub fault: Fault,
    /// The path, with indexes and no leading dot; empty for the object as a whole.
    pub field: String,
    /// What is wrong, in a server's words; empty for a field that is not declared.
    pub text: String,
}

/// Returns everything that is wrong with an object.
pub fn check(version: &Version, asked: Asked<'_>) -> Vec<Finding> {
    let mut object = asked.object.clone();
    if version.has_status
        && let Value::Object(map) = &mut object
    {
        map.remove("status");
    }
    let schema = &version.schema;
    let mut findings: Vec<Finding> = prune(schema, &mut object)
        .into_iter()
        .map(|field| Finding {
            fault: Fault::Unknown,
            field,
            text: String::new(),
        })
        .collect();
    let sent = asked.live.map(|_| object.clone());
    if asked.extent == Extent::Whole {
        apply_defaults(schema, &mut object);
    }
    let found = |fault| {
        move |error: super::FieldError| Finding {
            fault,
            field: if error.field == "<nil>" {
                String::new()
            } else {
                error.field
            },
            text: error.body,
        }
    };
    let after = asked.live.zip(sent).map(|(live, sent)| {
        // Fields of others stay. What we sent before and do not send any more goes: it is no fault of what we send now.
        let mut after = laid_over(schema, live, &sent);
        apply_defaults(schema, &mut after);
        after
    });
    let mut errors = validate::validate_as(schema, &object, asked.extent);
    errors.retain(|error| !is_open(asked.open, &error.field));
    if let Some(after) = &after {
        let there = validate::validate_as(schema, after, asked.extent);
        errors.retain(|error| there.iter().any(|other| is_same(error, other)));
    }
    let judges_rules = asked.extent == Extent::Whole && !errors.iter().any(super::FieldError::blocks_rules);
    findings.extend(errors.into_iter().map(found(Fault::Value)));
    if judges_rules {
        let is_known = |path: &str| !is_open(asked.open, path);
        let mut broken = rules::judge_some(schema, &object, None, &|path, is_of_change| {
            is_known(path) && !(is_of_change && asked.live.is_some())
        });
        if let Some((live, after)) = asked.live.zip(after.as_ref()) {
            let of_state = |path: &str, is_of_change: bool| is_known(path) && !is_of_change;
            let there = rules::judge_some(schema, after, None, &of_state);
            broken.retain(|error| there.contains(error));
            let of_change = |path: &str, is_of_change: bool| is_known(path) && is_of_change;
            broken.extend(rules::judge_some(schema, after, Some(live), &of_change));
        }
        findings.extend(broken.into_iter().map(found(Fault::Rule)));
    }
    findings
}

/// Whether two findings are about the same, whatever the value that they quote.
fn is_same(one: &super::FieldError, other: &super::FieldError) -> bool {
    one.field == other.field && one.reason == other.reason
}

/// The live object with ours on it: maps are merged, and lists whose items have keys; all else is ours.
fn laid_over(schema: &Schema, live: &Value, ours: &Value) -> Value {
    match (live, ours, &schema.list_type) {
        (Value::Object(live), Value::Object(ours), _) => {
            let mut merged = live.clone();
            for (name, ours) in ours {
                let schema = schema.field(name).unwrap_or(&super::ANYTHING);
                let value = match live.get(name) {
                    Some(live) => laid_over(schema, live, ours),
                    None => ours.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(ours), ListType::Map(keys)) => {
            let is_same = |one: &Value, other: &Value| keys.iter().all(|key| one.get(key) == other.get(key));
            let merged = live
                .iter()
                .map(|live| match ours.iter().find(|ours| is_same(ours, live)) {
                    Some(ours) => laid_over(schema.item(), live, ours),
                    None => live.clone(),
                });
            let added = ours.iter().filter(|ours| !live.iter().any(|live| is_same(ours, live)));
            merged.chain(added.cloned()).collect()
        }
        _ => ours.clone(),
    }
}

/// Whether a value at `path` depends on an open field: it is one, lies in one, or holds one.
fn is_open(open: &[String], path: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        outer.is_empty()
            || inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    open.iter().any(|open| holds(open, path) || holds(path, open))
}

#[cfg(test)]
mod tests {
    use super::super::definition::Definition;
    use super::*;
    use serde_json::json;

    fn version() -> Version {
        let spec = json!({
            "type": "object",
            "required": ["size", "owner"],
            "x-kubernetes-validations": [
                {"rule": "self.size <= self.limit", "message": "size is above the limit"},
                {"rule": "self.owner == oldSelf.owner", "message": "owner cannot change", "fieldPath": ".owner"},
            ],
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "limit": {"type": "integer", "default": 5},
                "owner": {"type": "string", "enum": ["a", "b"]},
                "port": {"x-kubernetes-int-or-string": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "ca": {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}},
                "rules": {
                    "type": "array", "minItems": 1, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}},
                },
            },
        });
        let definition = json!({"spec": {
            "group": "example.com", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}},
            }],
        }});
        Definition::read(&definition)
            .expect("a definition")
            .version("v1")
            .expect("served")
            .clone()
    }

    fn thing(spec: &Value) -> Value {
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": spec})
    }

    fn told(asked: Asked<'_>) -> Vec<String> {
        let one = |finding: Finding| format!("{:?} {}: {}", finding.fault, finding.field, finding.text);
        check(&version(), asked).into_iter().map(one).collect()
    }

    fn whole(spec: &Value) -> Vec<String> {
        told(Asked {
            object: &thing(spec),
            extent: Extent::Whole,
            open: &[],
            live: None,
        })
    }

    #[test]
    fn a_good_object_has_nothing_against_it() {
        let good = json!({"size": 5, "owner": "a", "port": "http", "free": {"any": 1}, "rules": [{"name": "x"}]});
        assert_eq!(whole(&good), [""; 0]);
        let mut with_status = thing(&good);
        with_status["status"] = json!({"bogus": true});
        let asked = Asked {
            object: &with_status,
            extent: Extent::Whole,
            open: &[],
            live: None,
        };
        assert_eq!(told(asked), [""; 0], "a server drops the status");
    }

    #[test]
    fn each_kind_of_mistake_is_found_at_its_field() {
        let bad = json!({"size": 0, "owner": "c", "port": true, "typo": 1, "rules": [{"name": "x"}, {"name": "x"}, {"name": "X"}]});
        assert_eq!(
            whole(&bad),
            [
                "Unknown spec.typo: ",
                "Value spec.owner: Unsupported value: \"c\": supported values: \"a\", \"b\"",
                "Value spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
                "Value spec.rules[1]: Duplicate value: {\"name\":\"x\"}",
                "Value spec.rules[2].name: Invalid value: \"X\": spec.rules[2].name in body should match '^[a-z]+$'",
                "Value spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
            ]
        );
        assert_eq!(whole(&json!({"size": 1})), ["Value spec.owner: Required value"]);
        assert_eq!(
            whole(&json!({"size": 9, "owner": "a"})),
            ["Rule spec: Invalid value: \"object\": size is above the limit"],
            "against a limit that is a default"
        );
    }

    #[test]
    fn what_comes_later_is_not_judged_and_decides_no_rule() {
        let object = thing(&json!({"size": 9, "ca": {}, "typo": 1}));
        let asked = |open| Asked {
            object: &object,
            extent: Extent::Whole,
            open,
            live: None,
        };
        let open = ["spec.ca.data".to_owned(), "spec.owner".to_owned()];
        assert_eq!(told(asked(&open)), ["Unknown spec.typo: "]);
        assert!(is_open(&open, "spec.ca") && is_open(&open, "") && is_open(&open, "spec.ca.data[0]"));
        assert!(!is_open(&open, "spec.c") && !is_open(&open, "spec.cab"));
    }

    #[test]
    fn a_rule_about_a_change_is_judged_only_where_the_object_is_known_as_it_is() {
        let (object, live) = (
            thing(&json!({"size": 1, "owner": "a"})),
            thing(&json!({"size": 1, "owner": "b"})),
        );
        let asked = |live| Asked {
            object: &object,
            extent: Extent::Whole,
            open: &[],
            live,
        };
        assert_eq!(told(asked(None)), [""; 0]);
        assert_eq!(
            told(asked(Some(&live))),
            ["Rule spec.owner: Invalid value: \"object\": owner cannot change"]
        );
    }

    #[test]
    fn what_others_set_is_not_missed_and_decides_what_ours_comes_to() {
        let object = thing(&json!({"size": 9}));
        let judged = |live: Option<&Value>| {
            told(Asked {
                object: &object,
                extent: Extent::Whole,
                open: &[],
                live,
            })
        };
        assert_eq!(judged(None), ["Value spec.owner: Required value"]);
        let theirs = thing(&json!({"size": 1, "owner": "b", "limit": 20}));
        assert_eq!(
            judged(Some(&theirs)),
            [""; 0],
            "the owner is theirs, and so is the limit"
        );
        let without = thing(&json!({"size": 1}));
        assert_eq!(
            judged(Some(&without)),
            ["Value spec.owner: Required value"],
            "nobody has set it"
        );
        let low = thing(&json!({"size": 1, "owner": "b", "limit": 6}));
        let broken = "Rule spec: Invalid value: \"object\": size is above the limit";
        assert_eq!(judged(Some(&low)), [broken]);
    }

    #[test]
    fn a_part_of_an_object_may_lack_what_the_rest_of_it_has() {
        let object = thing(&json!({"size": 9, "rules": [], "typo": 1, "port": true}));
        let asked = Asked {
            object: &object,
            extent: Extent::Part,
            open: &[],
            live: None,
        };
        assert_eq!(
            told(asked),
            [
                "Unknown spec.typo: ",
                "Value spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
            ]
        );
    }
}
