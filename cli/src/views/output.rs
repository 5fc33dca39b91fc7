//! What a platform offers, for people and machines.

use super::style::{Meaning, Style, padded, visible_width};
use serde_json::{Value, json};
use stackctl_stacks::components::Output;
use std::fmt::Write as _;

/// One line each: name, value, what it is.
pub fn outputs(outputs: &[Output], style: &Style) -> String {
    let width = |of: fn(&Output) -> &str| {
        outputs
            .iter()
            .map(|output| visible_width(of(output)))
            .max()
            .unwrap_or(0)
    };
    let (names, values) = (width(|output| &output.name), width(|output| &output.value));
    let mut text = String::new();
    for Output {
        name,
        description,
        value,
    } in outputs
    {
        let line = format!(
            "  {}  {}  {}",
            padded(name, names),
            padded(value, values),
            style.paint(Meaning::Quiet, description)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The same for machines.
pub fn to_json(outputs: &[Output]) -> Value {
    let all: Vec<_> = outputs
        .iter()
        .map(
            |Output {
                 name,
                 description,
                 value,
             }| json!({"name": name, "description": description, "value": value}),
        )
        .collect();
    json!({"format_version": super::json::FORMAT_VERSION, "outputs": all})
}
