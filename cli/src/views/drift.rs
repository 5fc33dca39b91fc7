//! What changed under us, for people.

use super::{
    diff,
    style::{Meaning, Style, counted, padded, visible_width},
};
use stackctl_engine::{diff::drift::Drift, plan::Refreshed};
use std::fmt::Write as _;

/// The screen of `drift`. `recorded` is how many resources were looked at.
pub fn drift(found: &[Drift], recorded: usize, style: &Style) -> String {
    let mut text = each(found.iter(), style);
    let _ = writeln!(
        text,
        "{} drifted, {} as recorded",
        found.len(),
        recorded.saturating_sub(found.len())
    );
    if !found.is_empty() {
        let _ = writeln!(
            text,
            "{} `stackctl apply` sets {} back; what should stay goes into the stack",
            style.paint(Meaning::Busy, "hint:"),
            counted(found.iter().map(|drift| drift.changes.len().max(1)).sum(), "field")
        );
    }
    text
}

/// The screen of `--refresh-only`: what would be recorded otherwise, of how many.
pub fn refreshed(found: &[Refreshed], recorded: usize, style: &Style) -> String {
    let mut text = each(found.iter().map(|one| &one.differs), style);
    let _ = writeln!(
        text,
        "{} to record as it is, {} as recorded; the cluster stays as it is",
        counted(found.len(), "resource"),
        recorded.saturating_sub(found.len())
    );
    text
}

fn each<'a>(found: impl Iterator<Item = &'a Drift>, style: &Style) -> String {
    let mut text = String::new();
    for drift in found {
        let Drift {
            address,
            object,
            gone,
            changes,
        } = drift;
        let _ = writeln!(
            text,
            "{}   {object}",
            style.paint(Meaning::Heading, &address.to_string())
        );
        if *gone {
            let _ = writeln!(text, "  {}", style.paint(Meaning::Bad, "is gone"));
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
            let by = change.drift.as_ref().map(diff::written_by).unwrap_or_default();
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

    #[test]
    fn drift_fits_a_narrow_and_a_wide_terminal() {
        for width in [80, 160] {
            let style = Style {
                width: Some(width),
                ..Style::PLAIN
            };
            let mut found = drifted_dashboard();
            found.changes.push(long_change());
            insta::assert_snapshot!(format!("drift_at_{width}"), drift(&[found], 88, &style));
        }
    }

    #[test]
    fn in_a_pipe_the_words_that_drifted_are_marked() {
        let mut found = drifted_dashboard();
        found.changes = vec![long_change()];
        insta::assert_snapshot!(drift(&[found], 88, &Style::PLAIN));
    }

    #[test]
    fn drift_has_a_field_a_name_and_a_time() {
        insta::assert_snapshot!(drift(&[drifted_dashboard()], 88, &Style::PLAIN), @r"
        rhoai.dashboard   OdhDashboardConfig redhat-ods-applications/odh-dashboard-config
          spec.dashboardConfig.maasAuthPolicies:  true → false   kubectl-edit, 2026-11-22 10:31 UTC
        1 drifted, 87 as recorded
        hint: `stackctl apply` sets 1 field back; what should stay goes into the stack
        ");
    }
}
