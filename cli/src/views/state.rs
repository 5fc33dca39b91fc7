//! What is recorded, for people.

use super::{
    diff,
    style::{Meaning, Style, counted, padded, visible_width},
};
use stackctl_engine::{
    Address, ObjectRef,
    facts::Facts,
    moves::Rename,
    plan::Shown,
    recorded::{Origin, Recorded, RecordedFragment, RecordedNode, RecordedObject},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    time::Duration,
};

/// Every recorded address with its object, one a line, so that it can be searched.
pub fn list(recorded: &BTreeMap<Address, Recorded>, style: &Style) -> String {
    let width = recorded
        .keys()
        .map(|address| visible_width(&address.to_string()))
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (address, known) in recorded {
        let what = known
            .object()
            .map_or_else(|| node(&known.node).to_owned(), |object| object.object.to_string());
        let _ = writeln!(text, "{}  {what}", padded(&address.to_string(), width));
    }
    let _ = writeln!(
        text,
        "{}",
        style.paint(
            Meaning::Quiet,
            &format!("{} recorded", counted(recorded.len(), "resource"))
        )
    );
    text
}

/// The facts that were read.
pub fn facts(facts: &Facts, style: &Style) -> String {
    let width = facts.iter().map(|(key, _)| visible_width(key)).max().unwrap_or(0);
    let mut text = String::new();
    for (key, fact) in facts.iter() {
        let value = diff::shown(&Shown::Value(fact.value.clone()), style);
        let _ = writeln!(
            text,
            "  {}  {value}  {}",
            padded(key, width),
            style.paint(Meaning::Quiet, &fact.source)
        );
    }
    text
}

/// What became of a lock: who left it behind, with what, since when.
pub fn unlocked(left_by: Option<(String, String, String)>) -> String {
    match left_by {
        Some((who, command, since)) => format!("unlocked: {who} left it behind with `{command}`, since {since}\n"),
        None => "nobody holds the lock\n".to_owned(),
    }
}

/// A state as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The stack's name.
    pub stack: String,
    /// What every later state of this one keeps.
    pub lineage: String,
    /// How many entries made it.
    pub serial: u64,
    /// How many resources are recorded.
    pub recorded: usize,
    /// Of how many resources a run that did not end may have written something.
    pub open: usize,
    /// When the first state of its line was made, in RFC 3339.
    pub created: String,
    /// The version that made that one.
    pub created_by: String,
}

/// What got another address.
pub fn renamed(renames: &[Rename]) -> String {
    let mut text = String::new();
    for Rename { from, to } in renames {
        let _ = writeln!(text, "{from} is now {to}");
    }
    text
}

/// What is recorded no more.
pub fn forgotten(addresses: &BTreeSet<Address>) -> String {
    let mut text = String::new();
    for address in addresses {
        let _ = writeln!(text, "nothing is recorded of {address} any more; what it made stays");
    }
    text
}

/// What was put in place.
pub fn pushed(state: &Summary) -> String {
    format!(
        "the state of {} has {} now, serial {}\n",
        state.stack,
        counted(state.recorded, "resource"),
        state.serial
    )
}

/// What an import recorded.
pub fn imported(address: &Address, object: &ObjectRef) -> String {
    format!("{address} is {object} from now on; `stackctl plan` shows what the stack says otherwise\n")
}

/// What is kept of earlier states: of a directory, the newest only.
pub fn history(state: &Summary, directory: &Path) -> String {
    format!(
        "serial {}   {}   lineage {}, begun {} by stackctl {}\n\
         `{}` keeps the newest state only; keep earlier ones with `stackctl state pull`\n",
        state.serial,
        counted(state.recorded, "resource"),
        state.lineage,
        state.created,
        state.created_by,
        directory.display()
    )
}

/// What a state that was made again holds, and what was lost.
pub fn rebuilt(state: &Summary, has_key: bool) -> String {
    let mut text = format!(
        "rebuilt the state of {}: {}, serial {}\n",
        state.stack,
        counted(state.recorded, "resource"),
        state.serial
    );
    if state.open > 0 {
        let _ = writeln!(
            text,
            "a run did not end: {} may have been written since; the next apply finds out",
            counted(state.open, "resource")
        );
    }
    for lost in lost(has_key) {
        let _ = writeln!(text, "lost: {lost}");
    }
    text
}

/// What the cluster does not keep.
pub fn lost(has_key: bool) -> Vec<&'static str> {
    let mut lost = vec![
        "how long each resource took; the next runs teach it again",
        "the history of the state: only its newest form is kept",
    ];
    if !has_key {
        lost.push("the key of the stack; the next apply draws one, and plans saved under the old one are void");
    }
    lost
}

/// What is waited for after the end of a run, and for how long.
pub fn copy_is_waited_for(patience: Duration) -> String {
    let seconds = patience.as_secs();
    format!("the cluster is to keep a copy of the state, and does not answer yet: {seconds} s at most, or Ctrl-C\n")
}

/// That the cluster keeps less than the state says, and why.
pub fn copy_is_behind(because: &[String]) -> String {
    format!(
        "the copy of the state that the cluster keeps is behind: {}; the next apply mends it",
        because.join(": ")
    )
}

/// That the cluster keeps the copy of another run, which took over.
pub fn copy_is_of_another_run(stack: &str) -> String {
    format!(
        "another run has taken the lease of the stack {stack} over: the copy of the state that the cluster keeps is that \
         run's, and was left as it is; work with the state that it wrote, or make it again with `stackctl state rebuild \
         --force`"
    )
}

