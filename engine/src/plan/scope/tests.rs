use super::*;
use crate::{
    graph::{Edge, EdgeSource, Until},
    recorded::{RecordedDestroy, RecordedNode},
};
use proptest::prelude::*;

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn pattern(text: &str) -> Pattern {
    text.parse().expect("a pattern")
}

fn edge(from: &str, to: &str, class: EdgeClass) -> Edge {
    Edge {
        from: address(from),
        to: address(to),
        until: Until::Ready,
        reason: String::new(),
        class,
        source: EdgeSource::Declared,
    }
}

fn recorded(at: &str, needs: &[&str]) -> (Address, Recorded) {
    let known = Recorded {
        address: address(at),
        node: RecordedNode::Gate,
        edges: needs.iter().map(|to| edge(at, to, EdgeClass::Contains)).collect(),
        destroy: RecordedDestroy::default(),
    };
    (address(at), known)
}

/// A platform, two models on it, and a quota beside them.
const WAITS: [(&str, &str); 5] = [
    ("platform.ready", "platform.operator"),
    ("model[a].service", "platform.ready"),
    ("model[a].check", "model[a].service"),
    ("model[b].service", "platform.ready"),
    ("model[b].check", "model[b].service"),
];

fn graph() -> Graph {
    let mut all: BTreeSet<Address> = WAITS
        .iter()
        .flat_map(|(from, to)| [address(from), address(to)])
        .collect();
    all.insert(address("quota.object"));
    Graph::of_edges(all, WAITS.map(|(from, to)| edge(from, to, EdgeClass::Needs))).expect("acyclic")
}

fn scope(targets: &[&str], excludes: &[&str], until: &[&str]) -> Scope {
    let patterns = |texts: &[&str]| texts.iter().map(|text| pattern(text)).collect();
    Scope {
        targets: patterns(targets),
        excludes: patterns(excludes),
        until: patterns(until),
    }
}

fn kept(scope: &Scope, order: &Order) -> Vec<String> {
    let partial = scope.narrow(order).expect("it can be planned").expect("a part");
    let kept = order.addresses().filter(|address| partial.keeps(address));
    kept.map(ToString::to_string).collect()
}

#[test]
fn a_prefix_names_all_below_it_and_a_segment_without_a_key_every_key() {
    let names = |text: &str, at: &str| pattern(text).names(&address(at));
    assert!(names("model[a]", "model[a].service") && names("model", "model[a].service"));
    assert!(names("model[a].service", "model[a].service") && names("model.service", "model[a].service"));
    assert!(!names("model[b]", "model[a].service"), "another key");
    assert!(!names("mod", "model[a].service"), "half a name");
    assert!(
        !names("model[a].service.route", "model[a].service"),
        "something below it"
    );
    assert_eq!(pattern(r#"m.configmap["a/b"]"#).to_string(), r#"m.configmap["a/b"]"#);
}

#[test]
fn a_target_takes_along_what_it_waits_for_and_nothing_that_waits_for_it() {
    let order = Order::of_apply(&graph(), &BTreeMap::new());
    assert_eq!(
        kept(&scope(&["model[a].service"], &[], &[]), &order),
        ["model[a].service", "platform.operator", "platform.ready"]
    );
}

#[test]
fn an_exclusion_takes_along_what_waits_for_it_and_says_so() {
    let order = Order::of_apply(&graph(), &BTreeMap::new());
    let excluding = scope(&[], &["model[a].service"], &[]);
    let partial = excluding.narrow(&order).expect("planned").expect("a part");
    let why: Vec<_> = partial
        .left_out
        .iter()
        .map(|(at, why)| format!("{at}: {why}"))
        .collect();
    assert_eq!(
        why,
        [
            "model[a].check: waits for model[a].service, which is excluded",
            "model[a].service: excluded"
        ]
    );
}

#[test]
fn until_keeps_all_but_what_comes_after() {
    let order = Order::of_apply(&graph(), &BTreeMap::new());
    assert_eq!(
        kept(&scope(&[], &[], &["platform.ready"]), &order),
        ["platform.operator", "platform.ready", "quota.object"]
    );
}

#[test]
fn under_destroy_dependents_go_along_and_never_dependencies() {
    let known: BTreeMap<_, _> = [
        recorded("ns.object", &[]),
        recorded("db.object", &["ns.object"]),
        recorded("app.object", &["db.object"]),
    ]
    .into();
    let order = Order::of_destroy(&known);
    assert_eq!(kept(&scope(&["db"], &[], &[]), &order), ["app.object", "db.object"]);
    assert_eq!(
        kept(&scope(&[], &["db"], &[]), &order),
        ["app.object"],
        "what an excluded one needs stays"
    );
    assert_eq!(kept(&scope(&[], &[], &["app"]), &order), ["app.object"]);
}

#[test]
fn what_left_the_stack_goes_only_with_all_that_was_made_for_it() {
    // `old.base` left the stack; `model[a].service` was made for it and stays, `old.user` left as well.
    let known: BTreeMap<_, _> = [
        recorded("old.base", &[]),
        recorded("old.user", &["old.base"]),
        recorded("model[a].service", &["old.base"]),
    ]
    .into();
    let order = Order::of_apply(&graph(), &known);
    assert_eq!(
        kept(&scope(&["old.base"], &[], &[]), &order),
        [
            "model[a].service",
            "old.base",
            "old.user",
            "platform.operator",
            "platform.ready"
        ]
    );
    assert!(!kept(&scope(&[], &["model[a]"], &[]), &order).contains(&"old.base".to_owned()));
}

#[test]
fn a_name_that_names_nothing_and_a_target_of_which_nothing_is_left_are_errors() {
    let order = Order::of_apply(&graph(), &BTreeMap::new());
    let errors = |scope: Scope| {
        let errors = scope.narrow(&order).expect_err("refused");
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        errors(scope(&["modle[a]"], &["gpu"], &["x.y"])),
        [
            "`--target modle[a]` names nothing that this stack makes or has recorded",
            "`--exclude gpu` names nothing that this stack makes or has recorded",
            "`--until x.y` names nothing that this stack makes or has recorded",
        ]
    );
    assert_eq!(
        errors(scope(&["model[a]"], &["platform.ready"], &[])),
        ["`--target model[a]` leaves nothing to do: `model[a].check` waits for platform.ready, which is excluded"]
    );
}

#[test]
fn a_part_that_deletes_what_holds_something_that_it_leaves_out_is_refused() {
    let at = |number: usize| format!("n[{number}].x");
    let container = at(0);
    let inside = recorded("b.inside", &[&container]);
    let mut beside = recorded("c.beside", &[&container]);
    beside.1.edges[0].class = EdgeClass::Needs;
    let elsewhere = recorded("d.elsewhere", &[&at(1)]);
    let all = BTreeMap::from([inside, beside, elsewhere]);
    let leaving_out = |names: &[&str]| Partial {
        asked: scope(&[], names, &[]),
        left_out: names.iter().map(|name| (address(name), LeftOut::Excluded)).collect(),
    };
    let refused = |actions: &[Action], names: &[&str]| {
        let plan = crate::plan::testing::plan(crate::plan::Purpose::Apply, actions);
        let told = |errors: Vec<ScopeError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        leaving_out(names).check(&plan, &all).map_err(told)
    };
    let everything = ["b.inside", "c.beside", "d.elsewhere"];
    for goes in [Action::Delete, Action::Replace] {
        let errors = refused(&[goes, Action::NoOp], &everything).expect_err("it would go along");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].contains(&container) && errors[0].contains("b.inside"),
            "{errors:?}"
        );
    }
    assert_eq!(refused(&[Action::Update, Action::NoOp], &everything), Ok(()));
    assert_eq!(refused(&[Action::Delete, Action::NoOp], &everything[1..]), Ok(()));
}

