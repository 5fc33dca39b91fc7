//! Our parts of shared texts in a plan: what of them would change, and what of them was read.

use super::{Action, DriftedBy, FieldChange, Projection, Shown};
use crate::{
    FieldPath,
    digest::Digest,
    document::{
        Fragment, RecordedDocument, RecordedFragment, ResolvedDocument, digests, dropped, htpasswd::Login, shown,
        text_at,
    },
    recorded::Recorded,
    survey::{Answer, Found},
};
use serde_json::Value;

/// The changes of our parts, those that are not wanted any more included.
pub(super) fn changes(
    found: &Found,
    last: &[RecordedDocument],
    drifted: &[FieldChange],
    action: Action,
) -> Vec<FieldChange> {
    let wanted = parts(found).filter_map(|document| changed(found, document, last, drifted, action));
    let gone = unwanted(found, last).filter_map(|gone| taken_out(found, gone, drifted));
    wanted.chain(gone).collect()
}

/// Notes what was read of our parts, for a saved plan to compare.
pub(super) fn project(projection: &mut Projection, found: &Found, last: &[RecordedDocument]) {
    let mut note = |path: &FieldPath, there: Option<Value>| {
        projection
            .paths
            .insert(path.to_string(), there.as_ref().map(Digest::of));
    };
    for document in parts(found) {
        let text = text_of(found.live(), &document.at);
        note(
            &document.path(),
            text.and_then(|text| document.ours_in(&text, document.last(last))),
        );
    }
    for gone in unwanted(found, last) {
        let text = text_of(found.live(), &gone.at);
        note(&gone.path(), text.and_then(|text| gone.fragment.there(&text)));
    }
}

/// What was recorded of parts that are not wanted any more, and is shown as such.
fn unwanted<'a>(found: &'a Found, last: &'a [RecordedDocument]) -> impl Iterator<Item = &'a RecordedDocument> {
    dropped(&found.documents, last).filter(|gone| match &gone.fragment {
        RecordedFragment::YamlKey { .. } => false,
        RecordedFragment::ListItem { .. } | RecordedFragment::Pem { .. } | RecordedFragment::Htpasswd { .. } => true,
    })
}

/// Our parts of shared texts that are shown as such, and not as the whole text.
pub(super) fn parts(found: &Found) -> impl Iterator<Item = &ResolvedDocument> {
    found.documents.iter().filter(|document| match &document.fragment {
        Fragment::YamlKey { .. } => false,
        Fragment::ListItem { .. } | Fragment::Pem(_) | Fragment::PemToCome { .. } | Fragment::Htpasswd { .. } => true,
    })
}

pub(super) fn last_documents<'a>(known: Option<&'a Recorded>, found: &Found) -> &'a [RecordedDocument] {
    let uid = found.live().and_then(|live| live["metadata"]["uid"].as_str());
    known.map_or(&[], |known| known.documents_of(uid.unwrap_or_default()))
}

/// A text that can be read; one that cannot is an error of the plan already.
fn text_of(object: Option<&Value>, at: &FieldPath) -> Option<String> {
    text_at(object?, at).ok().flatten()
}

/// The change of our part of a shared text, if the text would change and not by another part alone.
fn changed(
    found: &Found,
    document: &ResolvedDocument,
    last: &[RecordedDocument],
    drifted: &[FieldChange],
    action: Action,
) -> Option<FieldChange> {
    let text = text_of(found.live(), &document.at);
    match &found.answer {
        Answer::Would { object, .. } | Answer::Unverified { object, .. }
            if text == text_of(Some(&object.open()), &document.at) =>
        {
            return None;
        }
        Answer::Would { .. } | Answer::Unverified { .. } => {}
        _ if action == Action::Create => {}
        _ => return None,
    }
    let ours = document.ours_in(text.as_deref().unwrap_or_default(), document.last(last));
    let (before, after) = match &document.fragment {
        Fragment::YamlKey { value, .. } | Fragment::ListItem { item: value, .. } => {
            (Shown::of(ours, false), Shown::Value(value.clone()))
        }
        Fragment::Pem(certificates) => (Shown::of(ours, false), Shown::of(shown(&digests(certificates)), false)),
        Fragment::PemToCome { after } => (Shown::of(ours, false), Shown::KnownAfter(after.to_string())),
        Fragment::Htpasswd { login, .. } => (
            Shown::of(ours, true),
            match login {
                Login::Kept(_) => return None,
                Login::Written(_) | Login::ToCome => Shown::Secret,
                Login::After(after) => Shown::KnownAfter(after.to_string()),
            },
        ),
    };
    let path = document.path();
    (before != after || document.fragment.is_secret()).then(|| FieldChange {
        before,
        after,
        drift: drift_of(drifted, &path),
        path,
    })
}

/// The change of a part of a shared text that is not wanted any more, if it is there to be taken out.
fn taken_out(found: &Found, gone: &RecordedDocument, drifted: &[FieldChange]) -> Option<FieldChange> {
    let text = text_of(found.live(), &gone.at)?;
    let after = gone.fragment.restore_in(&text).ok().filter(|after| *after != text)?;
    let (path, is_secret) = (gone.path(), gone.fragment.is_secret());
    Some(FieldChange {
        before: Shown::of(gone.fragment.there(&text), is_secret),
        after: Shown::of(gone.fragment.there(&after), is_secret),
        drift: drift_of(drifted, &path),
        path,
    })
}

fn drift_of(drifted: &[FieldChange], path: &FieldPath) -> Option<DriftedBy> {
    drifted.iter().find(|change| change.path == *path)?.drift.clone()
}
