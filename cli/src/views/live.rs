//! The view of a running execution, chosen once: a picture, plain lines, or JSON lines.

use super::{events::Events, json, plain::Plain, progress::Progress, result, tell, terminal::Terminal};
use crate::{clock, settings::Settings};
use stackctl_engine::{execute::Event, plan::Plan};
use std::time::Duration;

/// One way of showing an execution while it runs.
#[derive(Debug)]
pub enum Live {
    /// A picture that moves.
    Terminal(Box<Terminal>),
    /// Lines on stderr.
    Plain(Box<Plain>),
    /// An object a line on stdout.
    Json(Box<Events>),
}

impl Live {
    /// The view that fits.
    pub fn of(settings: &Settings, progress: Progress, plan: &Plan) -> Self {
        if settings.json {
            Self::Json(Box::new(Events::of(plan)))
        } else if settings.is_live {
            Self::Terminal(Box::new(Terminal::new(progress, settings.err)))
        } else {
            Self::Plain(Box::new(Plain::new(progress, settings.err)))
        }
    }

    /// Takes one event in.
    pub fn event(&mut self, event: &Event, now: Duration) {
        match self {
            Self::Terminal(terminal) => terminal.event(event, now),
            Self::Plain(plain) => lines(&plain.event(event, now)),
            Self::Json(events) => {
                for line in events.event(event, now, &clock::now()) {
                    result(&json::line(&line));
                }
            }
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        match self {
            Self::Terminal(terminal) => terminal.tick(now),
            Self::Plain(plain) => lines(&plain.tick(now)),
            Self::Json(_) => {}
        }
    }

    /// The execution is over.
    pub fn finish(&self) {
        if let Self::Terminal(terminal) = self {
            terminal.finish();
        }
    }
}

fn lines(lines: &[String]) {
    for line in lines {
        tell(&format!("{line}\n"));
    }
}
