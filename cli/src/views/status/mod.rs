//! Where everything of a stack stands, for people: what is wrong first, what is well in one line a component.
//!
//! Invariants: nothing wraps that was not meant to; every count is that of [`Tally`]; what is not ready is always listed,
//! with why, and with what it waits for.

mod json;
mod watch;

pub use json::{StatusJson, WatchLineJson, changed, finished, whole};
pub use watch::Watch;

use super::style::{Meaning, Style, counted, padded, spent, visible_width};
use stackctl_engine::{
    Address,
    graph::Edge,
    plan::NodeKind,
    status::{Is, Standing, Tally, held_up_by},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

/// How wide a column may become before what follows no longer aligns with it.
const WIDEST_ADDRESS: usize = 42;
/// Where the counts of a component end.
const HEADING_WIDTH: usize = 78;
/// The least room for words, on however narrow a terminal.
const LEAST_WORDS: usize = 24;
/// How many of what holds others up are named above the list.
const MOST_HOLDING: usize = 3;
/// How many of what one resource waits for are named.
const MOST_WAITS: usize = 2;

/// A space at which no line is folded.
const TIE: char = '\u{a0}';

/// What is shown, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// The cluster, for people.
    pub cluster: &'a str,
    /// Where everything stands.
    pub standings: &'a [Standing],
    /// What was asked for, of that.
    pub shown: &'a BTreeSet<Address>,
    /// Whether what is ready is listed too.
    pub all: bool,
    /// Whether what has not begun is only counted, for want of room.
    pub brief: bool,
    /// Whether components that are not ready come first, since the last lines are cut.
    pub worst_first: bool,
    /// Whether there was no stack file to judge by.
    pub by_record: bool,
}

impl<'a> Screen<'a> {
    /// What was asked for.
    fn chosen(&self) -> impl Iterator<Item = &'a Standing> + use<'a> {
        let shown = self.shown;
        self.standings.iter().filter(move |one| shown.contains(&one.address))
    }

    /// Whether nothing of the stack was applied yet.
    fn is_new(&self) -> bool {
        self.standings.iter().all(|one| !one.is_recorded)
    }

    /// Whether one is worth a line: of the record alone, nobody expects to know what only the stack file says.
    fn is_news(&self, one: &Standing) -> bool {
        match one.is {
            Is::Ready(_) => false,
            Is::Unknown(_) => !self.by_record,
            Is::NotReady(_) | Is::Failed(_) | Is::Absent | Is::Going(_) => true,
        }
    }

    /// How many stand how.
    pub fn tally(&self) -> Tally {
        Tally::of(self.chosen())
    }
}

/// The whole screen.
pub fn screen(screen: &Screen<'_>, style: &Style) -> String {
    let mut text = String::new();
    heading(&mut text, screen, style);
    let mut follows_a_list = true;
    let mut components = by_component(screen.chosen().filter(|one| one.is_desired));
    if screen.worst_first {
        components.sort_by_key(|(_, standings)| standings.iter().all(|one| !screen.is_news(one)));
    }
    for (component, standings) in components {
        let is_listed = is_listed(&standings, screen);
        if is_listed || follows_a_list {
            text.push('\n');
        }
        follows_a_list = is_listed;
        group(&mut text, component, &standings, is_listed, screen, style);
    }
    left(&mut text, screen, style);
    text
}

/// The line that counts: `83 of 88 ready: 1 failed, 4 not there`.
pub fn summary(tally: &Tally) -> String {
    let mut text = format!("{} of {} ready", tally.count("ready"), tally.total());
    let others: Vec<_> = Is::CODES
        .iter()
        .filter(|code| **code != "ready" && tally.count(code) > 0)
        .map(|code| format!("{} {}", tally.count(code), word(code)))
        .collect();
    if !others.is_empty() {
        let _ = write!(text, ": {}", others.join(", "));
    }
    text
}

/// That a watch gave up, and how it stood then.
pub fn gave_up(after: Duration, tally: &Tally) -> String {
    format!("not all ready within {}: {}\n", spent(after), summary(tally))
}

fn heading(text: &mut String, screen: &Screen<'_>, style: &Style) {
    let tally = screen.tally();
    let mark = if tally.is_all_ready() {
        style.ready_mark()
    } else if tally.count("failed") > 0 {
        style.failed_mark()
    } else {
        style.waiting_mark()
    };
    let _ = writeln!(text, "{mark} {}", style.paint(Meaning::Heading, &summary(&tally)));
    let around = format!("  stack {}   cluster {}", screen.stack, screen.cluster);
    let _ = writeln!(text, "{}", style.paint(Meaning::Quiet, &style.cut(&around)));
    if screen.is_new() {
        folded(
            text,
            "  ",
            "nothing of it was applied yet: `stackctl apply` comes first",
            Meaning::Quiet,
            style,
        );
        return;
    }
    let held: Vec<_> = held_up_by(screen.standings)
        .into_iter()
        .filter(|(root, _)| screen.shown.contains(root))
        .collect();
    if !held.is_empty() {
        let named = held.iter().take(MOST_HOLDING);
        let mut named: Vec<_> = named
            .map(|(address, count)| {
                let verb = if *count == 1 { "waits" } else { "wait" };
                format!("{address} ({count}{TIE}{verb}{TIE}for{TIE}it)")
            })
            .collect();
        if held.len() > MOST_HOLDING {
            named.push(format!("{}{TIE}more", held.len() - MOST_HOLDING));
        }
        folded(
            text,
            "  ",
            &format!("held up by {}", named.join(", ")),
            Meaning::Attention,
            style,
        );
    }
    if screen.by_record {
        let note = "judged by the record alone: what only the stack file says the readiness of is unknown";
        folded(text, "  ", note, Meaning::Quiet, style);
    }
}

