//! Looks at a cluster for where the resources of a stack stand: once, or for as long as somebody wants to know.
//!
//! Invariants:
//! - Nothing is written.
//! - What may not be read makes its resources unknown and nothing else; what does not answer ends a single look.
//! - Symptoms are looked for only of what is not ready, so that a healthy stack costs no list of its pods.
//! - Following reads nothing twice: it rests on watches, which tell everything once and then what changes.

use super::{
    Provider, ProviderError, Selector, WatchEvent, diagnose,
    view::{LiveView, Scope},
};
use crate::{
    object_key::{ObjectRef, ObjectType},
    readiness::{Seen, Sight},
    status::{Evidence, Standing, Subject, standings},
    survey::SurveyError,
};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream, stream::BoxStream, stream::SelectAll};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    pin::pin,
};

/// From how many objects of one kind and namespace on a list is read instead of each.
const WORTH_A_LIST: usize = 8;

/// What a follower is told.
#[derive(Debug)]
pub struct Watched<'a> {
    /// Where everything stands.
    pub standings: &'a [Standing],
    /// Why some of that may be old, in the words of a watch that broke.
    pub trouble: Option<&'a str>,
}

/// Looks once.
///
/// # Errors
/// When the cluster does not answer a read; a read that it forbids makes what rests on it unknown.
pub async fn look<P: Provider>(
    provider: &P,
    subjects: &[Subject],
    parallelism: usize,
) -> Result<Vec<Standing>, SurveyError> {
    let mut read = Read::default();
    read.read(
        provider,
        subjects.iter().flat_map(Subject::sights).collect(),
        parallelism,
    )
    .await?;
    let told = read.standings(subjects);
    let unready: BTreeSet<_> = told
        .iter()
        .filter(|one| !one.is.is_ready() && one.waits_for.is_empty())
        .map(|one| &one.address)
        .collect();
    let unready = subjects.iter().filter(|one| unready.contains(&one.address));
    let symptoms: Vec<_> = unready.flat_map(|one| diagnose::sights(&one.diagnoses)).collect();
    if symptoms.is_empty() {
        return Ok(told);
    }
    read.read(provider, symptoms, parallelism).await?;
    Ok(read.standings(subjects))
}

