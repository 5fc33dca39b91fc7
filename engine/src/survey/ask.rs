//! What the server would answer to one resource, and of which the answer is known without asking.

use super::{
    Answer, Found, SurveyRequest, View, dry_run::dry_run, held::Held, same::is_surely_the_same, to_come::ToCome,
};
use crate::{
    emptied,
    execute::{Provider, ReadSecrets, SecretSource},
    ignored::respect_ignored,
    late::resolve,
    marks::Whose,
    packed::Packed,
    readiness::Seen as _,
    resource::{Node, Object, Overlay, Resource, sent_digest},
};
use serde_json::Value;
use std::sync::Arc;

/// What was found of an object that is surely the same, as it was judged when it was read.
pub(super) fn without_asking(view: &View, to_come: &ToCome, resource: &Resource) -> Option<Found> {
    let Node::Object(object) = &resource.node else {
        return None;
    };
    let named = object.manifest.object();
    let held = view.held(named)?;
    let same = held.same_for(&resource.address)?;
    to_come.answer(named).is_none().then(|| Found {
        readiness: same.readiness.clone(),
        ..Found::unchanged(Some(held.clone()), Some(Whose::Ours))
    })
}

pub(super) async fn ask<P: Provider, S: SecretSource>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    to_come: &ToCome,
    secrets: &S,
    resource: &Resource,
) -> Found {
    match &resource.node {
        Node::Object(object) => {
            let named = object.manifest.object();
            let mut held = view.held(named).cloned();
            for _ in 0..READS_AGAIN {
                let asked = ask_object(
                    provider,
                    request,
                    view,
                    to_come,
                    secrets,
                    resource,
                    object,
                    held.clone(),
                );
                let found = asked.await;
                if !is_overtaken(&found) {
                    return found;
                }
                match provider.get(named).await {
                    Ok(live) => held = live.map(|live| Held::open(live).into()),
                    Err(_) => return found,
                }
            }
            ask_object(provider, request, view, to_come, secrets, resource, object, held).await
        }
        Node::Overlay(overlay) => ask_overlay(provider, request, view, secrets, resource, overlay).await,
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => Found::default(),
    }
}

/// How often an object is read again that others write while it is asked about.
const READS_AGAIN: usize = 2;

/// Whether somebody wrote the object between our read and our question: the answer of a dry run has the resourceVersion of
/// what it was made from (ssa-semantics §8). What they wrote would show as a change of ours.
fn is_overtaken(found: &Found) -> bool {
    let version = |object: &Value| object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    let (Answer::Would { object, .. }, Some(live)) = (&found.answer, found.live()) else {
        return false;
    };
    let answered = version(&object.open());
    answered.is_some() && answered != version(live)
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a plan asks about one object; each is borrowed from its caller"
)]
async fn ask_object<P: Provider, S: SecretSource>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    to_come: &ToCome,
    secrets: &S,
    resource: &Resource,
    object: &Object,
    held: Option<Arc<Held>>,
) -> Found {
    let known = request.recorded.get(&resource.address);
    let named = object.manifest.object();
    let live = held.as_ref().map(|held| held.value());
    let whose = live.map(|live| request.identity.whose(live, &resource.address, named, known));
    let to_come = to_come.answer(named);
    let secrets = ReadSecrets::of(secrets, resource.late_sources()).await;
    let resolved = resolve(
        &object.manifest,
        live,
        |other| view.object(other).cloned(),
        &secrets,
        false,
    );
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(error) => {
            return Found {
                held,
                whose,
                answer: Answer::Late(error),
                ..Found::default()
            };
        }
    };
    if let Some(answer) = to_come {
        return Found {
            held,
            whose,
            answer,
            unknown: resolved.unknown,
            ..Found::default()
        };
    }
    let manager = request.identity.object_manager();
    let mut body = resolved.body;
    // While the stack says what it said, another address alone is nothing to write.
    let sent_before = known.filter(|known| known.object().is_some_and(|last| last.sent == sent_digest(resource)));
    let former = live.and_then(|live| request.identity.former_address(live, sent_before));
    request
        .identity
        .mark(&mut body, former.as_ref().unwrap_or(&resource.address), named);
    if let Some(live) = live {
        respect_ignored(&mut body, live, resource, &manager);
    }
    // An apply would make null what it empties: what is ours goes out of it first.
    let maps = live.map_or_else(Vec::new, |live| emptied::emptied(&body, live, known, &manager));
    for map in &maps {
        map.remove(&mut body);
    }
    let answer = match dry_run(provider, named, body, live, &manager).await {
        Answer::Would {
            object,
            created,
            taken,
            warnings,
        } if !maps.is_empty() => Answer::Would {
            object: Packed::of(&emptied::with_them(&maps, object.open())),
            created,
            taken,
            warnings,
        },
        answer => answer,
    };
    Found {
        held,
        whose,
        answer,
        unknown: resolved.unknown,
        ..Found::default()
    }
}

async fn ask_overlay<P: Provider, S: SecretSource>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    secrets: &S,
    resource: &Resource,
    overlay: &Overlay,
) -> Found {
    let held = view.held(&overlay.target).cloned();
    let live = held.as_ref().map(|held| held.value());
    let secrets = ReadSecrets::of(secrets, resource.late_sources()).await;
    let documents = match overlay.resolve(live, |other| view.object(other).cloned(), &secrets, false) {
        Ok(documents) => documents,
        Err(error) => {
            return Found {
                held,
                answer: Answer::Late(error),
                ..Found::default()
            };
        }
    };
    if live.is_none() && !overlay.create_if_absent {
        return Found {
            answer: Answer::TargetToCome,
            documents,
            ..Found::default()
        };
    }
    let manager = request.identity.manager_of_overlay(
        &resource.address,
        &overlay.target,
        request.recorded.get(&resource.address),
        request.recorded.values(),
    );
    let known = request.recorded.get(&resource.address);
    if overlay.documents.is_empty() && is_surely_the_same(resource, known, live, &manager) {
        return Found::unchanged(held, None);
    }
    let uid = held.as_ref().map_or("", |held| held.uid());
    let last = known.map_or(&[][..], |known| known.documents_of(uid));
    let answer = match overlay.body(live, &documents, last) {
        Ok(body) => dry_run(provider, &overlay.target, body, live, &manager).await,
        Err(error) => Answer::Uneditable(error),
    };
    Found {
        held,
        answer,
        documents,
        ..Found::default()
    }
}
