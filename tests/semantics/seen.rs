//! What earlier answers of a case said, for the requests after them.

use serde_json::Value;
use std::collections::BTreeMap;

/// Names and versions that a later request may use.
pub(crate) struct Seen {
    namespace: String,
    objects: BTreeMap<String, (String, String)>,
    first: String,
    token: String,
}

impl Seen {
    pub(crate) fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            objects: BTreeMap::new(),
            first: String::new(),
            token: String::new(),
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Takes in an answer: of an object its uid and version, of a page its token.
    pub(crate) fn note(&mut self, body: &Value) {
        let text = |name: &str| body["metadata"][name].as_str().unwrap_or_default().to_owned();
        if self.first.is_empty() {
            self.first = text("resourceVersion");
        }
        self.token = text("continue");
        if !text("uid").is_empty() {
            self.objects
                .insert(text("name"), (text("uid"), text("resourceVersion")));
        }
    }

    /// The text with what stands for earlier answers filled in.
    pub(crate) fn filled(&self, text: &str) -> String {
        let mut text = text
            .replace("$NS", &self.namespace)
            .replace("$FIRST", &self.first)
            .replace("$CONTINUE", &self.token);
        for (name, (uid, version)) in &self.objects {
            text = text
                .replace(&format!("$UID:{name}"), uid)
                .replace(&format!("$RV:{name}"), version);
        }
        text
    }
}
