//! Events, which two groups serve: the same objects, with other names of fields.
//!
//! Source: <https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/events/v1/conversion.go>.

use std::sync::Arc;

use serde_json::Value;

use super::Version;
use crate::apiserver::schema::Schema;

pub(super) const GROUP: &str = "events.k8s.io";

/// Names in the older group, and in the newer.
const NAMES: [(&str, &str); 8] = [
    ("message", "note"),
    ("involvedObject", "regarding"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingInstance", "reportingInstance"),
];

/// The version of the older group, beside the newer one.
pub(super) fn older(newer: &Version, schema: Arc<Schema>) -> Version {
    Version {
        name: "v1".to_owned(),
        api_version: "v1".to_owned(),
        schema,
        ..newer.clone()
    }
}

/// Gives the fields of an event the names of the version that it was just given.
pub(super) fn convert(object: &mut Value) {
    let to_newer = object["apiVersion"] == "events.k8s.io/v1";
    let Some(map) = object.as_object_mut() else { return };
    for (older, newer) in NAMES {
        let (from, to) = if to_newer { (older, newer) } else { (newer, older) };
        if let Some(value) = map.remove(from) {
            map.insert(to.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_has_the_names_of_its_group() {
        let older = json!({"apiVersion": "v1", "kind": "Event", "message": "m", "count": 2, "type": "Normal"});
        let mut event = older.clone();
        event["apiVersion"] = json!("events.k8s.io/v1");
        convert(&mut event);
        assert_eq!(event["note"], "m");
        assert_eq!(event["deprecatedCount"], 2);
        event["apiVersion"] = json!("v1");
        convert(&mut event);
        assert_eq!(event, older);
    }
}
