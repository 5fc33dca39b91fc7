//! Bodies in Kubernetes' protobuf form, which stock clients send for built-in kinds
//! (<https://kubernetes.io/docs/reference/using-api/api-concepts/#kubernetes-protobuf-encoding>).
//!
//! In: the bytes of a body. Out: the JSON that the same client would have sent otherwise, and that all else here reads.
//!
//! Invariants:
//! - Nothing that was sent is lost without a word: a field that the table does not have is an error, as an unknown field of
//!   JSON is under strict validation.
//! - Whatever the bytes are, the answer is a value or an error.
//!
//! Deliberately absent: answers in this form. Every client that sends it accepts JSON too.

mod table;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value, json};

use super::status::Refusal;
use super::wall::Moment;
use table::{Field, Form, Message, Table};

/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Whether a body is in this form.
pub(super) fn is_protobuf(body: &[u8]) -> bool {
    body.starts_with(MAGIC)
}

/// Reads a body.
///
/// # Errors
///
/// 400 for bytes that are no such body, and for a kind or a field that is not in the table.
pub(super) fn decode(body: &[u8]) -> Result<Value, Refusal> {
    read(body).map_err(|error| Refusal::bad_request(format!("the protobuf body cannot be read: {error}")))
}

/// Why bytes are no body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum WireError {
    #[error("it does not begin as one")]
    NoMagic,
    #[error("it ends too early")]
    Short,
    #[error("no kind \"{kind}\" is known in version \"{version}\"")]
    UnknownKind { kind: String, version: String },
    #[error("{message} has no field {number}")]
    UnknownField { message: String, number: u64 },
    #[error("field {number} of {message} is of another type")]
    WrongType { message: String, number: u64 },
    #[error("a text in it is not UTF-8")]
    NotUtf8,
    #[error("a JSON document in it cannot be read")]
    NotJson,
}

fn read(body: &[u8]) -> Result<Value, WireError> {
    let rest = body.strip_prefix(MAGIC).ok_or(WireError::NoMagic)?;
    // runtime.Unknown: typeMeta = 1, raw = 2, contentEncoding = 3, contentType = 4; typeMeta: apiVersion = 1, kind = 2.
    let (mut version, mut kind, mut raw, mut content_type) = (String::new(), String::new(), &b""[..], String::new());
    for entry in entries(rest) {
        match entry? {
            (1, Wire::Bytes(bytes)) => {
                for entry in entries(bytes) {
                    match entry? {
                        (1, Wire::Bytes(bytes)) => version = text(bytes)?.to_owned(),
                        (2, Wire::Bytes(bytes)) => kind = text(bytes)?.to_owned(),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            (4, Wire::Bytes(bytes)) => content_type = text(bytes)?.to_owned(),
            _ => {}
        }
    }
    if content_type == "application/json" {
        return serde_json::from_slice(raw).map_err(|_| WireError::NotJson);
    }
    let table = Table::get();
    let message = table.body(&version, &kind).ok_or_else(|| WireError::UnknownKind {
        kind: kind.clone(),
        version: version.clone(),
    })?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), Value::String(version));
    object.insert("kind".to_owned(), Value::String(kind));
    fill(table, message, raw, &mut object)?;
    Ok(Value::Object(object))
}

/// One value as it is on the wire.
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of a message, one after the other.
fn entries(mut rest: &[u8]) -> impl Iterator<Item = Result<(u64, Wire<'_>), WireError>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let entry = next_entry(&mut rest);
        if entry.is_err() {
            rest = &[];
        }
        Some(entry)
    })
}

fn next_entry<'a>(rest: &mut &'a [u8]) -> Result<(u64, Wire<'a>), WireError> {
    let key = varint(rest)?;
    let value = match key & 7 {
        0 => Wire::Varint(varint(rest)?),
        1 => {
            let (bytes, after) = rest.split_first_chunk::<8>().ok_or(WireError::Short)?;
            *rest = after;
            Wire::Fixed64(u64::from_le_bytes(*bytes))
        }
        2 => {
            let length = usize::try_from(varint(rest)?).map_err(|_| WireError::Short)?;
            let (bytes, after) = rest.split_at_checked(length).ok_or(WireError::Short)?;
            *rest = after;
            Wire::Bytes(bytes)
        }
        5 => {
            let (_, after) = rest.split_first_chunk::<4>().ok_or(WireError::Short)?;
            *rest = after;
            Wire::Fixed32
        }
        // Groups, which proto3 does not have.
        _ => return Err(WireError::Short),
    };
    Ok((key >> 3, value))
}

fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(WireError::Short)?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError::Short)
}

fn text(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|_| WireError::NotUtf8)
}

/// Reads the fields of a message into an object.
fn fill(table: &Table, message: &Message, bytes: &[u8], object: &mut Map<String, Value>) -> Result<(), WireError> {
    for entry in entries(bytes) {
        let (number, wire) = entry?;
        let field = message.fields.get(&number).ok_or_else(|| WireError::UnknownField {
            message: message.name.to_owned(),
            number,
        })?;
        let wrong = || WireError::WrongType {
            message: message.name.to_owned(),
            number,
        };
        match (&field.form, wire) {
            (Form::Message(name), Wire::Bytes(bytes)) if field.is_inline => {
                fill(table, table.message(name), bytes, object)?;
            }
            (Form::List(item), Wire::Bytes(bytes)) => {
                let item = value(table, item, &Wire::Bytes(bytes), wrong)?;
                push(object, field.name, item);
            }
            (Form::List(item), wire) => {
                let item = value(table, item, &wire, wrong)?;
                push(object, field.name, item);
            }
            (Form::Map(item), Wire::Bytes(bytes)) => {
                let (key, item) = map_entry(table, item, bytes, wrong)?;
                let map = object.entry(field.name).or_insert_with(|| json!({}));
                if let Value::Object(map) = map {
                    map.insert(key, item);
                }
            }
            (form, wire) => put(object, field, value(table, form, &wire, wrong)?),
        }
    }
    Ok(())
}

fn put(object: &mut Map<String, Value>, field: &Field, value: Value) {
    let is_zero = match &value {
        // A time that is none.
        Value::Null => true,
        Value::Bool(value) => field.omits_zero && !value,
        Value::Number(number) => field.omits_zero && number.as_i64() == Some(0),
        Value::String(text) => field.omits_zero && text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    };
    if !is_zero {
        object.insert(field.name.to_owned(), value);
    }
}

fn push(object: &mut Map<String, Value>, name: &str, item: Value) {
    if let Value::Array(list) = object.entry(name).or_insert_with(|| json!([])) {
        list.push(item);
    }
}

fn map_entry(
    table: &Table,
    item: &Form,
    bytes: &[u8],
    wrong: impl Fn() -> WireError + Copy,
) -> Result<(String, Value), WireError> {
    let mut key = String::new();
    let mut found = None;
    for entry in entries(bytes) {
        match entry? {
            (1, Wire::Bytes(bytes)) => key = text(bytes)?.to_owned(),
            (2, wire) => found = Some(value(table, item, &wire, wrong)?),
            _ => return Err(wrong()),
        }
    }
    let found = match found {
        Some(value) => value,
        None => value(table, item, &Wire::Bytes(b""), wrong)?,
    };
    Ok((key, found))
}

