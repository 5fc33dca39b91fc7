//! What ran when, for people: what took longest, when it could start, and what it had to wait for before.

use super::style::{Meaning, Style, row, spent, visible_width};
use stackctl_engine::timeline::{Ended, Span, Timeline};
use std::{fmt::Write as _, time::Duration};

/// How many resources have a line.
const MOST: usize = 15;
/// How wide the column of addresses becomes; what follows a wider one stands below it.
const WIDEST: usize = 60;

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
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or(0);
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
        let words = style.paint(Meaning::Quiet, &words.join("   "));
        let _ = writeln!(text, "{}", row("  ", &address, width, &words));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{address, plan_of_three_components};
    use stackctl_engine::{
        execute::{Did, Event},
        graph::{Edge, EdgeClass, EdgeSource, Until},
    };

    #[test]
    fn what_took_longest_has_a_start_a_length_and_what_it_waited_for() {
        let (namespace, subscription) = (address("cert-manager.namespace"), address("cert-manager.subscription"));
        let mut plan = plan_of_three_components();
        let step = plan.steps.iter_mut().find(|step| step.address == subscription);
        step.expect("it is in the plan").waits_for = vec![Edge {
            from: subscription.clone(),
            to: namespace.clone(),
            until: Until::Applied,
            reason: "lives in it".to_owned(),
            class: EdgeClass::Contains,
            source: EdgeSource::Namespace,
        }];
        let mut timeline = Timeline::of(&plan);
        for (address, start) in [(&namespace, 0), (&subscription, 2)] {
            let events = [
                Event::Started {
                    address: address.clone(),
                },
                Event::Written {
                    address: address.clone(),
                    did: Did::Created,
                    object: None,
                },
                Event::Ready {
                    address: address.clone(),
                    why: String::new(),
                    took: Duration::ZERO,
                },
            ];
            for (after, event) in (0..).zip(&events) {
                timeline.fold(event, Duration::from_secs(start + after));
            }
        }
        insta::assert_snapshot!(table(&timeline, &Style::PLAIN), @r"
        What took longest
          cert-manager.namespace     from 0.0 s for 2.0 s
          cert-manager.subscription  from 2.0 s for 2.0 s   waited for cert-manager.namespace until applied: lives in it
        ");
    }
}
