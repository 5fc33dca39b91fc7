//! What the environment says: the only reader of it.
//!
//! Invariant: an empty variable is no variable.

use crate::views::style::Style;
use std::io::IsTerminal as _;

/// What the environment says, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub(super) context: Option<String>,
    pub(super) kubeconfig: Option<String>,
    pub(super) state: Option<String>,
    pub(super) simulate: Option<String>,
    pub(super) simulate_speed: Option<String>,
    pub(super) simulate_platform: Option<String>,
    pub(super) parallelism: Option<String>,
    pub(super) crds: Option<String>,
    pub(super) log: Option<String>,
    pub(super) color: Wish,
    pub(super) stackctl_pager: Option<String>,
    pub(super) pager: Option<String>,
    pub(super) has_less: bool,
    pub(super) is_dumb: bool,
    pub(super) is_utf8: bool,
    pub(super) columns: Option<usize>,
    pub(super) stdout_is_terminal: bool,
    pub(super) stderr_is_terminal: bool,
}

/// What a person wants of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    /// They are where a terminal shows them.
    #[default]
    OnTerminals,
    /// They are everywhere.
    Everywhere,
    /// They are nowhere.
    Nowhere,
}

/// A program that shows a text screen by screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// The command, for a shell, as in every program that reads `PAGER`.
    pub command: String,
    /// Whether the person has told `less` how to be.
    pub says_how: bool,
}

impl Environment {
    /// Reads the environment of the process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn read() -> Self {
        let mut environment = Self::of(|name| std::env::var(name).ok());
        environment.stdout_is_terminal = std::io::stdout().is_terminal();
        environment.stderr_is_terminal = std::io::stderr().is_terminal();
        environment
    }

    /// What variables say, where nothing is a terminal.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|text| !text.is_empty());
        let locale = text("LC_ALL").or_else(|| text("LC_CTYPE")).or_else(|| text("LANG"));
        Self {
            context: text("STACKCTL_CONTEXT"),
            kubeconfig: text("STACKCTL_KUBECONFIG"),
            state: text("STACKCTL_STATE"),
            simulate: text("STACKCTL_SIMULATE"),
            simulate_speed: text("STACKCTL_SIMULATE_SPEED"),
            simulate_platform: text("STACKCTL_SIMULATE_PLATFORM"),
            parallelism: text("STACKCTL_PARALLELISM"),
            crds: text("STACKCTL_CRDS"),
            log: text("STACKCTL_LOG"),
            color: Wish::of(text),
            stackctl_pager: text("STACKCTL_PAGER"),
            pager: text("PAGER"),
            has_less: text("LESS").is_some(),
            is_dumb: text("TERM").is_none_or(|term| term == "dumb"),
            is_utf8: locale.is_none_or(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8")),
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        }
    }

    /// Reads a variable that a stack names as the place of a secret.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn secret(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|text| !text.is_empty())
    }

    /// How text looks on a terminal, or where there is none.
    pub(super) fn style(&self, is_terminal: bool) -> Style {
        let width = is_terminal.then(|| self.columns.or_else(terminal_width)).flatten();
        Style {
            color: match self.color {
                Wish::Nowhere => false,
                Wish::Everywhere => true,
                Wish::OnTerminals => is_terminal && !self.is_dumb,
            },
            unicode: self.is_utf8,
            width,
        }
    }

    /// What shows a text that is longer than the screen, if there is a screen; `cat` pages nothing.
    pub(super) fn pager(&self) -> Option<Pager> {
        let named = self.stackctl_pager.as_ref().or(self.pager.as_ref());
        let command = named.map_or("less", String::as_str);
        (self.stdout_is_terminal && !self.is_dumb && command != "cat").then(|| Pager {
            command: command.to_owned(),
            says_how: self.has_less,
        })
    }
}

impl Wish {
    /// What the variables say that programs have agreed on: <https://no-color.org>, <https://force-color.org> and
    /// <https://bixense.com/clicolors>. Who wants none gets none, and what forces wins over what only asks for none.
    fn of(text: impl Fn(&str) -> Option<String>) -> Self {
        let forces = |name: &str| text(name).is_some_and(|force| !matches!(force.as_str(), "0" | "false"));
        if text("NO_COLOR").is_some() {
            Self::Nowhere
        } else if forces("FORCE_COLOR") || forces("CLICOLOR_FORCE") {
            Self::Everywhere
        } else if text("CLICOLOR").as_deref() == Some("0") {
            Self::Nowhere
        } else {
            Self::OnTerminals
        }
    }
}

/// The width of the terminal behind stdout or stderr.
fn terminal_width() -> Option<usize> {
    let size =
        rustix::termios::tcgetwinsize(std::io::stderr()).or_else(|_| rustix::termios::tcgetwinsize(std::io::stdout()));
    size.ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    /// What these variables say, on a terminal and in a pipe.
    pub(in crate::settings) fn said(variables: &[(&str, &str)]) -> [Environment; 2] {
        let variables: std::collections::BTreeMap<_, _> =
            [("TERM", "xterm")].iter().chain(variables).copied().collect();
        [true, false].map(|is_terminal| Environment {
            stdout_is_terminal: is_terminal,
            ..Environment::of(|name| variables.get(name).map(ToString::to_string))
        })
    }

    #[test]
    fn who_wants_no_colours_gets_none_and_what_forces_them_wins_over_what_only_asks_for_none() {
        let none = [false, false];
        let all = [true, true];
        let where_seen = [true, false];
        let rows: [(Variables, [bool; 2]); 14] = [
            (&[], where_seen),
            (&[("TERM", "dumb")], none),
            (&[("NO_COLOR", "1")], none),
            (&[("NO_COLOR", "0")], none),
            (&[("NO_COLOR", "")], where_seen),
            (&[("FORCE_COLOR", "1")], all),
            (&[("FORCE_COLOR", "3"), ("TERM", "dumb")], all),
            (&[("FORCE_COLOR", "0")], where_seen),
            (&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], none),
            (&[("CLICOLOR", "1")], where_seen),
            (&[("CLICOLOR", "0")], none),
            (&[("CLICOLOR_FORCE", "1")], all),
            (&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], all),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], none),
        ];
        for (variables, expected) in rows {
            let colored = said(variables).map(|environment| environment.style(environment.stdout_is_terminal).color);
            assert_eq!(colored, expected, "{variables:?}");
        }
    }

    #[test]
    fn a_pager_is_the_one_that_is_named_else_less_and_is_for_terminals_alone() {
        let rows: [(Variables, Option<&str>); 7] = [
            (&[], Some("less")),
            (&[("PAGER", "more")], Some("more")),
            (&[("PAGER", "more"), ("STACKCTL_PAGER", "bat -p")], Some("bat -p")),
            (&[("PAGER", "more"), ("STACKCTL_PAGER", "")], Some("more")),
            (&[("PAGER", "more"), ("STACKCTL_PAGER", "cat")], None),
            (&[("PAGER", "cat")], None),
            (&[("TERM", "dumb")], None),
        ];
        for (variables, expected) in rows {
            let [on_terminal, in_pipe] = said(variables).map(|environment| environment.pager());
            let command = on_terminal.as_ref().map(|pager| pager.command.as_str());
            assert_eq!((command, in_pipe), (expected, None), "{variables:?}");
        }
        let [environment, _] = said(&[("LESS", "-S")]);
        assert!(environment.pager().is_some_and(|pager| pager.says_how));
    }
}
