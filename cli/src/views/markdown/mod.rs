//! A change as the comment of a pull request: consequences first, then every change folded, the gravest first.
//!
//! Invariants:
//! - At most [`MOST`] bytes, and so characters, whatever the plan: what does not fit is counted.
//! - The first line is a marker that depends on the stack alone, by which a bot finds its comment again.
//! - Nothing that a stack or a cluster says ends a fence, a cell, or an element: fences are longer than any run of
//!   backticks in them, text is escaped, and control characters are gone.
//! - Every element that is opened is closed; what is cut is cut between them.

mod escape;

use super::{
    diff,
    plan::{says_something, summary, why},
    review::{Review, notes, place, verdict},
    style::{Style, shortened},
};
use escape::{cell, code, fenced, html};
use stackctl_engine::plan::{Action, Plan, Risk, Step};
use std::{cmp::Reverse, collections::BTreeMap, fmt::Write as _};

/// The longest comment that GitHub takes, in characters; a byte is at most one.
pub const MOST: usize = 65_536;
/// How much of that the table of consequences may take.
const MOST_OF_TABLE: usize = 24_000;
/// What the lines below the changes take at most, every character of them escaped.
const RESERVED: usize = 5_000;
/// How long one sentence, and one line of a change, may be, in characters.
const LONGEST_TEXT: usize = 500;
const LONGEST_LINE: usize = 200;
/// How many lines one change may have.
const MOST_LINES: usize = 40;

/// The comment.
pub fn plan(plan: &Plan, review: &Review, compact: bool) -> String {
    let mut text = head(plan, review);
    table(&mut text, plan);
    changes(&mut text, plan, compact);
    text.push_str(&foot(plan, review));
    text
}

/// The line by which a bot finds the comment of a stack.
pub fn marker(stack: &str) -> String {
    let name: String = stack
        .chars()
        .filter(|one| one.is_ascii_alphanumeric() || *one == '-')
        .collect();
    format!("<!-- stackctl:{name} -->")
}

fn head(plan: &Plan, review: &Review) -> String {
    let mut text = format!(
        "{}\n### stackctl: {} · {}",
        marker(&review.stack),
        verdict(&review.risks(plan)),
        code(&shortened(&review.stack, 80, "…")),
    );
    match &review.between {
        Some((from, to)) => {
            let [from, to] = [from, to].map(|name| code(&shortened(name, 80, "…")));
            let _ = write!(text, " · {from} → {to}\n\n");
        }
        None => {
            let _ = write!(text, " · {}\n\n", code(&shortened(&review.asked, 160, "…")));
        }
    }
    for note in notes(review).iter().take(10) {
        let _ = write!(text, "> ⚠️ {}\n\n", cell(&shortened(note, LONGEST_TEXT, "…")));
    }
    text
}

fn mark(risk: Risk) -> &'static str {
    match risk {
        Risk::Destructive => "🟥",
        Risk::Disruptive => "🟧",
        Risk::Safe => "🟩",
    }
}

/// What the change does to those who use the platform; what does not fit is counted by how grave it is.
fn table(text: &mut String, plan: &Plan) {
    let told = plan.told();
    let is_silent = |step: &&Step| step.risk().is_some() && step.consequences.is_empty();
    let silent = plan.steps.iter().filter(is_silent).count();
    if told.is_empty() && silent == 0 {
        return;
    }
    text.push_str("| | where | what it does |\n|---|---|---|\n");
    let mut left: BTreeMap<Reverse<Risk>, usize> = BTreeMap::new();
    let start = text.len();
    for one in &told {
        let (first, more) = place(one);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let row = format!(
            "| {} | {}{more} | {} |\n",
            mark(one.risk),
            code(&shortened(&first, 120, "…")),
            cell(&shortened(&one.consequence.text, LONGEST_TEXT, "…"))
        );
        if left.is_empty() && text.len() - start + row.len() <= MOST_OF_TABLE {
            text.push_str(&row);
        } else {
            *left.entry(Reverse(one.risk)).or_default() += 1;
        }
    }
    for (Reverse(risk), count) in left {
        let _ = writeln!(text, "| {} | {count} more | |", mark(risk));
    }
    if silent > 0 {
        let noun = if silent == 1 { "change" } else { "changes" };
        let _ = writeln!(
            text,
            "| {} | {silent} {noun} | nothing that users notice |",
            mark(Risk::Safe)
        );
    }
    text.push('\n');
}

