//! Reading all objects of a type, page by page.
//!
//! Invariants: an answer is one consistent state of the store (its pages share one resourceVersion); every item says
//! its kind and apiVersion, which servers leave out in lists (ssa-semantics §13).

use crate::{
    KubernetesProvider,
    client::Ask,
    error::{Subject, meaning},
    path,
    transport::{Accepted, Accepts, Answer},
};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use stackctl_engine::{
    ObjectType,
    execute::{ProviderError, Selector},
};

/// Items of one page: what kubectl asks for too, and no slower than larger ones (`apiserver-baseline.md`).
const PAGE: &str = "500";

/// So many times an expired token starts the list anew; then it is asked for in one piece.
const PAGED_ATTEMPTS: usize = 3;

/// Everything of a type, at one resourceVersion.
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) resource_version: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

/// Reads all objects that the selector admits; none when the kind is not served.
pub(crate) async fn list(
    provider: &KubernetesProvider,
    object_type: &ObjectType,
    namespace: Option<&str>,
    selector: &Selector,
) -> Result<Vec<Value>, ProviderError> {
    match list_all(provider, object_type, namespace, selector).await {
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
    match whole(provider, asked, &Selector::default()).await {
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
    whole(provider, asked, selector).await
}

async fn whole(provider: &KubernetesProvider, asked: Asked<'_>, selector: &Selector) -> Result<Listed, ProviderError> {
    for _ in 0..PAGED_ATTEMPTS {
        if let Some(listed) = pages(provider, asked, selector, Some(PAGE)).await? {
            return Ok(listed);
        }
    }
    let whole = pages(provider, asked, selector, None).await?;
    let object_type = asked.object_type;
    whole.ok_or_else(|| ProviderError::Unavailable(format!("a list of {object_type} expires while it is read")))
}

/// Reads page after page; `None` when the token to go on with has expired.
async fn pages(
    provider: &KubernetesProvider,
    asked: Asked<'_>,
    selector: &Selector,
    limit: Option<&str>,
) -> Result<Option<Listed>, ProviderError> {
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
        let page: Page = match provider.ask(ask).await? {
            Answer::Accepted(Accepted { body, .. }) => provider.transport().parse(&object_type.to_string(), &body)?,
            Answer::Refused(refusal) if refusal.is_expired() => return Ok(None),
            Answer::Refused(refusal) => return Err(meaning(&refusal, subject)),
        };
        items.extend(
            page.items
                .unwrap_or_default()
                .into_iter()
                .map(|item| typed(item, object_type)),
        );
        if page.metadata.next.is_empty() {
            return Ok(Some(Listed {
                items,
                resource_version: page.metadata.resource_version,
            }));
        }
        token = Some(page.metadata.next);
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
