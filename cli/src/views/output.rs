//! What a platform offers, for people and machines.

use super::style::{Meaning, Style, padded, visible_width};
use schemars::JsonSchema;
use serde::Serialize;
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

/// `output`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutputsJson {
    format_version: u32,
    outputs: Vec<OutputJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutputJson {
    /// Stable.
    name: String,
    description: String,
    value: String,
}

/// The same for machines.
pub fn to_json(outputs: &[Output]) -> OutputsJson {
    let one = |output: &Output| OutputJson {
        name: output.name.clone(),
        description: output.description.clone(),
        value: output.value.clone(),
    };
    OutputsJson {
        format_version: super::json::FORMAT_VERSION,
        outputs: outputs.iter().map(one).collect(),
    }
}
