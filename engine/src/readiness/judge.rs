//! One observation: a target, the rule it has to meet, and the rule that says it never will.

use super::{Readiness, Rule, Seen, Target};
use serde_json::Value;

/// What a gate looks at, and what it has to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The objects.
    pub target: Target,
    /// When they are ready.
    pub ready: Rule,
    /// When they never will be, by the status itself.
    pub failed: Option<Rule>,
}

impl Observation {
    /// Looks at a target for a rule, with no early failure.
    pub fn new(target: Target, ready: Rule) -> Self {
        Self {
            target,
            ready,
            failed: None,
        }
    }

    /// An object that meets it, the first if there are several; one on its way out is none.
    pub fn met_by<'a>(&self, seen: &'a impl Seen) -> Option<&'a Value> {
        let is_met =
            |object: &&Value| Rule::Exists.evaluate(object).is_ready() && self.ready.evaluate(object).is_ready();
        self.target.find(seen).into_iter().find(is_met)
    }

    /// Adds the rule that says it will not come.
    #[must_use]
    pub fn failing_when(mut self, failed: Rule) -> Self {
        self.failed = Some(failed);
        self
    }
}

/// Judges all observations together: ready when all are, failed when one is, else what the first is waiting for.
pub fn judge(observations: &[Observation], seen: &impl Seen) -> Readiness {
    let mut waiting = None;
    let mut last = Readiness::Ready(String::new());
    for observation in observations {
        match judge_one(observation, seen) {
            Readiness::Failed(why) => return Readiness::Failed(why),
            Readiness::Progressing(why) => waiting = waiting.or(Some(why)),
            ready @ Readiness::Ready(_) => last = ready,
        }
    }
    waiting.map_or(last, Readiness::Progressing)
}

fn judge_one(observation: &Observation, seen: &impl Seen) -> Readiness {
    let objects = observation.target.find(seen);
    let mut ready = Vec::new();
    let mut why_not = None;
    for object in &objects {
        // A rule that can never say that it failed is told as long as anything is waited for.
        let fault = observation.failed.as_ref().and_then(|failed| failed.fault(object));
        let beside = fault.map_or_else(String::new, |fault| {
            format!("; whether it failed is not known: {fault}")
        });
        let named = |why: &str| format!("{}: {why}", name_of(object));
        if let Some(failed) = &observation.failed
            && let Readiness::Ready(why) = failed.evaluate(object)
        {
            return Readiness::Failed(named(&why));
        }
        // An object on its way out is no evidence, whatever its status still says.
        match Rule::Exists.evaluate(object) {
            Readiness::Ready(_) => {}
            other => {
                why_not = why_not.or_else(|| Some(named(other.why()) + &beside));
                continue;
            }
        }
        match observation.ready.evaluate(object) {
            Readiness::Ready(why) => ready.push(named(&why)),
            other => why_not = why_not.or_else(|| Some(named(other.why()) + &beside)),
        }
    }
    let enough = match &observation.target {
        Target::Named(_) | Target::Linked { .. } | Target::Copied { .. } => ready.len() == 1,
        Target::Every { at_least, .. } => ready.len() >= *at_least && ready.len() == objects.len(),
        Target::Some { at_least, .. } => ready.len() >= *at_least,
        Target::Prefixed { prefixes, .. } => {
            ready.len() == objects.len()
                && prefixes.iter().all(|prefix| {
                    objects.iter().any(|object| {
                        object
                            .pointer("/metadata/name")
                            .and_then(Value::as_str)
                            .is_some_and(|n| n.starts_with(prefix.as_str()))
                    })
                })
        }
    };
    match (enough, why_not) {
        (true, _) => Readiness::Ready(ready.pop().unwrap_or_default()),
        (false, Some(why)) => Readiness::Progressing(format!("{why}{}", count(&observation.target, ready.len()))),
        (false, None) => Readiness::Progressing(missing(&observation.target, ready.len())),
    }
}

fn name_of(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or("object");
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
    format!("{kind} {name}")
}

