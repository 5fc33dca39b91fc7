//! Named forms of texts (<https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library>): `validate`
//! gives no value for a text that has the form, else what is wrong with it.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use cel::Value;
use cel::common::types::{STRING_TYPE, Type};
use cel::objects::{Opaque, OptionalValue};
use regex::Regex;

use super::{Function, answer, arguments, inner, opaque, text, url};

const FORMAT: &str = "kubernetes.NamedFormat";

/// One form.
#[derive(Clone, Copy, Debug)]
struct Format {
    name: &'static str,
    is_met: fn(&str) -> bool,
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl Opaque for Format {
    fn runtime_type_name(&self) -> &str {
        FORMAT
    }
}

macro_rules! formats {
    ($($constant:ident $name:literal $met:expr;)*) => {
        $(const $constant: Format = Format { name: $name, is_met: $met };)*
        /// Every form there is.
        const ALL: &[Format] = &[$($constant),*];
        fn constructors() -> Vec<Function> {
            vec![$(Function::global(concat!("format.", $name), vec![], |_| opaque($constant))),*]
        }
    };
}

// The forms and what they demand: https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation
formats! {
    LABEL "dns1123Label" |text| text.len() <= 63 && is_label(text);
    SUBDOMAIN "dns1123Subdomain" |text| text.len() <= 253 && text.split('.').all(is_label);
    OLD_LABEL "dns1035Label" |text| text.len() <= 63 && is_old_label(text);
    QUALIFIED_NAME "qualifiedName" is_qualified;
    LABEL_PREFIX "dns1123LabelPrefix" |text| text.len() <= 63 && is_label(text.trim_end_matches('-'));
    SUBDOMAIN_PREFIX "dns1123SubdomainPrefix" |text| {
        text.len() <= 253 && text.trim_end_matches('-').split('.').all(is_label)
    };
    OLD_LABEL_PREFIX "dns1035LabelPrefix" |text| text.len() <= 63 && is_old_label(text.trim_end_matches('-'));
    LABEL_VALUE "labelValue" |text| text.is_empty() || is_name(text);
    URI "uri" url::is_read;
    UUID "uuid" |text| UUID_FORM.is_match(text);
    BYTE "byte" |text| base64::engine::general_purpose::STANDARD.decode(text).is_ok();
    DATE "date" |text| DATE_FORM.is_match(text);
    DATE_TIME "datetime" |text| super::super::validate::is_of_format("date-time", text);
}

static UUID_FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$").expect("an expression")
});
static DATE_FORM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$").expect("an expression"));

fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_old_label(text: &str) -> bool {
    is_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_name(text: &str) -> bool {
    let is_inner = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let is_outer = |character: char| character.is_ascii_alphanumeric();
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(is_inner)
        && text.starts_with(is_outer)
        && text.ends_with(is_outer)
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => (SUBDOMAIN.is_met)(prefix) && is_name(name),
        None => is_name(text),
    }
}

pub(super) fn functions() -> Vec<Function> {
    let mut functions = constructors();
    functions.push(Function::global("format.named", vec![STRING_TYPE], |given| {
        let [name] = arguments(&given)?;
        let name = text(&name)?;
        let found = ALL.iter().find(|format| format.name == name);
        let found = found.map(|format| OptionalValue::of(Value::Opaque(Arc::new(*format))));
        opaque(found.unwrap_or_else(OptionalValue::none))
    }));
    functions.push(Function::member(
        "validate",
        vec![Type::new_opaque_type(FORMAT), STRING_TYPE],
        |given| {
            let [format, value] = arguments(&given)?;
            let format = inner::<Format>(&format, FORMAT)?;
            if (format.is_met)(text(&value)?) {
                return opaque(OptionalValue::none());
            }
            let wrong = Value::from(format!("must be a valid {}", format.name));
            answer(Value::Opaque(Arc::new(OptionalValue::of(Value::List(Arc::new(vec![
                wrong,
            ]))))))
        },
    ));
    functions
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use serde_json::json;

    #[test]
    fn a_text_of_the_form_has_nothing_wrong() {
        holds(
            &[
                "!format.dns1123Subdomain().validate('a.b-c').hasValue() && format.dns1123Subdomain().validate('A').hasValue()",
                "!format.dns1123Label().validate('a').hasValue() && format.dns1123Label().validate('a.b').hasValue()",
                "format.dns1035Label().validate('1a').hasValue() && !format.dns1035Label().validate('a1').hasValue()",
                "!format.qualifiedName().validate('x.io/Name').hasValue() && format.qualifiedName().validate('/n').hasValue()",
                "!format.labelValue().validate('').hasValue() && !format.uri().validate('https://a').hasValue()",
                "format.uuid().validate('x').hasValue() && !format.byte().validate('aGk=').hasValue()",
                "format.named('dns1123Label').hasValue() && !format.named('x').hasValue()",
                "format.date().validate('2026-13-01').hasValue() && !format.date().validate('2026-11-30').hasValue()",
            ],
            &json!(null),
        );
    }
}
