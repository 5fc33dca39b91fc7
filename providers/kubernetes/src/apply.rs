//! Server-side apply.
//!
//! The server tells creation from change by the status code alone (ssa-semantics §4, §7): 201 or 200.

use crate::{
    KubernetesProvider,
    client::{Ask, about},
    path,
    transport::Accepts,
};
use bytes::Bytes;
use http::Method;
use serde::Serialize as _;
use serde_json::{Serializer, Value, ser::Formatter};
use stackctl_engine::execute::{ApplyAnswer, ApplyRequest, ProviderError};
use std::io;

/// Sends the body as it is. `fieldValidation=Strict` is asked for although servers were seen to refuse what the schema
/// does not know either way (ssa-semantics §8).
pub(crate) async fn apply(provider: &KubernetesProvider, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
    let query = [
        ("fieldManager", Some(request.manager.as_str())),
        ("force", request.force.then_some("true")),
        ("dryRun", request.dry_run.then_some("All")),
        ("fieldValidation", Some("Strict")),
    ];
    let ask = Ask {
        subject: about(&request.object),
        method: Method::PATCH,
        path: |served: &_| Ok(path::with_query(path::of_object(&request.object, served)?, &query)),
        content: Some(("application/apply-patch+yaml", yaml_bytes(&request.body)?)),
        only_asks: request.dry_run,
        accepts: Accepts::Whole,
    };
    let accepted = provider.accepted(ask).await?;
    let subject = about(&request.object);
    Ok(ApplyAnswer {
        object: provider
            .transport()
            .parse(&request.object.to_string(), &accepted.body)?,
        created: accepted.created,
        warnings: accepted.warnings.iter().map(|text| subject.shown(text)).collect(),
    })
}

/// JSON that a YAML parser reads as the same value: the server knows an apply only as YAML.
fn yaml_bytes(body: &Value) -> Result<Bytes, ProviderError> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, JsonAsYaml);
    let written = body.serialize(&mut serializer);
    written.map_err(|error| ProviderError::Other(format!("the body cannot be written as JSON: {error}")))?;
    Ok(Bytes::from(bytes))
}

/// Writes as numbers the few characters that JSON allows bare and YAML does not, or folds into a space
/// (YAML 1.2 §5.1 `c-printable`, YAML 1.1 §4.2 line breaks: DEL, C1, LS, PS, BOM and the two noncharacters).
struct JsonAsYaml;

impl Formatter for JsonAsYaml {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices() {
            if matches!(
                character,
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            ) {
                writer.write_all(&fragment.as_bytes()[written..at])?;
                write!(writer, "\\u{:04x}", u32::from(character))?;
                written = at + character.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_json_without_what_yaml_would_change() {
        let body = json!({"a": "del\u{7f} nel\u{85} ls\u{2028} ü 🦀 \"q\" \n"});
        let bytes = yaml_bytes(&body).expect("any value can be written");
        assert_eq!(
            bytes,
            "{\"a\":\"del\\u007f nel\\u0085 ls\\u2028 ü 🦀 \\\"q\\\" \\n\"}".as_bytes()
        );
        assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("JSON"), body);
    }
}
