//! A status that is watched: a picture that is drawn again on a terminal, the whole once and then a line a change
//! elsewhere, an object a line for machines.
//!
//! Invariant: the picture never takes more lines than the terminal has.

use super::{Screen, mark, screen, summary, words};
use crate::{
    settings::Settings,
    views::{
        json, result,
        style::{Meaning, Style, padded, running, shortened},
        tell,
    },
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackctl_engine::{
    Address,
    status::{Is, Standing, Tally},
};
use std::{collections::BTreeMap, time::Duration};

/// How wide the column of addresses is in the lines of changes.
const ADDRESS_WIDTH: usize = 36;
/// Lines of the terminal that are not for the picture: where it ends, and one for the cursor.
const OTHER_LINES: usize = 2;

/// One way of showing it.
#[derive(Debug)]
pub struct Watch {
    style: Style,
    shows: Shows,
    last: Option<BTreeMap<Address, Is>>,
    trouble: Option<String>,
}

#[derive(Debug)]
enum Shows {
    Picture(ProgressBar),
    Lines,
    Json,
}

impl Watch {
    /// The view that fits.
    pub fn of(settings: &Settings) -> Self {
        let shows = if settings.json {
            Shows::Json
        } else if settings.is_live && settings.out.width.is_some() {
            let picture = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            if let Ok(only_message) = ProgressStyle::with_template("{msg}") {
                picture.set_style(only_message);
            }
            Shows::Picture(picture)
        } else {
            Shows::Lines
        };
        Self {
            style: settings.out,
            shows,
            last: None,
            trouble: None,
        }
    }

    /// Shows what is seen now.
    pub fn show(&mut self, now: &Screen<'_>, trouble: Option<&str>, since: Duration) {
        let is_first = self.last.is_none();
        let news = self.news(now);
        match &self.shows {
            Shows::Picture(picture) => {
                let height =
                    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(24, |size| usize::from(size.ws_row));
                picture.set_message(frame(now, trouble, height, &self.style));
                picture.tick();
            }
            Shows::Lines if is_first => result(&screen(now, &self.style)),
            Shows::Lines => {
                for one in &news {
                    result(&line(one, since, &self.style));
                }
                if !news.is_empty() {
                    result(&format!("{:>9}  {}\n", running(since), summary(&now.tally())));
                }
            }
            Shows::Json if is_first => {
                let whole = super::WatchLineJson::Status(super::whole(now));
                result(&json::line(&whole));
            }
            Shows::Json => {
                for one in &news {
                    result(&json::line(&super::changed(one, since)));
                }
            }
        }
        if self.trouble.as_deref() != trouble {
            if let (Some(why), false) = (trouble, matches!(self.shows, Shows::Picture(_))) {
                tell(&format!(
                    "{} {}\n",
                    self.style.paint(Meaning::Attention, "warning:"),
                    stale(why)
                ));
            }
            self.trouble = trouble.map(str::to_owned);
        }
    }

    /// Leaves the last picture where it is, undrawn: the terminal has echoed `^C` below it, and one that is drawn again would
    /// leave the first line of the one before.
    pub fn interrupted(&self, tally: &Tally, since: Duration) {
        if let Shows::Picture(picture) = &self.shows {
            picture.set_draw_target(ProgressDrawTarget::hidden());
            result("\n");
        }
        self.finish(tally, since);
    }

    /// Leaves the last picture where it is.
    pub fn finish(&self, tally: &Tally, since: Duration) {
        match &self.shows {
            Shows::Picture(picture) => picture.abandon(),
            Shows::Lines => {}
            Shows::Json => result(&json::line(&super::finished(tally, since))),
        }
    }

    /// What stands otherwise than when it was shown last.
    fn news<'a>(&mut self, now: &Screen<'a>) -> Vec<&'a Standing> {
        let shown = || now.standings.iter().filter(|one| now.shown.contains(&one.address));
        let news = match &self.last {
            None => Vec::new(),
            Some(last) => shown().filter(|one| last.get(&one.address) != Some(&one.is)).collect(),
        };
        self.last = Some(shown().map(|one| (one.address.clone(), one.is.clone())).collect());
        news
    }
}

fn stale(why: &str) -> String {
    format!("a watch broke, and what is shown may be old: {why}")
}

/// One change.
fn line(one: &Standing, since: Duration, style: &Style) -> String {
    let address = padded(&one.address.to_string(), ADDRESS_WIDTH);
    format!(
        "{:>9}  {} {address}  {}\n",
        running(since),
        mark(&one.is, style),
        words(one)
    )
}

/// The picture: as much of the screen as there is room for.
fn frame(now: &Screen<'_>, trouble: Option<&str>, height: usize, style: &Style) -> String {
    let brief = Screen { brief: true, ..*now };
    let room = height.saturating_sub(OTHER_LINES).max(2);
    let drawn = |shown: &Screen<'_>| {
        let mut lines: Vec<String> = screen(shown, style).lines().map(str::to_owned).collect();
        if let Some(why) = trouble {
            let warning = shortened(&stale(why), style.width.unwrap_or(usize::MAX), style.ellipsis());
            lines.insert(1.min(lines.len()), style.paint(Meaning::Attention, &warning));
        }
        lines
    };
    let mut lines = drawn(&brief);
    if lines.len() > room {
        lines = drawn(&Screen {
            worst_first: true,
            ..brief
        });
        let more = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines.push(style.paint(
            Meaning::Quiet,
            &format!("{more} more lines; `stackctl status` shows them all"),
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::status::tests::{everything, screen_of, standings};

    #[test]
    fn a_picture_is_no_higher_than_its_terminal_and_says_what_is_cut() {
        let (standings, style) = (
            standings(),
            Style {
                width: Some(80),
                ..Style::PLAIN
            },
        );
        let shown = everything(&standings);
        let text = frame(&screen_of(&standings, &shown), Some("connection refused"), 10, &style);
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(text.contains("a watch broke"), "{text}");
        assert!(text.ends_with("more lines; `stackctl status` shows them all"), "{text}");
    }

    #[test]
    fn a_change_is_one_line() {
        let standings = standings();
        let text = line(&standings[1], Duration::from_secs(72), &Style::PLAIN);
        let address = format!("{:<36}", "nvidia.policy");
        let words = "ClusterPolicy gpu-cluster-policy: .status.state is notReady";
        assert_eq!(text, format!(" 1 m 12 s  · {address}  {words}\n"));
    }
}