/// That the cluster keeps what was recorded before, and why.
pub fn copy_does_not_follow(because: &[String]) -> String {
    format!(
        "the copy of the state that the cluster keeps does not follow: {}; until that is mended, a rebuild brings back \
         what was recorded before",
        because.join(": ")
    )
}

/// Everything that is recorded of one address.
pub fn one(known: &Recorded, style: &Style) -> String {
    let mut text = format!(
        "{}   {}\n",
        style.paint(Meaning::Heading, &known.address.to_string()),
        node(&known.node)
    );
    match &known.node {
        RecordedNode::Object(object) => fields(&mut text, object, style),
        RecordedNode::Overlay {
            object,
            undo,
            documents,
        } => {
            fields(&mut text, object, style);
            for undo in undo {
                let prior = undo.prior.clone().map_or(Shown::Absent, Shown::Value);
                let _ = writeln!(
                    text,
                    "  before  {}:  {}",
                    diff::path(&undo.path),
                    diff::shown(&prior, style)
                );
            }
            for document in documents {
                let prior = Shown::of(document.fragment.prior(), document.fragment.is_secret());
                let of_it = match &document.fragment {
                    RecordedFragment::YamlKey { key, .. } => format!("key {key}"),
                    RecordedFragment::ListItem { by, written, .. } => format!("item {by} {}", written[by.as_str()]),
                    RecordedFragment::Pem { .. } => "certificates".to_owned(),
                    RecordedFragment::Htpasswd { user, .. } => format!("htpasswd user {user}"),
                };
                let _ = writeln!(
                    text,
                    "  before  {}, {of_it}:  {}",
                    diff::path(&document.at),
                    diff::shown(&prior, style)
                );
            }
        }
        RecordedNode::Gate => {}
        RecordedNode::Action { trigger } => {
            let _ = writeln!(text, "  ran for {trigger}");
        }
    }
    for edge in &known.edges {
        let _ = writeln!(text, "  waits   for {} until {}: {}", edge.to, edge.until, edge.reason);
    }
    if let Some(why) = &known.destroy.retain {
        let _ = writeln!(text, "  stays   after destroy: {why}");
    }
    text
}

fn fields(text: &mut String, object: &RecordedObject, style: &Style) {
    let origin = match object.origin {
        Origin::Created => "made by us",
        Origin::Adopted => "was there before us",
    };
    let _ = writeln!(
        text,
        "  object  {} ({}), {origin}",
        object.object, object.object.object_type.api_version
    );
    let _ = writeln!(
        text,
        "  uid     {}",
        if object.uid.is_empty() {
            "not known yet"
        } else {
            &object.uid
        }
    );
    let _ = writeln!(text, "  manager {}", object.manager);
    let manifest = object.manifest.open();
    for path in object.fields.iter() {
        let value = match path.get(&manifest) {
            Some(_) if object.sensitive.contains(path) => Shown::Secret,
            Some(value) => Shown::Value(value.clone()),
            None => Shown::Absent,
        };
        let _ = writeln!(text, "  field   {}:  {}", diff::path(path), diff::shown(&value, style));
    }
}

fn node(node: &RecordedNode) -> &'static str {
    match node {
        RecordedNode::Object(_) => "object",
        RecordedNode::Overlay { .. } => "fields of an object",
        RecordedNode::Gate => "gate or check",
        RecordedNode::Action { .. } => "action",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackctl_engine::{
        FieldPath, ObjectRef,
        digest::Digest,
        document::htpasswd::User,
        recorded::{RecordedDestroy, RecordedDocument},
    };

    #[test]
    fn a_long_address_moves_the_column_of_every_row() {
        let long = format!("manifests[{}].configmap[x]", "a".repeat(60));
        let gate = |text: &str| Recorded {
            address: text.parse().expect("an address"),
            node: RecordedNode::Gate,
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        };
        let all = [gate("a.b"), gate(&long)].map(|known| (known.address.clone(), known));
        let text = list(&BTreeMap::from(all), &Style::PLAIN);
        let columns: Vec<_> = text.lines().take(2).map(|line| line.find("gate")).collect();
        assert_eq!(columns, [Some(long.len() + 2), Some(long.len() + 2)], "{text}");
    }

    #[test]
    fn of_a_users_line_the_user_is_shown_and_nothing_else() {
        let line = Digest::of_bytes(b"bob:hash");
        let document = |user: &str, was_there| RecordedDocument {
            at: FieldPath::of("data.htpasswd"),
            fragment: RecordedFragment::Htpasswd {
                user: User::new(user).expect("a name"),
                written: vec![line],
                was_there,
            },
            made_text: false,
            absent_ancestors: Vec::new(),
        };
        let object = RecordedObject {
            object: ObjectRef::namespaced("v1", "Secret", "n", "users"),
            uid: "u".to_owned(),
            origin: Origin::Adopted,
            manager: "stackctl/s/a.b".to_owned(),
            sent: Digest::of_bytes(b"sent"),
            manifest: stackctl_engine::packed::Packed::default(),
            fields: std::sync::Arc::default(),
            sensitive: std::collections::BTreeSet::new(),
            key_id: None,
            owned: None,
        };
        let known = Recorded {
            address: "a.b".parse().expect("an address"),
            node: RecordedNode::Overlay {
                object,
                undo: Vec::new(),
                documents: vec![document("bob", true), document("charlie", false)],
            },
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        };
        let text = one(&known, &Style::PLAIN);
        assert!(
            text.contains("before  data.htpasswd, htpasswd user bob:  (secret)\n"),
            "{text}"
        );
        assert!(
            text.contains("before  data.htpasswd, htpasswd user charlie:  (none)\n"),
            "{text}"
        );
        assert!(!text.contains(&line.to_string()), "{text}");
    }
}
