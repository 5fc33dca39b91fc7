//! What was measured, in Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

/// Work, by name, then who does it, in the order in which they were first measured, then the seconds.
#[derive(Debug)]
pub(super) struct Table {
    title: String,
    rows: Vec<(&'static str, &'static str)>,
    seconds: BTreeMap<(&'static str, &'static str), Vec<f64>>,
}

impl Table {
    pub(super) fn new(title: String) -> Self {
        Self {
            title,
            rows: Vec::new(),
            seconds: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, work: &'static str, who: &'static str, seconds: f64) {
        if !self.rows.contains(&(work, who)) {
            self.rows.push((work, who));
        }
        self.seconds.entry((work, who)).or_default().push(seconds);
    }

    fn median(&self, row: (&'static str, &'static str)) -> f64 {
        let mut seconds = self.seconds.get(&row).cloned().unwrap_or_default();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The table: of each work every peer, and how many times stackctl's own time that is.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!(
            "\n### {}\n\n| work | who | seconds | times stackctl's |\n| --- | --- | ---: | ---: |\n",
            self.title
        );
        for work in ["create", "no change", "one change", "delete and wait"] {
            let rows = || self.rows.iter().filter(move |row| row.0 == work);
            let ours = rows()
                .find(|row| row.1.starts_with("stackctl"))
                .map(|row| self.median(*row));
            for row in rows() {
                let seconds = self.median(*row);
                let ratio = ours.map_or(f64::NAN, |ours| seconds / ours);
                let _ = writeln!(text, "| {work} | {} | {seconds:.2} | {ratio:.2} |", row.1);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_median_and_its_ratio_to_ours() {
        let mut table = Table::new("two".to_owned());
        for seconds in [1.0, 9.0, 2.0] {
            table.add("create", "stackctl apply", seconds);
        }
        table.add("create", "kubectl", 8.0);
        let text = table.markdown();
        assert!(text.contains("| create | stackctl apply | 2.00 | 1.00 |"), "{text}");
        assert!(text.contains("| create | kubectl | 8.00 | 4.00 |"), "{text}");
    }
}