fn value(
    table: &Table,
    form: &Form,
    wire: &Wire<'_>,
    wrong: impl Fn() -> WireError + Copy,
) -> Result<Value, WireError> {
    Ok(match (form, wire) {
        (Form::Text, Wire::Bytes(bytes)) => Value::String(text(bytes)?.to_owned()),
        (Form::Integer, Wire::Varint(number)) => Value::from(number.cast_signed()),
        (Form::Double, Wire::Fixed64(bits)) => {
            Number::from_f64(f64::from_bits(*bits)).map_or(Value::Null, Value::Number)
        }
        (Form::Boolean, Wire::Varint(number)) => Value::Bool(*number != 0),
        (Form::Base64, Wire::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
        (Form::Json, Wire::Bytes(bytes)) => json_document(bytes)?,
        (Form::Quantity, Wire::Bytes(bytes)) => match strings(bytes)?.pop() {
            Some(quantity) if !quantity.is_empty() => Value::String(quantity),
            Some(_) | None => Value::String("0".to_owned()),
        },
        (Form::Strings, Wire::Bytes(bytes)) => json!(strings(bytes)?),
        (Form::Time | Form::MicroTime | Form::Duration | Form::IntOrString, Wire::Bytes(bytes)) => small(form, bytes)?,
        (Form::Message(name), Wire::Bytes(bytes)) => {
            let mut object = Map::new();
            fill(table, table.message(name), bytes, &mut object)?;
            Value::Object(object)
        }
        _ => return Err(wrong()),
    })
}

/// `FieldsV1` and `RawExtension`: a message whose first field is a JSON document.
fn json_document(bytes: &[u8]) -> Result<Value, WireError> {
    for entry in entries(bytes) {
        if let (1, Wire::Bytes(bytes)) = entry? {
            return serde_json::from_slice(bytes).map_err(|_| WireError::NotJson);
        }
    }
    Ok(Value::Null)
}

/// A message whose first field is a text, or several.
fn strings(bytes: &[u8]) -> Result<Vec<String>, WireError> {
    let mut found = Vec::new();
    for entry in entries(bytes) {
        if let (1, Wire::Bytes(bytes)) = entry? {
            found.push(text(bytes)?.to_owned());
        }
    }
    Ok(found)
}

/// Messages of two or three numbers that are one value in JSON.
fn small(form: &Form, bytes: &[u8]) -> Result<Value, WireError> {
    let (mut first, mut second, mut third) = (0i64, 0i64, String::new());
    for entry in entries(bytes) {
        match entry? {
            (1, Wire::Varint(number)) => first = number.cast_signed(),
            (2, Wire::Varint(number)) => second = number.cast_signed(),
            (3, Wire::Bytes(bytes)) => third = text(bytes)?.to_owned(),
            _ => {}
        }
    }
    Ok(match form {
        // type = 1 (0: a number), intVal = 2, strVal = 3.
        Form::IntOrString if first == 0 => Value::from(second),
        Form::IntOrString => Value::String(third),
        Form::Duration => Value::String(format!("{first}ns")),
        // seconds = 1, nanos = 2; both zero is no time at all.
        _ if first == 0 && second == 0 => Value::Null,
        Form::MicroTime => json!(moment(first, second).to_micros()),
        _ => json!(moment(first, 0).to_seconds()),
    })
}

fn moment(seconds: i64, nanos: i64) -> Moment {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    Moment::since_epoch(seconds, u32::try_from(nanos).unwrap_or_default().min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `kubectl create deployment d --image=i -n a` of v1.32.4 sends, as `-v=8` shows it.
    const DEPLOYMENT: &str = "6b3873000a150a07617070732f7631120a4465706c6f796d656e74129c010a1c0a016412001a01612200\
        2a003200380042005a080a036170701201641 26e0801120a0a080a036170701201641a560a1a0a0012001a0022002a00320038004200\
        5a080a036170701201641238121a0a016912016 92a0042006a00720080010088010090 0100a201001a00320042004a005200580060\
        006800820100 8a01009a0100c201002202 0a00280038001a0c0800100018002000280038001a002200";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(text, 16).expect("hexadecimal")
        };
        digits.chunks(2).map(pair).collect()
    }

    #[test]
    fn what_kubectl_sends_is_the_json_it_would_have_sent() {
        let expected = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "d", "namespace": "a", "labels": {"app": "d"}},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "strategy": {},
                "template": {
                    "metadata": {"labels": {"app": "d"}},
                    "spec": {"containers": [{"name": "i", "image": "i", "resources": {}}]},
                },
            },
            "status": {},
        });
        assert_eq!(read(&bytes(DEPLOYMENT)), Ok(expected));
    }

    #[test]
    fn a_body_that_was_cut_is_refused() {
        let whole = bytes(DEPLOYMENT);
        // The object begins at 30; the envelope goes on after it with two empty texts.
        for length in 30..whole.len() - 4 {
            assert_eq!(read(&whole[..length]), Err(WireError::Short), "{length}");
        }
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let body = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Foo\x12\x00";
        let error = read(body).expect_err("no such kind");
        assert_eq!(error.to_string(), "no kind \"Foo\" is known in version \"v1\"");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let whole = bytes(DEPLOYMENT);
            let body = [&whole[..31], &tail].concat();
            drop(read(&body));
        }
    }
}
