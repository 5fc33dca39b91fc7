//! What waits for what: waves for people, dot and mermaid for pictures.

use super::style::{Meaning, Style, counted};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::{
    Address,
    graph::{Graph, waves},
};
use std::fmt::Write as _;

/// Waves, and under each resource what it waits for.
pub fn text(graph: &Graph, style: &Style) -> String {
    let waves = waves(graph);
    let mut text = String::new();
    for (index, wave) in waves.iter().enumerate() {
        let heading = format!("wave {}: {}", index + 1, counted(wave.len(), "resource"));
        let _ = writeln!(text, "{}", style.paint(Meaning::Heading, &heading));
        for address in wave {
            let _ = writeln!(text, "  {address}");
            for edge in graph.dependencies(address) {
                let why = style.paint(Meaning::Quiet, &format!("{} ({})", edge.reason, edge.source));
                let _ = writeln!(text, "      until {} is {}: {why}", edge.to, edge.until);
            }
        }
    }
    let _ = writeln!(
        text,
        "{} in {}; waves are shown, nothing waits for a whole one",
        counted(graph.order().len(), "resource"),
        counted(waves.len(), "wave")
    );
    text
}

/// For Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut text = "digraph stack {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for address in graph.order() {
        let _ = writeln!(text, "  {};", quoted(address));
        for edge in graph.dependencies(address) {
            let style = if edge.until == stackctl_engine::graph::Until::Applied {
                " [style=dashed]"
            } else {
                ""
            };
            let _ = writeln!(text, "  {} -> {}{style};", quoted(&edge.to), quoted(address));
        }
    }
    text.push_str("}\n");
    text
}

/// For Markdown.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = "graph LR\n".to_owned();
    let id = |address: &Address| {
        graph
            .order()
            .iter()
            .position(|other| other == address)
            .unwrap_or_default()
    };
    for address in graph.order() {
        let _ = writeln!(text, "  n{}[{}]", id(address), quoted(address));
    }
    for address in graph.order() {
        for edge in graph.dependencies(address) {
            let arrow = if edge.until == stackctl_engine::graph::Until::Applied {
                "-.->"
            } else {
                "-->"
            };
            let _ = writeln!(text, "  n{} {arrow} n{}", id(&edge.to), id(address));
        }
    }
    text
}

/// `graph`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GraphJson {
    format_version: u32,
    /// Every address, in order.
    resources: Vec<String>,
    edges: Vec<GraphEdgeJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GraphEdgeJson {
    /// What waits.
    from: String,
    /// For what.
    to: String,
    /// `applied` or `ready`.
    until: String,
    reason: String,
    /// Who says so.
    source: String,
}

/// For machines.
pub fn to_json(graph: &Graph) -> GraphJson {
    let edges = graph.order().iter().flat_map(|address| graph.dependencies(address));
    GraphJson {
        format_version: super::json::FORMAT_VERSION,
        resources: graph.order().iter().map(ToString::to_string).collect(),
        edges: edges
            .map(|edge| GraphEdgeJson {
                from: edge.from.to_string(),
                to: edge.to.to_string(),
                until: edge.until.to_string(),
                reason: edge.reason.clone(),
                source: edge.source.to_string(),
            })
            .collect(),
    }
}

fn quoted(address: &Address) -> String {
    format!("\"{}\"", address.to_string().replace('"', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::address;
    use stackctl_engine::graph::{Edge, EdgeClass, EdgeSource, Until};

    fn graph() -> Graph {
        let edge = Edge {
            from: address("a.csv"),
            to: address("a.namespace"),
            until: Until::Applied,
            reason: "lives in it".to_owned(),
            class: EdgeClass::Contains,
            source: EdgeSource::Namespace,
        };
        Graph::of_edges(["a.csv", "a.namespace"].map(address), [edge]).expect("acyclic")
    }

    #[test]
    fn waves_say_what_is_waited_for_and_why() {
        insta::assert_snapshot!(text(&graph(), &Style::PLAIN), @r"
        wave 1: 1 resource
          a.namespace
        wave 2: 1 resource
          a.csv
              until a.namespace is applied: lives in it (inferred from the namespace)
        2 resources in 2 waves; waves are shown, nothing waits for a whole one
        ");
        insta::assert_snapshot!(dot(&graph()), @r#"
        digraph stack {
          rankdir=LR;
          node [shape=box];
          "a.namespace";
          "a.csv";
          "a.namespace" -> "a.csv" [style=dashed];
        }
        "#);
        insta::assert_snapshot!(mermaid(&graph()), @r#"
        graph LR
          n0["a.namespace"]
          n1["a.csv"]
          n0 -.-> n1
        "#);
    }
}
