//! What tests ask of compiled stacks, and of stacks that the language does not take.

use super::{compiled, facts, stack_of};
use crate::{
    components::compile,
    language::{Source, parse},
    stack::Stack,
};
use serde_json::Value;
use stackctl_engine::{
    Address, Resource,
    facts::{Fact, Holding},
    graph::Graph,
    readiness::{Observation, Rule},
    resource::{Gate, Node},
};

pub(super) fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

/// Asserts that nothing of `later` is written before the gate, or the object, `first` is ready.
#[track_caller]
pub(super) fn holds_back(text: &str, first: &str, later: &[&str]) {
    let graph = Graph::new(&compiled(&stack_of(text))).expect("a graph");
    let after = graph.descendants(&at(first));
    for address in later {
        assert!(after.contains(&at(address)), "{first} does not hold back {address}");
    }
}

#[track_caller]
pub(super) fn leaves_free(text: &str, first: &str, others: &[&str]) {
    let graph = Graph::new(&compiled(&stack_of(text))).expect("a graph");
    let after = graph.descendants(&at(first));
    for address in others {
        assert!(!after.contains(&at(address)), "{first} holds back {address}");
    }
}

pub(super) fn node(text: &str, address: &str) -> Resource {
    compiled(&stack_of(text))
        .into_iter()
        .find(|resource| resource.address == at(address))
        .unwrap_or_else(|| panic!("no {address}"))
}

pub(super) fn manifest(text: &str, address: &str) -> Value {
    match node(text, address).node {
        Node::Object(object) => object.manifest.value().clone(),
        Node::Overlay(overlay) => overlay.fields,
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => panic!("{address} has no manifest"),
    }
}

pub(super) fn with_fact(key: &str, value: Value) -> stackctl_engine::facts::Facts {
    let mut facts = facts();
    let fact = Fact {
        value,
        source: "test".to_owned(),
        holding: Holding::Live,
    };
    facts.insert(key, fact);
    facts
}

#[track_caller]
pub(super) fn refused(stack: &Stack, key: &str, value: Value) -> String {
    let errors = compile(stack, &with_fact(key, value)).expect_err("the facts do not fit");
    errors.iter().map(|error| format!("{error}\n")).collect()
}

/// The gate at an address.
pub(super) fn gate(text: &str, address: &str) -> Gate {
    match node(text, address).node {
        Node::Gate(gate) => gate,
        other => panic!("{address} is no gate: {other:?}"),
    }
}

/// When what is at an address is ready.
pub(super) fn ready(text: &str, address: &str) -> Rule {
    match node(text, address).node {
        Node::Object(object) => object.ready,
        Node::Overlay(overlay) => overlay.ready,
        other => panic!("{address} has no rule of its own: {other:?}"),
    }
}

/// Whether a rule asks, with others or alone, that a condition is True.
pub(super) fn asks_for(rule: &Rule, condition: &str) -> bool {
    match rule {
        Rule::All(rules) => rules.iter().any(|rule| asks_for(rule, condition)),
        rule => *rule == Rule::condition(condition),
    }
}

/// The objects that a gate looks at by name.
pub(super) fn seen(gate: &Gate) -> Vec<String> {
    let named = |one: &Observation| match &one.target {
        stackctl_engine::readiness::Target::Named(object) => Some(object.to_string()),
        _ => None,
    };
    gate.observations.iter().filter_map(named).collect()
}

/// All manifests of a kind, with their addresses.
pub(super) fn all(text: &str, kind: &str) -> Vec<(String, Value)> {
    let all = super::manifests(&compiled(&stack_of(text)));
    all.into_iter()
        .filter(|(_, manifest)| manifest["kind"] == kind)
        .collect()
}

/// What the language says of a stack, a line each: code and message.
pub(super) fn said(text: &str) -> Vec<String> {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: text.to_owned(),
    };
    let (errors, warnings) = match parse(&[source], &[]) {
        Ok((_, warnings)) => (Vec::new(), warnings),
        Err(diagnostics) => (diagnostics.errors().to_vec(), diagnostics.warnings().to_vec()),
    };
    let line = |error: &crate::StackError| format!("{}: {error}", error.code());
    errors.iter().chain(&warnings).map(line).collect()
}

/// A text with one thing changed.
#[track_caller]
pub(super) fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}`");
    text.replace(from, to)
}
