//! Reading all objects of a type, page by page.
//!
//! Invariants: an answer is one consistent state of the store (its pages share one resourceVersion); every item says
//! its kind and apiVersion, which servers leave out in lists (ssa-semantics §13); of a page one item is held as a map at
//! a time.

use crate::{
    KubernetesProvider,
    client::Ask,
    error::{Subject, meaning},
    path,
    transport::{Accepted, Accepts, Answer},
};
use http::Method;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use stackctl_engine::{
    ObjectType,
    execute::{ProviderError, Selector},
};
use std::fmt;

/// Items of one page: what kubectl asks for too, and no slower than larger ones (`apiserver-baseline.md`).
const PAGE: &str = "500";

/// So many times an expired token starts the list anew; then it is asked for in one piece.
const PAGED_ATTEMPTS: usize = 3;

/// Everything of a type, at one resourceVersion.
pub(crate) struct Listed<T = Value> {
    pub(crate) items: Vec<T>,
    pub(crate) resource_version: String,
}

/// Reads all objects that the selector admits, and keeps of each what `keep` makes of it; none when the kind is not served.
pub(crate) async fn list_as<T>(
    provider: &KubernetesProvider,
    object_type: &ObjectType,
    namespace: Option<&str>,
    selector: &Selector,
    keep: impl Fn(Value) -> T + Send + Sync,
) -> Result<Vec<T>, ProviderError>
where
    T: Send,
{
    let asked = Asked {
        object_type,
        namespace,
        accepts: Accepts::Whole,
    };
    match all_as(provider, asked, selector, &keep).await {
        Ok(listed) => Ok(listed.items),
        Err(ProviderError::KindNotServed(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Reads the metadata of all objects of a type in a namespace; none when the kind is not served.
pub(crate) async fn metadata(
    provider: &KubernetesProvider,
    object_type: &ObjectType,
    namespace: &str,
) -> Result<Vec<Value>, ProviderError> {
    let asked = Asked {
        object_type,
        namespace: Some(namespace),
        accepts: Accepts::Metadata,
    };
    match all_as(provider, asked, &Selector::default(), &|item| item).await {
        Ok(listed) => Ok(listed.items),
        Err(ProviderError::KindNotServed(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Of what a list is.
#[derive(Clone, Copy)]
struct Asked<'a> {
    object_type: &'a ObjectType,
    namespace: Option<&'a str>,
    accepts: Accepts,
}

/// Reads all objects that the selector admits, with the resourceVersion to watch from.
pub(crate) async fn list_all(
    provider: &KubernetesProvider,
    object_type: &ObjectType,
    namespace: Option<&str>,
    selector: &Selector,
) -> Result<Listed, ProviderError> {
    let asked = Asked {
        object_type,
        namespace,
        accepts: Accepts::Whole,
    };
    all_as(provider, asked, selector, &|item| item).await
}

async fn all_as<T: Send>(
    provider: &KubernetesProvider,
    asked: Asked<'_>,
    selector: &Selector,
    keep: &(impl Fn(Value) -> T + Send + Sync),
) -> Result<Listed<T>, ProviderError> {
    for _ in 0..PAGED_ATTEMPTS {
        if let Some(listed) = pages(provider, asked, selector, Some(PAGE), keep).await? {
            return Ok(listed);
        }
    }
    let whole = pages(provider, asked, selector, None, keep).await?;
    let object_type = asked.object_type;
    whole.ok_or_else(|| ProviderError::Unavailable(format!("a list of {object_type} expires while it is read")))
}

/// Reads page after page; `None` when the token to go on with has expired: what was kept so far is of another state.
async fn pages<T: Send>(
    provider: &KubernetesProvider,
    asked: Asked<'_>,
    selector: &Selector,
    limit: Option<&str>,
    keep: &(impl Fn(Value) -> T + Send + Sync),
) -> Result<Option<Listed<T>>, ProviderError> {
    let Asked {
        object_type,
        namespace,
        accepts,
    } = asked;
    let labels = label_selector(selector);
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let query = [
            ("labelSelector", labels.as_deref()),
            ("limit", limit),
            ("continue", token.as_deref()),
        ];
        let subject = Subject {
            object_type,
            is_in_namespace: namespace.is_some(),
        };
        let ask = Ask {
            subject,
            method: Method::GET,
            path: |served: &_| Ok(path::with_query(path::of_list(object_type, served, namespace), &query)),
            content: None,
            only_asks: true,
            accepts,
        };
        let page = match provider.ask(ask).await? {
            Answer::Accepted(Accepted { body, .. }) => {
                let keep = |item| items.push(keep(typed(item, object_type)));
                provider
                    .transport()
                    .parse_by(&object_type.to_string(), &body, Page { keep })?
            }
            Answer::Refused(refusal) if refusal.is_expired() => return Ok(None),
            Answer::Refused(refusal) => return Err(meaning(&refusal, subject)),
        };
        if page.next.is_empty() {
            return Ok(Some(Listed {
                items,
                resource_version: page.resource_version,
            }));
        }
        token = Some(page.next);
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

/// Reads a page; each item is given away before the next is read.
struct Page<K> {
    keep: K,
}

impl<'de, K: FnMut(Value)> DeserializeSeed<'de> for Page<K> {
    type Value = PageMetadata;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PageMetadata, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, K: FnMut(Value)> Visitor<'de> for Page<K> {
    type Value = PageMetadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut fields: M) -> Result<PageMetadata, M::Error> {
        let mut metadata = PageMetadata::default();
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "metadata" => metadata = fields.next_value()?,
                "items" => fields.next_value_seed(Items { keep: &mut self.keep })?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(metadata)
    }
}

/// Reads the items of a page; a server writes `null` for none.
struct Items<'a, K> {
    keep: &'a mut K,
}

impl<'de, K: FnMut(Value)> DeserializeSeed<'de> for Items<'_, K> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, K: FnMut(Value)> Visitor<'de> for Items<'_, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the objects of a list")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        while let Some(item) = items.next_element()? {
            (self.keep)(item);
        }
        Ok(())
    }
}

/// An item that says what it is; metadata alone says that it is that.
pub(crate) fn typed(mut item: Value, object_type: &ObjectType) -> Value {
    if let Some(fields) = item.as_object_mut() {
        if fields.get("kind").is_some_and(|kind| kind == "PartialObjectMetadata") {
            fields.retain(|name, _| name == "metadata");
        }
        let own = [("apiVersion", &object_type.api_version), ("kind", &object_type.kind)];
        for (name, value) in own {
            fields.entry(name).or_insert_with(|| Value::from(value.as_str()));
        }
    }
    item
}

fn label_selector(selector: &Selector) -> Option<String> {
    let pairs: Vec<String> = selector
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}