fn count(target: &Target, ready: usize) -> String {
    match target {
        Target::Every { at_least, .. } | Target::Some { at_least, .. } if *at_least > 1 => {
            format!(" ({ready} of {at_least})")
        }
        _ => String::new(),
    }
}

fn missing(target: &Target, ready: usize) -> String {
    match target {
        Target::Named(object) => format!("{object} is not there yet"),
        Target::Linked { from, at, of } => format!("{from} names no {} at {at} yet, or it is not there", of.kind),
        Target::Copied { to, from, .. } => format!("{to} does not hold what {from} has yet"),
        Target::Every {
            of, at_least, labels, ..
        }
        | Target::Some {
            of, at_least, labels, ..
        } => {
            let with = labels
                .iter()
                .map(|(name, value)| format!(" {name}={value}"))
                .collect::<String>();
            format!("{ready} of {at_least} {}{with}", of.kind)
        }
        Target::Prefixed {
            of,
            prefixes,
            namespace,
            ..
        } => {
            format!(
                "not every one of {} {} is in {namespace} yet",
                of.kind,
                prefixes.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldPath;
    use crate::object_key::{ObjectRef, ObjectType};
    use serde_json::json;

    struct List(Vec<Value>);

    impl Seen for List {
        fn object(&self, object: &ObjectRef) -> Option<&Value> {
            self.0.iter().find(|value| {
                value["kind"] == object.object_type.kind.as_str() && value["metadata"]["name"] == object.name.as_str()
            })
        }
        fn objects(&self, object_type: &ObjectType, _: Option<&str>) -> Vec<&Value> {
            self.0
                .iter()
                .filter(|value| value["kind"] == object_type.kind.as_str())
                .collect()
        }
    }

    fn csv(name: &str, phase: &str) -> Value {
        json!({"kind": "ClusterServiceVersion", "metadata": {"name": name}, "status": {"phase": phase, "message": "m"}})
    }

    #[test]
    fn a_linked_target_follows_the_name_and_nothing_else() {
        let subscription = ObjectRef::namespaced("operators.coreos.com/v1alpha1", "Subscription", "n", "s");
        let gate = [Observation::new(
            Target::Linked {
                from: subscription,
                at: FieldPath::of("status.installedCSV"),
                of: ObjectType::new("operators.coreos.com/v1alpha1", "ClusterServiceVersion"),
            },
            Rule::equals("status.phase", "Succeeded"),
        )];
        let holder = |installed: &str| json!({"kind": "Subscription", "metadata": {"name": "s"}, "status": {"installedCSV": installed}});
        assert!(!judge(&gate, &List(vec![holder(""), csv("a.v1", "Succeeded")])).is_ready());
        assert!(judge(&gate, &List(vec![holder("a.v1"), csv("a.v1", "Succeeded")])).is_ready());
        let waiting = judge(
            &gate,
            &List(vec![
                holder("a.v2"),
                csv("a.v1", "Succeeded"),
                csv("a.v2", "Installing"),
            ]),
        );
        assert_eq!(
            waiting.why(),
            "ClusterServiceVersion a.v2: .status.phase is Installing: m"
        );
    }

    #[test]
    fn a_rule_of_failure_that_can_never_be_judged_is_told_while_it_is_waited_for() {
        use crate::readiness::{Expression, Unjudged};
        let unfit = Expression::new("status.phase", |object| {
            if object["status"]["phase"].is_null() {
                return Err(Unjudged::NotYet("there is no `status` yet".to_owned()));
            }
            Err(Unjudged::Unfit("it is neither true nor false".to_owned()))
        });
        let named = ObjectRef::namespaced("v1", "ConfigMap", "n", "c");
        let observation = Observation::new(Target::Named(named), Rule::non_empty("data.ready"))
            .failing_when(Rule::All(vec![Rule::Expression(unfit)]));
        let verdict = |status: Value| {
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "status": status});
            judge(std::slice::from_ref(&observation), &List(vec![object]))
                .why()
                .to_owned()
        };
        assert_eq!(verdict(json!({})), "ConfigMap c: .data.ready is not there yet");
        assert_eq!(
            verdict(json!({"phase": "Failed"})),
            "ConfigMap c: .data.ready is not there yet; whether it failed is not known: `status.phase` cannot be judged: it \
             is neither true nor false"
        );
    }

    #[test]
    fn a_failed_status_is_failed_in_its_own_words() {
        let named = Target::Named(ObjectRef::namespaced(
            "operators.coreos.com/v1alpha1",
            "ClusterServiceVersion",
            "n",
            "a",
        ));
        let gate = [Observation::new(named, Rule::equals("status.phase", "Succeeded"))
            .failing_when(Rule::equals("status.phase", "Failed"))];
        assert_eq!(
            judge(&gate, &List(vec![csv("a", "Failed")])),
            Readiness::Failed("ClusterServiceVersion a: .status.phase is Failed: m".to_owned())
        );
    }

    #[test]
    fn three_pods_have_to_be_there_and_all_ready() {
        let pod = |name: &str, status: &str| {
            json!({"kind": "Pod", "metadata": {"name": name, "labels": {"a": "b"}},
            "status": {"conditions": [{"type": "Ready", "status": status}]}})
        };
        let gate = [Observation::new(
            Target::labelled(ObjectType::new("v1", "Pod"), "n", "a", "b", 2),
            Rule::PodReady,
        )];
        assert_eq!(judge(&gate, &List(vec![pod("x", "True")])).why(), "1 of 2 Pod a=b");
        assert_eq!(
            judge(&gate, &List(vec![pod("x", "True"), pod("y", "False")])).why(),
            "Pod y: Ready=False (1 of 2)"
        );
        assert!(judge(&gate, &List(vec![pod("x", "True"), pod("y", "True")])).is_ready());
    }

    #[test]
    fn a_copy_counts_once_it_is_of_what_is_there_now() {
        let named = |kind: &str, name: &str| ObjectRef::namespaced("v1", kind, "n", name);
        let copied = Target::Copied {
            to: named("ConfigMap", "bundle"),
            at: FieldPath::of(r#"data["ca.crt"]"#),
            from: named("Secret", "ca"),
            of: FieldPath::of(r#"data["tls.crt"]"#),
        };
        let bundle = |text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle", "namespace": "n"}, "data": {"ca.crt": text}});
        // "new\n" in base64.
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca", "namespace": "n"}, "data": {"tls.crt": "bmV3Cg=="}});
        let verdict = |objects: Vec<Value>| judge(&[Observation::new(copied.clone(), Rule::Exists)], &List(objects));
        assert!(verdict(vec![bundle("other\nnew\n"), secret.clone()]).is_ready());
        for waiting in [
            vec![bundle("other\n"), secret.clone()],
            vec![bundle("new\n")],
            vec![secret],
        ] {
            assert_eq!(
                verdict(waiting).why(),
                "ConfigMap n/bundle does not hold what Secret n/ca has yet"
            );
        }
    }

    #[test]
    fn of_certificates_each_counts_in_whatever_order_they_were_copied() {
        let block = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let (ours, theirs) = (block("b3Vycw=="), block("dGhlaXJz"));
        let named = |name: &str| ObjectRef::namespaced("v1", "ConfigMap", "n", name);
        let config = |name: &str, text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": {"ca.crt": text}});
        let copied = Target::Copied {
            to: named("copy"),
            at: FieldPath::of(r#"data["ca.crt"]"#),
            from: named("bundle"),
            of: FieldPath::of(r#"data["ca.crt"]"#),
        };
        let both = format!("{ours}{theirs}");
        let verdict = |copy: &str| {
            let objects = vec![config("copy", copy), config("bundle", &both)];
            judge(&[Observation::new(copied.clone(), Rule::Exists)], &List(objects))
        };
        assert!(verdict(&format!("# system\n{theirs}\n{ours}")).is_ready());
        assert!(!verdict(&theirs).is_ready());
    }
}
