//! The live view of an execution: finished resources scroll up once, running ones stand below, the rest is folded.
//!
//! Invariant: what stands below never takes more lines than the terminal has.

use super::{
    plain,
    progress::{Progress, Running},
    style::{self, Meaning, Style, padded, roughly, shortened, visible_width},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stackctl_engine::{Address, execute::Event};
use std::{fmt::Write as _, time::Duration};

/// Lines that are not for resources: what is folded, what is blocked, the bar, and one for the cursor.
const OTHER_LINES: usize = 5;
/// Events draw no more often than this.
const FRAME: Duration = Duration::from_millis(50);
const BAR_WIDTH: usize = 26;
const WIDEST_ADDRESS: usize = 40;

/// A moving picture on stderr.
#[derive(Debug)]
pub struct Terminal {
    progress: Progress,
    style: Style,
    picture: ProgressBar,
    drawn: Option<Duration>,
}

impl Terminal {
    /// Starts with an empty picture.
    pub fn new(progress: Progress, style: Style) -> Self {
        let picture = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(only_message) = ProgressStyle::with_template("{msg}") {
            picture.set_style(only_message);
        }
        Self {
            progress,
            style,
            picture,
            drawn: None,
        }
    }

    /// Takes one event in.
    pub fn event(&mut self, event: &Event, now: Duration) {
        let before = self.progress.fold(event, now);
        if self.progress.is_news(event)
            && let Some(line) = plain::finished(event, before.as_ref(), &self.style)
        {
            self.picture.println(line);
        }
        // Thousands of events may come within the time that an eye takes.
        if self.drawn.is_none_or(|drawn| now.saturating_sub(drawn) >= FRAME) {
            self.tick(now);
        }
    }

    /// Draws again, because time has passed.
    pub fn tick(&mut self, now: Duration) {
        self.drawn = Some(now);
        let height = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(24, |size| usize::from(size.ws_row));
        self.picture
            .set_message(frame(&self.progress, now, height, &self.style).join("\n"));
    }

    /// Takes the picture away; what scrolled up stays.
    pub fn finish(&self) {
        self.picture.finish_and_clear();
    }
}

/// The lines of the picture.
fn frame(progress: &Progress, now: Duration, height: usize, style: &Style) -> Vec<String> {
    let running = progress.running();
    let room = height.saturating_sub(OTHER_LINES).max(1);
    let shown = &running[..running.len().min(room)];
    let width = shown
        .iter()
        .map(|(address, _)| visible_width(&address.to_string()))
        .max()
        .unwrap_or(0)
        .min(WIDEST_ADDRESS);
    let mut lines: Vec<_> = shown
        .iter()
        .map(|(address, running)| row(address, running, now, width, style))
        .collect();
    let mut folded = Vec::new();
    if running.len() > shown.len() {
        folded.push(format!("{} more waiting", running.len() - shown.len()));
    }
    folded.extend(progress.blocked().map(|(by, count)| format!("{count} blocked by {by}")));
    if !folded.is_empty() {
        lines.push(style.cut(&format!("  {}", folded.join(", "))));
    }
    if progress.is_interrupted() {
        lines.push(style.paint(
            Meaning::Attention,
            "stopping: nothing new starts; Ctrl-C again to abort",
        ));
    }
    lines.push(bar(progress, now));
    lines
}

fn row(address: &Address, running: &Running, now: Duration, width: usize, style: &Style) -> String {
    let time = style::running(now.saturating_sub(running.since));
    let does = match &running.waits_on {
        Some(why) => format!("waiting {time:>8}   on {why}"),
        None => format!("working {time:>8}"),
    };
    let address = padded(
        &shortened(&address.to_string(), WIDEST_ADDRESS, style.ellipsis()),
        width,
    );
    // The mark is one column and a space; it is painted after the cut, so that no colour is cut through.
    let rest = Style {
        width: style.width.map(|width| width.saturating_sub(3)),
        ..*style
    }
    .cut(&format!("{address}  {does}"));
    format!("{} {rest}", style.waiting_mark())
}

fn bar(progress: &Progress, now: Duration) -> String {
    let (done, total) = progress.count();
    let filled = (BAR_WIDTH * done).checked_div(total).unwrap_or(BAR_WIDTH);
    let head = if filled < BAR_WIDTH { ">" } else { "" };
    let mut text = format!(
        "[{}{head}{}] {done} of {total}   {}",
        "=".repeat(filled),
        " ".repeat(BAR_WIDTH - filled - head.len()),
        style::running(now)
    );
    if let Some(left) = progress.left(now) {
        let _ = write!(text, ", about {} left", roughly(left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::address;

    #[test]
    fn a_run_fits_a_narrow_and_a_wide_terminal() {
        let model = "model[qwen3-8b].service";
        let mut progress = Progress::new([model, "maas.gateway"].map(address).into(), None);
        progress.fold(
            &Event::Started {
                address: address(model),
            },
            Duration::ZERO,
        );
        let why = "pod qwen3-8b-kserve-5d4f: 0/6 nodes are available: 3 Insufficient nvidia.com/gpu, 3 had untolerated taints";
        progress.fold(
            &Event::Waiting {
                address: address(model),
                why: why.to_owned(),
            },
            Duration::ZERO,
        );
        for width in [80, 160] {
            let style = Style {
                width: Some(width),
                ..Style::PLAIN
            };
            let lines = frame(&progress, Duration::from_secs(250), 24, &style);
            assert!(lines.iter().all(|line| visible_width(line) <= width), "{lines:?}");
            insta::assert_snapshot!(format!("a_run_at_{width}"), lines.join("\n"));
        }
    }

    #[test]
    fn what_does_not_fit_is_folded_and_said() {
        let mut progress = Progress::new(
            (0..88).map(|n| address(&format!("n{n}.x"))).collect(),
            Some(Duration::from_secs(23 * 60)),
        );
        for (index, name) in ["nvidia.policy", "rhoai.installed", "maas.gateway"].iter().enumerate() {
            progress.fold(
                &Event::Started { address: address(name) },
                Duration::from_secs(index as u64),
            );
        }
        progress.fold(
            &Event::Waiting {
                address: address("nvidia.policy"),
                why: "Node capacity (0 of 3 nodes)".to_owned(),
            },
            Duration::from_secs(1),
        );
        progress.fold(
            &Event::Blocked {
                address: address("a.b"),
                by: address("kuadrant.ready"),
            },
            Duration::from_secs(2),
        );
        let lines = frame(&progress, Duration::from_secs(250), 7, &Style::PLAIN);
        insta::assert_snapshot!(lines.join("\n"), @r"
        · nvidia.policy    waiting 4 m 10 s   on Node capacity (0 of 3 nodes)
        · rhoai.installed  working 4 m 09 s
          1 more waiting, 1 blocked by kuadrant.ready
        [>                         ] 0 of 88   4 m 10 s, about 19 min left
        ");
    }
}
