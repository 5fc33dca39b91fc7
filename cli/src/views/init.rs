//! What `init` found and wrote.

use super::{
    json::FORMAT_VERSION,
    style::{Meaning, Style, padded},
};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_stacks::starter::Found;
use std::{fmt::Write as _, path::Path};

/// The screen: what was found, what was written, and what comes next.
pub fn written(file: &Path, cluster: Option<&str>, found: &[Found], next: &str, style: &Style) -> String {
    let mut text = String::new();
    let asked = match cluster {
        Some(cluster) => format!("cluster {cluster}"),
        None => "no cluster was asked: what is written is for one on AWS".to_owned(),
    };
    let _ = writeln!(text, "{}", style.paint(Meaning::Quiet, &asked));
    let width = found.iter().map(|one| one.about.len()).max().unwrap_or(0);
    for Found { about, says, is_doubt } in found {
        let mark = match is_doubt {
            true => style.paint(Meaning::Attention, "!"),
            false => style.ready_mark(),
        };
        super::status::folded(
            &mut text,
            &format!("{mark} {}  ", padded(about, width)),
            says,
            Meaning::Heading,
            &Style { color: false, ..*style },
        );
    }
    let _ = writeln!(
        text,
        "\n{}",
        style.paint(Meaning::Heading, &format!("wrote {}", file.display()))
    );
    let _ = writeln!(
        text,
        "{} `{next}` shows what would be done",
        style.paint(Meaning::Busy, "next:")
    );
    text
}

/// `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitJson {
    format_version: u32,
    /// The file that was written.
    file: String,
    /// The name of the stack.
    stack: String,
    /// The cluster that was asked, for people; null where none was.
    cluster: Option<String>,
    found: Vec<FoundJson>,
    /// The command that comes next.
    next: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FoundJson {
    /// `platform`, `openshift`, `domain`, `gpus`, `model`, `storage`, `operators`, `maas` or `unread`; more may come.
    about: &'static str,
    says: String,
    /// Whether a person should do something about it before the first apply.
    is_doubt: bool,
}

/// The same for machines.
pub fn json(file: &Path, name: &str, cluster: Option<&str>, found: &[Found], next: &str) -> InitJson {
    let one = |Found { about, says, is_doubt }: &Found| FoundJson {
        about,
        says: says.clone(),
        is_doubt: *is_doubt,
    };
    InitJson {
        format_version: FORMAT_VERSION,
        file: file.display().to_string(),
        stack: name.to_owned(),
        cluster: cluster.map(str::to_owned),
        found: found.iter().map(one).collect(),
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_with_its_doubts_and_the_next_command() {
        let found = |about, says: &str, is_doubt| Found {
            about,
            says: says.to_owned(),
            is_doubt,
        };
        let all = [
            found("platform", "AWS, eu-west-1, machines in zones a, b, c", false),
            found(
                "operators",
                "rhods-operator (stable-3.x) installed by others: `plan` asks for `--adopt`",
                true,
            ),
        ];
        let style = Style {
            width: Some(72),
            ..Style::PLAIN
        };
        let text = written(Path::new("stack.toml"), Some("prod-eu"), &all, "stackctl plan", &style);
        insta::assert_snapshot!(text);
    }
}
