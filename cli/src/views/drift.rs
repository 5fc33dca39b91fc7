//! What changed under us, for people.

use super::{
    diff,
    style::{Meaning, Style, counted, padded, visible_width},
};
use stackctl_engine::{
    Address,
    degraded::Degraded,
    diff::drift::{Drift, There},
    plan::Refreshed,
    yields::Yielded,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// How many objects are recorded.
    pub recorded: usize,
    /// Those whose secret values cannot be compared.
    pub unknown: Vec<Address>,
    /// Fields that are left to managers that win; no drift.
    pub yielded: Vec<Yielded>,
    /// Gates that were ready and are not any more; no drift.
    pub degraded: Vec<Degraded>,
}

/// How it came out, object by object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// Something differs, as far as it can be compared.
    pub(super) differs: usize,
    /// Nothing does.
    pub(super) as_recorded: usize,
    /// Nothing does that can be compared, and not all can.
    pub(super) unknown: usize,
}

impl Looked {
    /// Counts each object once.
    pub(super) fn counts<'a>(&self, differing: impl IntoIterator<Item = &'a Drift>) -> Counts {
        let differing: BTreeSet<_> = differing.into_iter().map(|drift| &drift.address).collect();
        let unknown = self.unknown.iter().filter(|address| !differing.contains(address));
        let (differs, unknown) = (differing.len(), unknown.count());
        Counts {
            differs,
            as_recorded: self.recorded.saturating_sub(differs + unknown),
            unknown,
        }
    }

    /// Which values nobody compared, and why; nothing when all were.
    fn uncompared(&self, style: &Style) -> String {
        let mut text = String::new();
        for address in &self.unknown {
            let _ = writeln!(
                text,
                "{}   {}",
                style.paint(Meaning::Heading, &address.to_string()),
                style.paint(Meaning::Attention, "its secret values cannot be compared")
            );
        }
        if !self.unknown.is_empty() {
            let hint = style.paint(Meaning::Busy, "hint:");
            let _ = writeln!(text, "{hint} that takes the key of the state they were recorded with");
        }
        text
    }

    /// What is told and is no drift.
    fn beside(&self, style: &Style) -> String {
        let mut text = String::new();
        let heading = |address: &Address| style.paint(Meaning::Heading, &address.to_string());
        for yielded in &self.yielded {
            let _ = writeln!(text, "{}   yielded to {}", heading(&yielded.address), yielded.manager);
            for line in diff::lines(&yielded.change(), 2, style) {
                let _ = writeln!(text, "{line}");
            }
        }
        for degraded in &self.degraded {
            let words = format!("degraded: {}", degraded.why);
            let _ = writeln!(
                text,
                "{}   {}",
                heading(&degraded.address),
                style.paint(Meaning::Attention, &words)
            );
        }
        text
    }

    /// How much of that there is, behind the other counts.
    fn beside_counted(&self) -> String {
        let told = [
            (self.yielded.len(), "field", "yielded"),
            (self.degraded.len(), "gate", "degraded"),
        ];
        let told = told.iter().filter(|(count, ..)| *count > 0);
        let words: Vec<_> = told
            .map(|(count, noun, what)| format!("{} {what}", counted(*count, noun)))
            .collect();
        if words.is_empty() {
            String::new()
        } else {
            format!("; {}", words.join(", "))
        }
    }
}

/// `12 as recorded`, and how many are unknown if any are.
fn rest(counts: &Counts) -> String {
    match counts.unknown {
        0 => format!("{} as recorded", counts.as_recorded),
        unknown => format!("{} as recorded, {unknown} unknown", counts.as_recorded),
    }
}

