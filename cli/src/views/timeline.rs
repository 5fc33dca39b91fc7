//! What ran when, for people: what took longest, when it could start, and what it had to wait for before.

use super::style::{Meaning, Style, padded, spent, visible_width};
use stackctl_engine::timeline::{Ended, Span, Timeline};
use std::{fmt::Write as _, time::Duration};

/// How many resources have a line.
const MOST: usize = 15;
/// How wide the column of addresses becomes.
const WIDEST: usize = 44;

/// The resources that took longest, in the order in which they started.
pub fn table(timeline: &Timeline, style: &Style) -> String {
    let mut rows: Vec<(usize, String, &Span, Duration)> = timeline
        .spans()
        .enumerate()
        .filter_map(|(place, (address, span))| Some((place, address.to_string(), span, span.took()?)))
        .filter(|(_, _, span, _)| !span.written.is_empty() || !span.waited.is_empty())
        .collect();
    rows.sort_by(|one, other| other.3.cmp(&one.3).then(one.0.cmp(&other.0)));
    rows.truncate(MOST);
    rows.sort_by_key(|(place, ..)| *place);
    if rows.is_empty() {
        return String::new();
    }
    let width = rows
        .iter()
        .map(|(_, address, ..)| visible_width(address))
        .max()
        .unwrap_or(0)
        .min(WIDEST);
    let mut text = format!("{}\n", style.paint(Meaning::Heading, "What took longest"));
    for (_, address, span, took) in rows {
        let start = span.started.unwrap_or_default();
        let mut words = vec![format!("from {} for {}", spent(start), spent(took))];
        if let Some(freed) = &span.freed_by {
            let why = match freed.edge.reason.as_str() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            words.push(format!("waited for {} until {}{why}", freed.edge.to, freed.edge.until));
        }
        if let Some((_, Ended::Failed)) = &span.ended {
            words.push("failed".to_owned());
        }
        let _ = writeln!(
            text,
            "  {}  {}",
            padded(&address, width),
            style.paint(Meaning::Quiet, &words.join("   "))
        );
    }
    text
}
