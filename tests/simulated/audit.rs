//! The audit log of the embedded cluster, read by its own small reader.

use serde_json::Value;

/// One request, or one end of an object.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) time: String,
    pub(crate) agent: String,
    pub(crate) user: String,
    pub(crate) verb: String,
    pub(crate) dry_run: bool,
    pub(crate) code: i64,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) created: bool,
    pub(crate) subresource: String,
}

impl Entry {
    pub(crate) fn parse(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).expect("a line of the audit log is JSON");
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            time: text("time"),
            agent: text("agent"),
            user: text("user"),
            verb: text("verb"),
            dry_run: value["dry_run"] == true,
            code: value["code"].as_i64().unwrap_or_default(),
            kind: text("kind"),
            namespace: text("namespace"),
            name: text("name"),
            uid: text("uid"),
            created: value["created"] == true,
            subresource: text("subresource"),
        }
    }

    /// A write of ours that the server accepted.
    pub(crate) fn is_our_write(&self) -> bool {
        self.agent.starts_with("stackctl") && !self.user.starts_with("operator:") && self.changes()
    }

    /// A write, by anyone, that the server accepted.
    pub(crate) fn changes(&self) -> bool {
        !self.dry_run && (200..300).contains(&self.code) && self.verb != "removed"
    }

    /// A write of an operator that no real operator would be refused: only races are in order (gone, or changed).
    pub(crate) fn is_operator_mistake(&self) -> bool {
        self.user.starts_with("operator:") && self.code >= 400 && ![404, 409].contains(&self.code)
    }

    pub(crate) fn is(&self, kind: &str, name: &str) -> bool {
        self.kind == kind && (self.name == name || name == "*")
    }

    pub(crate) fn key(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// How many seconds it was asked after another one, within one run; a run may go on past midnight.
    pub(crate) fn seconds_after(&self, other: &Self) -> f64 {
        let difference = self.seconds() - other.seconds();
        // No run takes half a day.
        match difference < -43_200.0 {
            true => difference + 86_400.0,
            false => difference,
        }
    }

    /// Seconds since midnight, from the RFC 3339 text.
    fn seconds(&self) -> f64 {
        let clock = self
            .time
            .split_once('T')
            .map_or("", |(_, clock)| clock)
            .trim_end_matches('Z');
        let part = |index: usize| {
            clock
                .split(':')
                .nth(index)
                .and_then(|part| part.parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        part(0) * 3600.0 + part(1) * 60.0 + part(2)
    }
}