/// Looks until it is told to stop, and tells what it sees whenever that is news. The first time is once everything was
/// read, or could not be. `updates` brings the subjects anew, when more is recorded of them.
///
/// # Cancellation
/// May be dropped at any time.
pub async fn follow<P: Provider>(
    provider: &P,
    mut subjects: Vec<Subject>,
    updates: impl Stream<Item = Vec<Subject>>,
    mut told: impl FnMut(Watched<'_>) -> ControlFlow<()>,
) {
    let mut updates = pin!(updates.fuse());
    let mut read = Read::default();
    let mut watches: SelectAll<BoxStream<'static, (Scope, WatchEvent)>> = SelectAll::new();
    let mut watched: BTreeSet<Scope> = BTreeSet::new();
    let mut watch = |sight: Sight, watches: &mut SelectAll<_>| {
        let scope = sight.scope();
        if watched.insert(scope.clone()) {
            let events = provider.watch(&scope.0, scope.1.as_deref());
            watches.push(events.map(move |event| (scope.clone(), event)).boxed());
        }
    };
    let own: Vec<Sight> = subjects.iter().flat_map(Subject::sights).collect();
    own.iter().for_each(|sight| watch(sight.clone(), &mut watches));
    let mut last: Option<(Vec<Standing>, Option<String>)> = None;
    loop {
        if own.iter().all(|sight| read.is_answered(&sight.scope())) {
            let now = read.standings(&subjects);
            for one in now.iter().zip(&subjects).filter(|(one, _)| !one.is.is_ready()) {
                diagnose::sights(&one.1.diagnoses)
                    .into_iter()
                    .for_each(|sight| watch(sight, &mut watches));
            }
            let trouble = read.trouble.values().next().cloned();
            let news = Some((now, trouble));
            if news != last {
                last = news;
                if let Some((standings, trouble)) = &last
                    && told(Watched {
                        standings,
                        trouble: trouble.as_deref(),
                    })
                    .is_break()
                {
                    return;
                }
            }
        }
        tokio::select! {
            event = watches.next() => match event {
                Some((scope, event)) => read.take(&scope, event),
                // There is nothing to look at, and nothing will change.
                None => return,
            },
            Some(anew) = updates.next() => subjects = anew,
        }
        // What came together is told together.
        while let Some(Some((scope, event))) = watches.next().now_or_never() {
            read.take(&scope, event);
        }
    }
}

/// What was read so far, and what could not be.
#[derive(Debug, Default)]
struct Read {
    view: LiveView,
    /// Scopes that were listed as a whole.
    listed: BTreeSet<Scope>,
    /// Objects that were asked for by name.
    asked: BTreeSet<ObjectRef>,
    /// What may not be read, or is not read because its watch is broken, in the server's words.
    unread: BTreeMap<Sight, String>,
    /// Watches that are broken, though what they told before is known.
    trouble: BTreeMap<Scope, String>,
}

impl Read {
    fn standings(&self, subjects: &[Subject]) -> Vec<Standing> {
        standings(subjects, self, |one| {
            let sights = diagnose::sights(&one.diagnoses);
            if self.unread(&sights).is_some() {
                return (None, None);
            }
            match diagnose::look(&one.diagnoses, &self.view, None) {
                Some(symptom) => (
                    Some(symptom.words().to_owned()).filter(|words| !words.is_empty()),
                    symptom.asks(&one.diagnoses),
                ),
                None => (None, None),
            }
        })
    }

    /// Reads what was not read yet.
    async fn read<P: Provider>(
        &mut self,
        provider: &P,
        sights: Vec<Sight>,
        parallelism: usize,
    ) -> Result<(), SurveyError> {
        let mut whole: BTreeSet<Scope> = BTreeSet::new();
        let mut named: BTreeMap<Scope, BTreeSet<ObjectRef>> = BTreeMap::new();
        for sight in sights {
            let scope = sight.scope();
            if self.listed.contains(&scope) {
                continue;
            }
            match sight {
                Sight::All(..) => whole.extend([scope]),
                Sight::One(object) if !self.asked.contains(&object) => named.entry(scope).or_default().extend([object]),
                Sight::One(_) => {}
            }
        }
        let many = named.iter().filter(|(_, objects)| objects.len() >= WORTH_A_LIST);
        whole.extend(many.map(|(scope, _)| scope.clone()));
        named.retain(|scope, _| !whole.contains(scope));
        let width = parallelism.max(1);
        let mut lists = stream::iter(whole)
            .map(|scope| async move {
                let answer = provider.list(&scope.0, scope.1.as_deref(), &Selector::default()).await;
                (scope, answer)
            })
            .buffer_unordered(width);
        while let Some((scope, answer)) = lists.next().await {
            self.listed.insert(scope.clone());
            if let Some(objects) = self.had(Sight::All(scope.0.clone(), scope.1.clone()), answer)? {
                self.view.take(&scope, WatchEvent::Snapshot(objects));
            }
        }
        let objects = named.into_values().flatten();
        let mut gets = stream::iter(objects)
            .map(|object| async move {
                let answer = provider.get(&object).await;
                (object, answer)
            })
            .buffer_unordered(width);
        while let Some((object, answer)) = gets.next().await {
            self.asked.insert(object.clone());
            let sight = Sight::One(object);
            let scope = sight.scope();
            if let Some(live) = self.had(sight, answer.map(|live| live.into_iter().collect()))? {
                self.view.read_of(&scope, live);
            }
        }
        Ok(())
    }

    /// The objects of an answer; none where they may not be read, which is kept.
    fn had(
        &mut self,
        sight: Sight,
        answer: Result<Vec<Value>, ProviderError>,
    ) -> Result<Option<Vec<Value>>, SurveyError> {
        match answer {
            Ok(objects) => Ok(Some(objects)),
            Err(ProviderError::KindNotServed(_) | ProviderError::NotFound | ProviderError::NamespaceMissing(_)) => {
                Ok(Some(Vec::new()))
            }
            Err(ProviderError::Forbidden(words)) => {
                self.unread.insert(sight, words);
                Ok(None)
            }
            Err(cause) => Err(SurveyError {
                object: match sight {
                    Sight::One(object) => object.to_string(),
                    Sight::All(of, _) => of.to_string(),
                },
                cause,
            }),
        }
    }

    /// Takes an event of a watch in.
    fn take(&mut self, scope: &Scope, event: WatchEvent) {
        let all = Sight::All(scope.0.clone(), scope.1.clone());
        match event {
            WatchEvent::Interrupted(why) if self.listed.contains(scope) => {
                drop(self.trouble.insert(scope.clone(), why))
            }
            WatchEvent::Interrupted(why) => drop(self.unread.insert(all, why)),
            WatchEvent::Resumed => drop(self.trouble.remove(scope)),
            event @ (WatchEvent::Snapshot(_) | WatchEvent::Changed(_) | WatchEvent::Gone(_)) => {
                self.listed.insert(scope.clone());
                self.unread.remove(&all);
                self.trouble.remove(scope);
                self.view.take(scope, event);
            }
        }
    }

    /// Whether a watch of this scope told something, be it that it cannot.
    fn is_answered(&self, scope: &Scope) -> bool {
        self.listed.contains(scope) || self.unread.contains_key(&Sight::All(scope.0.clone(), scope.1.clone()))
    }
}

impl Seen for Read {
    fn object(&self, object: &ObjectRef) -> Option<&Value> {
        self.view.object(object)
    }

    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value> {
        self.view.objects(object_type, namespace)
    }
}

impl Evidence for Read {
    fn unread(&self, sights: &[Sight]) -> Option<String> {
        sights.iter().find_map(|sight| {
            let (of, namespace) = sight.scope();
            let whole = self.unread.get(&Sight::All(of, namespace));
            whole.or_else(|| self.unread.get(sight)).cloned()
        })
    }
}