/// Every change, folded; the gravest first, then in the order of the plan.
fn changes(text: &mut String, plan: &Plan, compact: bool) {
    let mut steps: Vec<(Risk, &Step)> = plan
        .steps
        .iter()
        .filter_map(|step| Some((step.risk()?, step)))
        .collect();
    if steps.is_empty() {
        return;
    }
    steps.sort_by_key(|(risk, _)| Reverse(*risk));
    let n_changes = steps.len();
    let noun = if n_changes == 1 { "change" } else { "changes" };
    let _ = write!(
        text,
        "<details><summary>{n_changes} {noun}: {}</summary>\n\n",
        html(summary(plan).trim_start_matches("Plan: "))
    );
    let room = MOST - RESERVED;
    let mut left: BTreeMap<Action, usize> = BTreeMap::new();
    for (risk, step) in steps {
        let block = change(risk, step, compact);
        if left.is_empty() && text.len() + block.len() <= room {
            text.push_str(&block);
        } else {
            *left.entry(step.action).or_default() += 1;
        }
    }
    if !left.is_empty() {
        let n_left: usize = left.values().sum();
        let counts: Vec<_> = left
            .iter()
            .map(|(action, count)| format!("{count} {}", action.code()))
            .collect();
        let _ = write!(
            text,
            "\n**{n_left} more that do not fit here**, none graver than the last one above: {}\n",
            counts.join(", ")
        );
    }
    text.push_str("\n</details>\n\n");
}

/// One change: its line, and its fields folded below, if there are some to show.
fn change(risk: Risk, step: &Step, compact: bool) -> String {
    let object = step.object.as_ref().map_or_else(String::new, |object| {
        format!(" · {}", html(&shortened(&object.to_string(), 160, "…")))
    });
    let why = Some(why(step)).filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(" · {}", html(&shortened(&why, 160, "…"))));
    let line = format!(
        "{} {} <code>{}</code>{object}{why}",
        mark(risk),
        step.action.code(),
        html(&shortened(&step.address.to_string(), 160, "…"))
    );
    let fields = if compact { Vec::new() } else { fields(step) };
    if fields.is_empty() {
        return format!("\n{line}\n");
    }
    format!(
        "\n<details><summary>{line}</summary>\n\n{}\n</details>\n",
        fenced("diff", &fields)
    )
}

/// The lines of a change, each with its sign.
fn fields(step: &Step) -> Vec<String> {
    let style = &Style::PLAIN;
    let mut lines = Vec::new();
    for change in step.changes.iter().filter(|change| says_something(step, change)) {
        let path = diff::path(&change.path);
        let texts = diff::text_lines(change, style);
        if texts.is_empty() {
            let (before, after) = diff::sides(change, style);
            lines.extend(before.map(|value| format!("- {path}: {value}")));
            lines.extend(after.map(|value| format!("+ {path}: {value}")));
        } else {
            lines.push(format!("  {path}:"));
            lines.extend(texts);
        }
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    for line in &mut lines {
        *line = shortened(line, LONGEST_LINE, "…");
    }
    if more > 0 {
        lines.push(format!("  … {more} more lines"));
    }
    lines
}

fn foot(plan: &Plan, review: &Review) -> String {
    let mut text = format!("{} unchanged", plan.counts().unchanged);
    if review.between.is_some() {
        let _ = write!(text, "; {}", cell(&shortened(&review.asked, 200, "…")));
    }
    text.push('.');
    if let Some(artefact) = &review.artefact {
        let _ = write!(text, " The whole: {}.", cell(&shortened(artefact, 300, "…")));
    }
    text.push('\n');
    if let Some((path, digest)) = &review.saved {
        let apply = format!("stackctl apply {} --expect {digest}", shortened(path, 200, "…"));
        let _ = write!(
            text,
            "\nPlan digest {}; apply exactly this: {}\n",
            code(digest),
            code(&apply)
        );
    }
    text
}

#[cfg(test)]
mod tests;