#[test]
fn why_something_is_left_out_has_a_word_for_machines_and_the_address_it_is_because_of() {
    let (excluded, last) = (address("a.excluded"), address("a.last"));
    for (why, code, because_of) in [
        (LeftOut::NotTargeted, "not-targeted", None),
        (LeftOut::Excluded, "excluded", None),
        (LeftOut::WaitsFor(excluded.clone()), "waits-for", Some(&excluded)),
        (LeftOut::After(last.clone()), "after", Some(&last)),
    ] {
        assert_eq!((why.code(), why.because_of()), (code, because_of));
    }
}

#[test]
fn a_scope_that_names_nothing_is_the_whole_stack() {
    assert_eq!(Scope::default().narrow(&Order::default()), Ok(None));
}

/// Waits between thirty addresses, and what was named of them.
fn anything() -> impl Strategy<Value = (Order, Scope)> {
    let name = |n: usize| format!("n[{n}].x");
    let some = || prop::collection::vec(0_usize..30, 0..4);
    (
        prop::collection::vec((0_usize..30, 0_usize..30), 0..60),
        some(),
        some(),
        some(),
    )
        .prop_map(move |(pairs, targets, excludes, until)| {
            let mut waits: BTreeMap<_, BTreeSet<_>> = (0..30).map(|n| (address(&name(n)), BTreeSet::new())).collect();
            for (from, to) in pairs.into_iter().filter(|(from, to)| from > to) {
                waits
                    .entry(address(&name(from)))
                    .or_default()
                    .insert(address(&name(to)));
            }
            let patterns = |named: Vec<usize>| named.into_iter().map(|n| pattern(&name(n))).collect();
            let scope = Scope {
                targets: patterns(targets),
                excludes: patterns(excludes),
                until: patterns(until),
            };
            (Order { waits }, scope)
        })
}

/// Whether `address` waits for `other`, however far; slow and plain.
fn waits_for(order: &Order, address: &Address, other: &Address) -> bool {
    order.waits[address]
        .iter()
        .any(|next| next == other || waits_for(order, next, other))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_kept_waits_only_for_what_is_kept((order, scope) in anything()) {
        if let Ok(Some(partial)) = scope.narrow(&order) {
            for address in order.addresses().filter(|address| partial.keeps(address)) {
                for needed in &order.waits[address] {
                    prop_assert!(partial.keeps(needed), "{} without {}", address, needed);
                }
            }
        }
    }

    #[test]
    fn what_is_kept_is_what_the_words_of_the_flags_say((order, scope) in anything()) {
        let named = |patterns: &[Pattern], address: &Address| patterns.iter().any(|pattern| pattern.names(address));
        if let Ok(Some(partial)) = scope.narrow(&order) {
            for address in order.addresses() {
                let below = |patterns: &[Pattern]| {
                    order.addresses().any(|other| named(patterns, other) && waits_for(&order, address, other))
                };
                let above = |patterns: &[Pattern]| {
                    named(patterns, address)
                        || order.addresses().any(|other| named(patterns, other) && waits_for(&order, other, address))
                };
                let targeted = scope.targets.is_empty() || above(&scope.targets);
                let excluded = named(&scope.excludes, address) || below(&scope.excludes);
                let after = below(&scope.until) && !above(&scope.until);
                prop_assert_eq!(partial.keeps(address), targeted && !excluded && !after, "{}", address);
            }
        }
    }
}
