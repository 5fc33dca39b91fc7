//! Plain lines of an execution: one when a resource has waited a while, one every minute that it goes on waiting, one when
//! it is done. No cursor moves.
//!
//! Invariants:
//! - While anything is waited for, silence never lasts longer than a minute.
//! - However many wait, of waits a few lines are told at once: of those that wait longest, and how many there are beside.

use super::{
    progress::{Progress, Running},
    style::{Meaning, Style, grouped, padded, shortened, spent, visible_width},
};
use stackctl_engine::{
    Address,
    execute::{Event, Failure},
};
use std::{collections::BTreeMap, time::Duration};

/// What is over within this time is told once, when it is done.
const QUIET: Duration = Duration::from_secs(2);
/// How often a wait whose words change is told again.
const AGAIN: Duration = Duration::from_secs(30);
/// How often a wait whose words do not change is told again, so that silence never lasts longer than this.
const STILL: Duration = Duration::from_secs(60);
/// So many waits are told in [`AGAIN`] at most; of more, how many there are.
const MOST_WAITS: usize = 8;
/// How often what runs is looked through.
const LOOK: Duration = Duration::from_millis(250);
/// What a resource waits for while its request is answered, or sent again.
const ANSWER: &str = "an answer of the cluster";
const ADDRESS_WIDTH: usize = 36;
const DID_WIDTH: usize = 52;
/// On a line with a time: the mark, the gaps, and the time.
const AROUND_DID: usize = 15;
/// The longest word for what a write did.
const LEAST_DID: usize = 9;

/// Lines on stderr.
#[derive(Debug)]
pub struct Plain {
    progress: Progress,
    style: Style,
    told: BTreeMap<Address, (Duration, String)>,
    looked: Option<Duration>,
    round: Round,
}

/// The waits that are told together.
#[derive(Debug, Default)]
struct Round {
    began: Duration,
    n_told: usize,
    has_counted: bool,
}

impl Plain {
    /// Starts with nothing told.
    pub fn new(progress: Progress, style: Style) -> Self {
        Self {
            progress,
            style,
            told: BTreeMap::new(),
            looked: None,
            round: Round::default(),
        }
    }

    /// Takes one event in; the lines to print.
    pub fn event(&mut self, event: &Event, now: Duration) -> Vec<String> {
        let before = self.progress.fold(event, now);
        let mut lines = self.tick(now);
        if self.progress.is_news(event) {
            lines.extend(finished(event, before.as_ref(), &self.style));
        }
        lines
    }

    /// What became worth a line because time has passed.
    pub fn tick(&mut self, now: Duration) -> Vec<String> {
        if self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK) {
            return Vec::new();
        }
        self.looked = Some(now);
        if now.saturating_sub(self.round.began) >= AGAIN {
            self.round = Round {
                began: now,
                ..Round::default()
            };
        }
        let mut lines = Vec::new();
        let mut untold = Vec::new();
        for (address, running) in self.progress.running() {
            let since = now.saturating_sub(running.since);
            let (why, quiet) = match &running.waits_on {
                Some(why) => (why.as_str(), QUIET),
                None => (ANSWER, STILL),
            };
            let waits = match self.told.get(address) {
                None if since >= quiet => format!("waits on {why}"),
                Some((at, said)) if said != why && now.saturating_sub(*at) >= AGAIN => format!("waits on {why}"),
                Some((at, said)) if said == why && now.saturating_sub(*at) >= STILL => {
                    format!("still waits on {why}, for {}", spent(since))
                }
                None | Some(_) => continue,
            };
            if self.round.n_told == MOST_WAITS {
                untold.push(since);
                continue;
            }
            self.round.n_told += 1;
            self.told.insert(address.clone(), (now, why.to_owned()));
            lines.push(format!(
                "{} {}  {waits}",
                self.style.waiting_mark(),
                padded(&address.to_string(), ADDRESS_WIDTH)
            ));
        }
        // Once a round, when it is full: those that come later are told in the next.
        if let Some(longest) = untold.iter().max()
            && !std::mem::replace(&mut self.round.has_counted, true)
        {
            lines.push(format!(
                "{} and {} more wait, for up to {}",
                self.style.waiting_mark(),
                grouped(untold.len()),
                spent(*longest)
            ));
        }
        lines
    }
}