/// Components in the order in which the graph first names them.
fn by_component<'a>(standings: impl Iterator<Item = &'a Standing>) -> Vec<(&'a str, Vec<&'a Standing>)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<&Standing>)> = Vec::new();
    for standing in standings {
        let component = standing.address.component();
        let place = *places.entry(component).or_insert_with(|| {
            groups.push((component, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(standing);
    }
    groups
}

/// Whether the resources of a component are listed: where one of them is not ready, unless nothing was applied yet and
/// all of them wait for that.
fn is_listed(standings: &[&Standing], screen: &Screen<'_>) -> bool {
    screen.all || (!screen.is_new() && standings.iter().any(|one| screen.is_news(one)))
}

fn group(
    text: &mut String,
    component: &str,
    standings: &[&Standing],
    is_listed: bool,
    screen: &Screen<'_>,
    style: &Style,
) {
    let tally = Tally::of(standings.iter().copied());
    let counts: Vec<_> = Is::CODES
        .iter()
        .filter(|code| tally.count(code) > 0)
        .map(|code| format!("{} {}", tally.count(code), word(code)))
        .collect();
    let counts = counts.join(", ");
    let mark = match (is_listed, tally.is_all_ready()) {
        (true, _) => String::new(),
        (false, true) => format!("{} ", style.ready_mark()),
        (false, false) if screen.by_record => format!("{} ", style.paint(Meaning::Attention, "?")),
        (false, false) => format!("{} ", style.waiting_mark()),
    };
    let width = style.width.unwrap_or(HEADING_WIDTH).min(HEADING_WIDTH);
    let gap = width
        .saturating_sub(visible_width(&mark) + visible_width(component) + visible_width(&counts))
        .max(2);
    let name = if is_listed {
        style.paint(Meaning::Heading, component)
    } else {
        component.to_owned()
    };
    let _ = writeln!(
        text,
        "{mark}{name}{}{}",
        " ".repeat(gap),
        style.paint(Meaning::Quiet, &counts)
    );
    if !is_listed {
        return;
    }
    let is_counted = |one: &Standing| screen.brief && has_not_begun(one) && !one.waits_for.is_empty();
    let (counted, rows): (Vec<&Standing>, Vec<&Standing>) = standings
        .iter()
        .copied()
        .filter(|one| screen.all || screen.is_news(one))
        .partition(|one| is_counted(one));
    let widths = rows.iter().map(|one| visible_width(&one.address.to_string()));
    let widest = widths.filter(|width| *width <= WIDEST_ADDRESS).max().unwrap_or(0);
    for one in rows {
        row(text, one, widest, screen, style);
    }
    if let Some(behind) = behind(&counted) {
        folded(
            text,
            &format!("  {} ", style.waiting_mark()),
            &behind,
            Meaning::Quiet,
            style,
        );
    }
}

/// How many wait for their turn, and for what: `9 more wait for maas.kinds, maas.tenant and 2 more`.
fn behind(counted: &[&Standing]) -> Option<String> {
    let named: BTreeSet<_> = counted.iter().map(|one| &one.address).collect();
    let targets: BTreeSet<_> = counted
        .iter()
        .flat_map(|one| &one.waits_for)
        .map(|edge| &edge.to)
        .filter(|to| !named.contains(to))
        .collect();
    let waits = match counted.len() {
        0 => return None,
        1 => "1 more waits".to_owned(),
        count => format!("{count} more wait"),
    };
    let mut listed: Vec<_> = targets.iter().take(MOST_HOLDING).map(ToString::to_string).collect();
    if targets.len() > MOST_HOLDING {
        listed.push(format!("{}{TIE}more", targets.len() - MOST_HOLDING));
    }
    Some(match listed.is_empty() {
        true => waits,
        false => format!("{waits} for {}", listed.join(", ")),
    })
}

fn row(text: &mut String, one: &Standing, widest: usize, screen: &Screen<'_>, style: &Style) {
    let address = padded(&one.address.to_string(), widest);
    let before = format!("  {} {address}  ", mark(&one.is, style));
    let plain = Style { color: false, ..*style };
    let mut reasons = reasons(one, screen);
    // Of what has not begun nothing is to be said but what it waits for.
    if !screen.all && has_not_begun(one) && !reasons.is_empty() {
        folded(text, &before, &reasons.remove(0), Meaning::Heading, &plain);
        return;
    }
    folded(text, &before, &words(one), Meaning::Heading, &plain);
    let below = " ".repeat(visible_width(&before).min(widest + 6));
    for line in reasons {
        folded(text, &below, &line, Meaning::Quiet, style);
    }
    if let Some(because) = &one.because {
        let because = format!("because {}", flat(because));
        folded(text, &below, &because, Meaning::Attention, style);
    }
    if let Some(asks) = &one.asks {
        folded(text, &below, &format!("hint: {asks}"), Meaning::Busy, style);
    }
}

/// Whether it waits for its turn: nothing of it is there that could say something.
fn has_not_begun(one: &Standing) -> bool {
    match one.node {
        NodeKind::Object | NodeKind::Overlay => one.is == Is::Absent && !one.is_recorded,
        NodeKind::Gate | NodeKind::Action | NodeKind::Check => true,
    }
}

/// How one resource is, in one line.
pub fn words(one: &Standing) -> String {
    let object = one.object.as_ref().map_or_else(String::new, ToString::to_string);
    match &one.is {
        Is::Ready(why) if why.is_empty() => "ready".to_owned(),
        Is::Ready(why) if one.object.is_some() && !one.is_recorded => format!("{}, not recorded yet", flat(why)),
        Is::Ready(why) | Is::NotReady(why) | Is::Failed(why) | Is::Unknown(why) => flat(why),
        Is::Going(why) => format!("being deleted: {}", flat(why)),
        Is::Absent if one.node == NodeKind::Overlay => format!("{object} is not there, of which it sets fields"),
        Is::Absent if one.is_recorded => format!("{object} is gone"),
        Is::Absent => format!("{object} is not there yet"),
    }
}

/// What it waits for, and why: what holds others up first.
fn reasons(one: &Standing, screen: &Screen<'_>) -> Vec<String> {
    let waits = |edge: &&Edge| {
        screen
            .standings
            .iter()
            .any(|other| other.address == edge.to && !other.waits_for.is_empty())
    };
    let (behind, roots): (Vec<_>, Vec<_>) = one.waits_for.iter().partition(waits);
    let edges: Vec<_> = roots.into_iter().chain(behind).collect();
    let mut lines: Vec<_> = edges
        .iter()
        .take(MOST_WAITS)
        .map(|edge| match edge.reason.as_str() {
            "" => format!("waits for {}", edge.to),
            reason => format!("waits for {}: {reason}", edge.to),
        })
        .collect();
    if edges.len() > MOST_WAITS {
        lines.push(format!("and for {} more", edges.len() - MOST_WAITS));
    }
    lines
}

fn left(text: &mut String, screen: &Screen<'_>, style: &Style) {
    let left: Vec<_> = screen
        .chosen()
        .filter(|one| !one.is_desired && one.object.is_some() && one.is != Is::Absent)
        .collect();
    if left.is_empty() {
        return;
    }
    let heading = format!(
        "still there, though no longer in the stack: {}",
        counted(left.len(), "resource")
    );
    let _ = writeln!(text, "\n{}", style.paint(Meaning::Heading, &heading));
    for one in left {
        let object = one.object.as_ref().map_or_else(String::new, ToString::to_string);
        let words = format!("{object}; the next apply takes it away");
        folded(text, &format!("  - {}  ", one.address), &words, Meaning::Quiet, style);
    }
}

/// The word for people.
fn word(code: &str) -> &str {
    match code {
        "not-ready" => "not ready",
        "deleting" => "being deleted",
        "absent" => "not there",
        other => other,
    }
}

fn mark(is: &Is, style: &Style) -> String {
    match is {
        Is::Ready(_) => style.ready_mark(),
        Is::Failed(_) => style.failed_mark(),
        Is::NotReady(_) | Is::Absent => style.waiting_mark(),
        Is::Going(_) => style.paint(Meaning::Bad, "-"),
        Is::Unknown(_) => style.paint(Meaning::Attention, "?"),
    }
}

/// A text on one line: what a controller says may have several.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes words behind what stands before them, on as many lines as the width needs, each as far in as the first.
pub(super) fn folded(text: &mut String, before: &str, words: &str, meaning: Meaning, style: &Style) {
    let indent = visible_width(before);
    let room = style.width.map(|width| width.saturating_sub(indent).max(LEAST_WORDS));
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match (lines.last_mut(), room) {
            (Some(line), Some(room)) if visible_width(line) + 1 + visible_width(word) > room => {
                lines.push(word.to_owned())
            }
            (Some(line), _) => {
                line.push(' ');
                line.push_str(word);
            }
            (None, _) => lines.push(word.to_owned()),
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let start = if index == 0 {
            before.to_owned()
        } else {
            " ".repeat(indent)
        };
        let line = line.replace(TIE, " ");
        let _ = writeln!(text, "{start}{}", style.paint(meaning, &line));
    }
}

#[cfg(test)]
mod tests;
