//! GET of one object and LIST of many.
//!
//! Invariants (`reference/ssa-semantics.md` §13):
//! - Pages of one list show one state: a continue token names the resourceVersion of the first page; once that is
//!   forgotten the answer is 410 with a token for an inconsistent rest.
//! - With a selector there is no `remainingItemCount`; `resourceVersion=0` ignores the limit.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::request::{Call, Form};
use super::scale;
use super::selector::Selector;
use super::server::{Server, Shown};
use super::status::Refusal;
use super::store::{HistoryError, Listing, Row, Stored};
use super::{options, table};

/// A continue token: the state that is listed (0: whatever is there) and the last row that was shown.
fn token(resource_version: u64, row: &Row) -> String {
    URL_SAFE_NO_PAD
        .encode(json!({"v": "meta.k8s.io/v1", "rv": resource_version, "ns": row.0, "name": row.1}).to_string())
}

/// Reads a token, or says why it is none, as Go's decoders say it.
fn read_token(text: &str) -> Result<(u64, Row), String> {
    // As Go's decoder, which does not mind bits that are left over.
    let lenient = GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    let bytes = GeneralPurpose::new(&base64::alphabet::URL_SAFE, lenient)
        .decode(text)
        .map_err(|_| "illegal base64 data at input byte 0".to_owned())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| {
        let first = char::from(bytes.first().copied().unwrap_or_default());
        let shown = if first.is_ascii_graphic() {
            first.to_string()
        } else {
            format!("\\u{:04x}", u32::from(first))
        };
        format!("invalid character '{shown}' looking for beginning of value")
    })?;
    let text = |key: &str| value[key].as_str().map(ToOwned::to_owned);
    let row = || Some((value["rv"].as_u64()?, (text("ns")?, text("name")?)));
    row().ok_or_else(|| "server does not recognize this encoded version".to_owned())
}

impl Server {
    /// GET of one object, or of a subresource.
    pub(super) fn read(&self, call: &Call) -> Result<Shown, Refusal> {
        let stored = self.find(call)?;
        match call.path.subresource.as_deref() {
            None | Some("status" | "finalize") => Ok(Shown::Stored(stored)),
            Some("scale") => {
                let Some(paths) = &call.version().scale else {
                    return Err(Refusal::resource_not_found());
                };
                Ok(Shown::Value(Box::new(scale::of(
                    &self.view(&call.kind, call.version(), &stored.value),
                    paths,
                ))))
            }
            Some(_) => Err(Refusal::resource_not_found()),
        }
    }