/// The screen of `drift`.
pub fn drift(found: &[Drift], looked: &Looked, style: &Style) -> String {
    let mut text = each(found.iter(), style);
    text += &looked.uncompared(style);
    text += &looked.beside(style);
    let counts = looked.counts(found);
    let beside = looked.beside_counted();
    let _ = writeln!(text, "{} drifted, {}{beside}", counts.differs, rest(&counts));
    let hint = style.paint(Meaning::Busy, "hint:");
    let mended = mended(found);
    if !mended.is_empty() {
        let _ = writeln!(
            text,
            "{hint} `stackctl apply` {mended}; what should stay goes into the stack"
        );
    }
    if found.iter().any(|drift| drift.there == There::Another) {
        let _ = writeln!(
            text,
            "{hint} what a controller made again is adopted by the next apply; any other takes `--adopt` or `adopt = true`, or is deleted, and then ours is made again"
        );
    }
    text
}

/// What an apply would do about it: `sets 2 fields back and makes 1 object again`.
fn mended(found: &[Drift]) -> String {
    let gone = found.iter().filter(|drift| drift.there == There::Nothing).count();
    let fields = found.iter().map(|drift| drift.changes.len()).sum();
    let back = (fields > 0).then(|| format!("sets {} back", counted(fields, "field")));
    let again = (gone > 0).then(|| format!("makes {} again", counted(gone, "object")));
    back.into_iter().chain(again).collect::<Vec<_>>().join(" and ")
}

/// The screen of `--refresh-only`: what would be recorded otherwise, of how many.
pub fn refreshed(found: &[Refreshed], looked: &Looked, style: &Style) -> String {
    let mut text = each(found.iter().map(|one| &one.differs), style);
    text += &looked.uncompared(style);
    let counts = looked.counts(found.iter().map(|one| &one.differs));
    let _ = writeln!(
        text,
        "{} to record as it is, {}; the cluster stays as it is",
        counted(counts.differs, "resource"),
        rest(&counts)
    );
    text
}