/// The line of an event that is told once, if it is one.
pub fn finished(event: &Event, before: Option<&Running>, style: &Style) -> Option<String> {
    let row = |mark: &str, address: &Address, what: &str, time: &str| {
        let address = padded(&address.to_string(), ADDRESS_WIDTH);
        // A wide address, and a narrow terminal, take from what was done, so that times stay in their column.
        let taken = visible_width(&address) - ADDRESS_WIDTH;
        let room = style
            .width
            .map_or(DID_WIDTH, |width| width.saturating_sub(ADDRESS_WIDTH + AROUND_DID));
        let room = room.min(DID_WIDTH).saturating_sub(taken).max(LEAST_DID);
        let what = if time.is_empty() {
            what.to_owned()
        } else {
            padded(&shortened(what, room, style.ellipsis()), room)
        };
        format!("{mark} {address}  {what}  {time:>9}").trim_end().to_owned()
    };
    match event {
        Event::Ready { address, why, took } => {
            let did = before.and_then(|running| running.did).map(|did| did.to_string());
            let what = match (did, why.is_empty()) {
                (Some(did), _) if why == did.as_str() || why == "gone" => did,
                (Some(did), true) => did,
                (Some(did), false) if visible_width(why) + did.len() + 2 <= DID_WIDTH => format!("{did}, {why}"),
                (Some(did), false) => did,
                (None, true) => "ready".to_owned(),
                (None, false) => why.clone(),
            };
            Some(row(&style.ready_mark(), address, &what, &spent(*took)))
        }
        Event::Failed {
            address,
            failure: Failure { what, .. },
            took,
        } => Some(row(&style.failed_mark(), address, what, &spent(*took))),
        Event::Remedied { address, why } => Some(row(&style.paint(Meaning::Attention, "!"), address, why, "")),
        Event::Noted { address, text } => Some(row(style.dot(), address, text, "")),
        Event::Unheard { why } => {
            let mark = style.paint(Meaning::Attention, "!");
            Some(format!(
                "{mark} nothing is heard of the cluster: {why}; what was begun goes on when it answers"
            ))
        }
        Event::Heard { after } => Some(format!(
            "{} the cluster answers again, after {}",
            style.ready_mark(),
            spent(*after)
        )),
        Event::Interrupted => {
            Some("stopping: nothing new starts, what runs is finished; Ctrl-C again to abort".to_owned())
        }
        Event::Started { .. } | Event::Written { .. } | Event::Waiting { .. } | Event::Blocked { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::address;
    use stackctl_engine::execute::Did;

    #[test]
    fn times_stay_in_their_column_below_a_wide_address_and_on_a_narrow_terminal() {
        let narrow = Style {
            width: Some(80),
            ..Style::PLAIN
        };
        let line = |at: &str, style: &Style| {
            let event = Event::Ready {
                address: address(at),
                why: "its operator is there and serves all that it is asked for".to_owned(),
                took: Duration::from_millis(100),
            };
            finished(&event, None, style).expect("a line")
        };
        let wide = "manifests[extras].change-group[\"g.example.com/db\"]";
        for (style, width) in [(&narrow, 80), (&Style::PLAIN, 103)] {
            let widths = ["a.b", wide].map(|at| visible_width(&line(at, style)));
            assert_eq!(widths, [width; 2], "{}", line(wide, style));
        }
    }

    #[test]
    fn a_short_wait_is_told_once_and_a_long_one_when_it_began_to_be_long() {
        let mut plain = Plain::new(
            Progress::new(["a.short", "a.long"].map(address).into(), None),
            Style::PLAIN,
        );
        let second = Duration::from_secs;
        let mut lines = Vec::new();
        for (event, now) in [
            (
                Event::Started {
                    address: address("a.short"),
                },
                0,
            ),
            (
                Event::Started {
                    address: address("a.long"),
                },
                0,
            ),
            (
                Event::Written {
                    address: address("a.short"),
                    did: Did::Created,
                    object: None,
                },
                0,
            ),
            (
                Event::Waiting {
                    address: address("a.short"),
                    why: "Pods".to_owned(),
                },
                0,
            ),
            (
                Event::Waiting {
                    address: address("a.long"),
                    why: "CSV x: Pending".to_owned(),
                },
                0,
            ),
            (
                Event::Ready {
                    address: address("a.short"),
                    why: "Available".to_owned(),
                    took: second(1),
                },
                1,
            ),
            (
                Event::Waiting {
                    address: address("a.long"),
                    why: "CSV x: Installing".to_owned(),
                },
                3,
            ),
            (
                Event::Ready {
                    address: address("a.long"),
                    why: "Succeeded".to_owned(),
                    took: second(108),
                },
                108,
            ),
        ] {
            lines.extend(plain.event(&event, second(now)));
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        ✓ a.short                               created, Available                                        1.0 s
        · a.long                                waits on CSV x: Installing
        ✓ a.long                                Succeeded                                              1 m 48 s
        ");
    }

    #[test]
    fn no_wait_is_silent_for_longer_than_a_minute() {
        let all = ["a.gate", "a.write"].map(address);
        let mut plain = Plain::new(Progress::new(all.clone().into(), None), Style::PLAIN);
        let second = Duration::from_secs;
        for address in all {
            plain.event(&Event::Started { address }, second(0));
        }
        let waits = Event::Waiting {
            address: address("a.gate"),
            why: "CSV x: Pending".to_owned(),
        };
        plain.event(&waits, second(0));
        // Eight times a second, as the command does.
        let lines: Vec<_> = (0..8 * 190)
            .flat_map(|eighth| plain.tick(second(1) * eighth / 8))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        · a.gate                                waits on CSV x: Pending
        · a.write                               waits on an answer of the cluster
        · a.gate                                still waits on CSV x: Pending, for 1 m 02 s
        · a.write                               still waits on an answer of the cluster, for 2 m 00 s
        · a.gate                                still waits on CSV x: Pending, for 2 m 02 s
        · a.write                               still waits on an answer of the cluster, for 3 m 00 s
        · a.gate                                still waits on CSV x: Pending, for 3 m 02 s
        ");
    }

    #[test]
    fn of_thousands_that_wait_a_few_are_told_and_how_many_there_are_beside() {
        let all: Vec<_> = (0..3000).map(|number| address(&format!("a.c{number:04}"))).collect();
        let mut plain = Plain::new(Progress::new(all.iter().cloned().collect(), None), Style::PLAIN);
        for (number, address) in (0..).zip(&all) {
            let started = Event::Started {
                address: address.clone(),
            };
            let waits = Event::Waiting {
                address: address.clone(),
                why: "Pods".to_owned(),
            };
            plain.event(&started, Duration::from_millis(number));
            plain.event(&waits, Duration::from_millis(number));
        }
        let ticks =
            |seconds: std::ops::Range<u32>| seconds.flat_map(|second| (0..4).map(move |quarter| second * 4 + quarter));
        let mut told = |seconds| {
            let lines = ticks(seconds).flat_map(|quarter| plain.tick(Duration::from_millis(250) * quarter));
            lines.collect::<Vec<_>>()
        };
        insta::assert_snapshot!(told(5..34).join("\n"), @r"
        · a.c0008                               waits on Pods
        · a.c0009                               waits on Pods
        · a.c0010                               waits on Pods
        · a.c0011                               waits on Pods
        · a.c0012                               waits on Pods
        · a.c0013                               waits on Pods
        · a.c0014                               waits on Pods
        · a.c0015                               waits on Pods
        · and 2,984 more wait, for up to 29 s
        ");
        let minutes = told(34..34 + 600);
        assert!(minutes.len() <= 20 * 9, "{} lines in ten minutes", minutes.len());
        insta::assert_snapshot!(minutes[9..18].join("\n"), @r"
        · a.c0000                               still waits on Pods, for 1 m 30 s
        · a.c0001                               still waits on Pods, for 1 m 29 s
        · a.c0002                               still waits on Pods, for 1 m 29 s
        · a.c0003                               still waits on Pods, for 1 m 29 s
        · a.c0004                               still waits on Pods, for 1 m 29 s
        · a.c0005                               still waits on Pods, for 1 m 29 s
        · a.c0006                               still waits on Pods, for 1 m 29 s
        · a.c0007                               still waits on Pods, for 1 m 29 s
        · and 2,984 more wait, for up to 1 m 29 s
        ");
    }
}
