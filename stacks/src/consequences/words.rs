//! The words that sentences share: lists, counts, and a consequence of each class.

use stackctl_engine::{
    ObjectRef,
    resource::{Consequence, ConsequenceClass},
};

/// Calls fail or go elsewhere.
pub(super) fn disruption(text: String) -> Consequence {
    of(ConsequenceClass::Disruption, text)
}

/// Somebody gets or keeps a way in.
pub(super) fn access(text: String) -> Consequence {
    of(ConsequenceClass::Access, text)
}

/// Data is lost.
pub(super) fn data_loss(text: String) -> Consequence {
    of(ConsequenceClass::DataLoss, text)
}

/// Something of others is written to.
pub(super) fn takes_fields(text: String) -> Consequence {
    of(ConsequenceClass::TakesFields, text)
}

/// Money is spent.
pub(super) fn cost(text: String) -> Consequence {
    of(ConsequenceClass::Cost, text)
}

/// Worth a line.
pub(super) fn notice(text: String) -> Consequence {
    of(ConsequenceClass::Notice, text)
}

/// Names come from people's files and from the cluster: none may break the line, or speak to the terminal.
fn of(class: ConsequenceClass, text: String) -> Consequence {
    let text = if text.contains(char::is_control) {
        text.replace(char::is_control, " ")
    } else {
        text
    };
    Consequence { class, text }
}

/// `deletes gateway maas and makes it again`: the beginning of what is told of a replacement.
pub(super) fn made_again(what: &str) -> String {
    format!("deletes {what} and makes it again")
}

/// `ConfigMap demo/settings`, `Namespace demo`.
pub(super) fn named(object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref().map(|namespace| format!("{namespace}/"));
    format!(
        "{} {}{}",
        object.object_type.kind,
        namespace.unwrap_or_default(),
        object.name
    )
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// `tier pro`, `tiers free and pro`.
pub(super) fn tiers<T: AsRef<str>>(names: &[T]) -> String {
    let noun = if names.len() == 1 { "tier" } else { "tiers" };
    format!("{noun} {}", listed(names))
}

/// `tier pro loses it`, `tiers free and pro lose it`.
pub(super) fn lose_it<T: AsRef<str>>(names: &[T]) -> String {
    let verb = if names.len() == 1 { "loses" } else { "lose" };
    format!("{} {verb} it", tiers(names))
}

/// `1 GPU`, `2 GPUs`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stays_on_its_line() {
        assert_eq!(notice("puts a\nb\u{1b}[2J".to_owned()).text, "puts a b [2J");
    }

    #[test]
    fn lists_and_counts_read_as_sentences_do() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(tiers(&["free", "pro"]), "tiers free and pro");
        assert_eq!(lose_it(&["free"]), "tier free loses it");
        assert_eq!(counted(1, "GPU"), "1 GPU");
        assert_eq!(counted(0, "GPU"), "0 GPUs");
    }
}