fn each<'a>(found: impl Iterator<Item = &'a Drift>, style: &Style) -> String {
    let mut text = String::new();
    for drift in found {
        let Drift {
            address,
            object,
            there,
            changes,
        } = drift;
        let _ = writeln!(
            text,
            "{}   {object}",
            style.paint(Meaning::Heading, &address.to_string())
        );
        let words = match there {
            There::It => None,
            There::Another => Some("is gone, and another object of that name is there"),
            There::Nothing => Some("is gone"),
        };
        if let Some(words) = words {
            let _ = writeln!(text, "  {}", style.paint(Meaning::Bad, words));
        }
        if style.width.is_some() {
            for line in changes.iter().flat_map(|change| diff::lines(change, 2, style)) {
                let _ = writeln!(text, "{line}");
            }
            continue;
        }
        let lines: Vec<_> = changes
            .iter()
            .map(|change| {
                (
                    format!("  {}:  {}", diff::path(&change.path), diff::from_to(change, style)),
                    change,
                )
            })
            .collect();
        let width = lines
            .iter()
            .map(|(line, _)| visible_width(line))
            .filter(|width| *width <= 80)
            .max()
            .unwrap_or(0);
        for (line, change) in lines {
            let by = change
                .drift
                .as_ref()
                .map(|by| diff::said_of(change, by))
                .unwrap_or_default();
            let _ = writeln!(text, "{}", format!("{}   {by}", padded(&line, width)).trim_end());
            let column = visible_width(&diff::path(&change.path)) + 5;
            if let Some(marks) = diff::below_from_to(change, column, style) {
                let _ = writeln!(text, "{marks}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{drifted_dashboard, long_change};
    use stackctl_engine::{FieldPath, plan::Shown};

    fn looked(recorded: usize) -> Looked {
        Looked {
            recorded,
            ..Looked::default()
        }
    }

    #[test]
    fn what_cannot_be_compared_is_not_called_as_recorded() {
        let looked = Looked {
            unknown: ["maas.database.secret", "rhoai.dashboard"]
                .map(|address| address.parse().expect("an address"))
                .to_vec(),
            ..looked(88)
        };
        insta::assert_snapshot!(drift(&[drifted_dashboard()], &looked, &Style::PLAIN), @r"
        rhoai.dashboard   OdhDashboardConfig redhat-ods-applications/odh-dashboard-config
          spec.dashboardConfig.maasAuthPolicies:  true → false   kubectl-edit, 2026-11-22 10:31 UTC
        maas.database.secret   its secret values cannot be compared
        rhoai.dashboard   its secret values cannot be compared
        hint: that takes the key of the state they were recorded with
        1 drifted, 86 as recorded, 1 unknown
        hint: `stackctl apply` sets 1 field back; what should stay goes into the stack
        ");
        insta::assert_snapshot!(refreshed(&[], &looked, &Style::PLAIN), @r"
        maas.database.secret   its secret values cannot be compared
        rhoai.dashboard   its secret values cannot be compared
        hint: that takes the key of the state they were recorded with
        0 resources to record as it is, 86 as recorded, 2 unknown; the cluster stays as it is
        ");
    }

    #[test]
    fn what_is_yielded_and_what_is_degraded_is_told_and_counted_beside_drift() {
        let address = |text: &str| text.parse().expect("an address");
        let looked = Looked {
            yielded: vec![Yielded {
                address: address("manifests[web].deployment"),
                path: FieldPath::of("spec.replicas"),
                manager: "kube-controller-manager",
                said: Shown::Value(2.into()),
                there: Shown::Value(5.into()),
            }],
            degraded: vec![Degraded {
                address: address("kuadrant.ready"),
                why: "Kuadrant kuadrant: Ready is False".to_owned(),
            }],
            ..looked(88)
        };
        insta::assert_snapshot!(drift(&[], &looked, &Style::PLAIN), @r"
        manifests[web].deployment   yielded to kube-controller-manager
          spec.replicas:  2 → 5
        kuadrant.ready   degraded: Kuadrant kuadrant: Ready is False
        0 drifted, 88 as recorded; 1 field yielded, 1 gate degraded
        ");
    }

    #[test]
    fn what_is_gone_is_made_again_and_no_field_set_back() {
        let gone = Drift {
            there: There::Nothing,
            changes: Vec::new(),
            ..drifted_dashboard()
        };
        assert_eq!(mended(std::slice::from_ref(&gone)), "makes 1 object again");
        assert_eq!(
            mended(&[drifted_dashboard(), gone]),
            "sets 1 field back and makes 1 object again"
        );
    }

    #[test]
    fn another_object_of_that_name_is_told_and_that_no_apply_takes_it_unsaid() {
        let another = Drift {
            there: There::Another,
            changes: Vec::new(),
            ..drifted_dashboard()
        };
        insta::assert_snapshot!(drift(&[another], &looked(88), &Style::PLAIN));
    }

    #[test]
    fn drift_fits_a_narrow_and_a_wide_terminal() {
        for width in [80, 160] {
            let style = Style {
                width: Some(width),
                ..Style::PLAIN
            };
            let mut found = drifted_dashboard();
            found.changes.push(long_change());
            insta::assert_snapshot!(format!("drift_at_{width}"), drift(&[found], &looked(88), &style));
        }
    }

    #[test]
    fn in_a_pipe_the_words_that_drifted_are_marked() {
        let mut found = drifted_dashboard();
        found.changes = vec![long_change()];
        insta::assert_snapshot!(drift(&[found], &looked(88), &Style::PLAIN));
    }

    #[test]
    fn drift_has_a_field_a_name_and_a_time() {
        insta::assert_snapshot!(drift(&[drifted_dashboard()], &looked(88), &Style::PLAIN), @r"
        rhoai.dashboard   OdhDashboardConfig redhat-ods-applications/odh-dashboard-config
          spec.dashboardConfig.maasAuthPolicies:  true → false   kubectl-edit, 2026-11-22 10:31 UTC
        1 drifted, 87 as recorded
        hint: `stackctl apply` sets 1 field back; what should stay goes into the stack
        ");
    }
}