    /// LIST; returns the body.
    pub(super) fn list(&self, call: &Call) -> Result<Vec<u8>, Refusal> {
        let selector = Selector::of(call)?;
        let asked = call.query.get("resourceVersion");
        let limit = options::check_list(&call.query)?
            .filter(|_| asked != Some("0"))
            .unwrap_or(usize::MAX);
        let current = self.store.resource_version();
        let mut at = None;
        let mut after = None;
        if let Some(text) = call.query.get("continue") {
            let (version, row) = read_token(text).map_err(|why| {
                Refusal::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
            })?;
            at = (version > 0).then_some(version);
            after = Some(row);
        } else if let Some(text) = asked {
            let version: u64 = text
                .parse()
                .map_err(|_| Refusal::bad_request(format!("invalid resource version \"{text}\"")))?;
            if version > current {
                return Err(Refusal::too_new(version, current));
            }
            if call.query.get("resourceVersionMatch") == Some("Exact") {
                at = Some(version);
            }
        }
        let listing = self.store.list(
            &call.table(),
            call.path.namespace.as_deref(),
            after.as_ref(),
            at,
            limit,
            |stored| selector.is_empty() || selector.matches(&stored.value),
        );
        let listing = listing.map_err(|error| match (error, &after) {
            (HistoryError::TooNew { current }, _) => Refusal::too_new(at.unwrap_or_default(), current),
            (HistoryError::TooOld { .. }, Some(row)) => Refusal::expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
                Some(token(0, row)),
            ),
            (HistoryError::TooOld { .. }, None) => {
                Refusal::expired("The resourceVersion for the provided list is too old.", None)
            }
        })?;
        Ok(self.write_list(call, &listing, &selector))
    }

    fn write_list(&self, call: &Call, listing: &Listing, selector: &Selector) -> Vec<u8> {
        let mut metadata = json!({ "resourceVersion": listing.resource_version.to_string() });
        if call.kind.is_custom() {
            metadata["continue"] = json!("");
        }
        if listing.n_remaining > 0
            && let Some(last) = listing.objects.last()
        {
            let text = |field: &str| last.value["metadata"][field].as_str().unwrap_or_default().to_owned();
            metadata["continue"] = json!(token(listing.resource_version, &(text("namespace"), text("name"))));
            if selector.is_empty() {
                metadata["remainingItemCount"] = json!(listing.n_remaining);
            }
        }
        let version = call.version();
        match call.form {
            Form::Plain => {
                let size = listing
                    .objects
                    .iter()
                    .map(|stored| stored.tail().len() + 64)
                    .sum::<usize>();
                let mut body = Vec::with_capacity(size + 256);
                let head = format!(
                    "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
                    call.kind.list_kind, version.api_version
                );
                body.extend_from_slice(head.as_bytes());
                for (index, stored) in listing.objects.iter().enumerate() {
                    if index > 0 {
                        body.push(b',');
                    }
                    self.write_item(call, stored, &mut body);
                }
                body.extend_from_slice(b"]}");
                body
            }
            Form::Metadata => {
                let items: Vec<Value> = listing
                    .objects
                    .iter()
                    .map(|stored| table::metadata_only(&stored.value))
                    .collect();
                json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items})
                    .to_string()
                    .into_bytes()
            }
            Form::Table => {
                let include = call.query.get("includeObject").unwrap_or("Metadata");
                let row =
                    |stored: &Arc<Stored>| table::row(version, &self.view(&call.kind, version, &stored.value), include);
                let rows: Vec<Value> = listing.objects.iter().map(row).collect();
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    "columnDefinitions": table::columns(version), "rows": rows})
                .to_string()
                .into_bytes()
            }
        }
    }

    /// Items of built-in lists have no kind and apiVersion (§13).
    fn write_item(&self, call: &Call, stored: &Stored, body: &mut Vec<u8>) {
        let is_as_kept = stored.value["apiVersion"] == call.version().api_version.as_str();
        if call.kind.is_custom() {
            self.write_stored(call, stored, body);
        } else if is_as_kept {
            body.extend_from_slice(stored.tail());
        } else {
            let mut view = self.view(&call.kind, call.version(), &stored.value).into_owned();
            if let Some(map) = view.as_object_mut() {
                map.remove("apiVersion");
                map.remove("kind");
            }
            body.extend_from_slice(view.to_string().as_bytes());
        }
    }

    /// Appends an object in the version of the request.
    pub(super) fn write_stored(&self, call: &Call, stored: &Stored, body: &mut Vec<u8>) {
        let version = call.version();
        if stored.value["apiVersion"] == version.api_version.as_str() {
            stored.write(&version.api_version, &call.kind.kind, body);
        } else {
            let view = self.view(&call.kind, version, &stored.value);
            body.extend_from_slice(view.to_string().as_bytes());
        }
    }

    /// The body of an answer that shows one object.
    pub(super) fn show(&self, call: &Call, shown: &Shown) -> Vec<u8> {
        let version = call.version();
        let value = match shown {
            Shown::Stored(stored) if call.form == Form::Plain => {
                let mut body = Vec::with_capacity(stored.tail().len() + 96);
                self.write_stored(call, stored, &mut body);
                return body;
            }
            Shown::Stored(stored) => self.view(&call.kind, version, &stored.value),
            Shown::Value(value) => std::borrow::Cow::Borrowed(&**value),
        };
        if value["kind"] == "Scale" && call.form == Form::Table {
            return table::of_scale(&value).to_string().into_bytes();
        }
        if value["kind"] == "Status" || value["kind"] == "Scale" {
            return value.to_string().into_bytes();
        }
        match call.form {
            Form::Plain => value.to_string().into_bytes(),
            Form::Metadata => table::metadata_only(&value).to_string().into_bytes(),
            Form::Table => {
                let include = call.query.get("includeObject").unwrap_or("Metadata");
                let metadata = json!({ "resourceVersion": value["metadata"]["resourceVersion"] });
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    "columnDefinitions": table::columns(version), "rows": [table::row(version, &value, include)]})
                .to_string()
                .into_bytes()
            }
        }
    }
}
