//! URLs, as Go reads the target of a request (<https://pkg.go.dev/net/url#ParseRequestURI>): absolute, or an absolute
//! path (<https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library>).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::common::types::{STRING_TYPE, Type};
use cel::objects::{Key, Map, Opaque};
use cel::{ExecutionError, Value};

use super::{Function, answer, arguments, inner, opaque, text};

const URL: &str = "kubernetes.URL";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Url {
    scheme: String,
    /// With its port, without the user.
    host: String,
    path: String,
    query: String,
}

impl Opaque for Url {
    fn runtime_type_name(&self) -> &str {
        URL
    }
}

pub(super) fn functions() -> Vec<Function> {
    let of = || vec![Type::new_opaque_type(URL)];
    vec![
        Function::global("isURL", vec![STRING_TYPE], |given| {
            let [url] = arguments(&given)?;
            answer(Url::read(text(&url)?).is_some())
        }),
        Function::global("url", vec![STRING_TYPE], |given| {
            let [url] = arguments(&given)?;
            let url = text(&url)?;
            let error = || {
                ExecutionError::function_error("url", format!("URL parse error during conversion from string: {url:?}"))
            };
            opaque(Url::read(url).ok_or_else(error)?)
        }),
        Function::member("getScheme", of(), |given| {
            let [url] = arguments(&given)?;
            answer(inner::<Url>(&url, URL)?.scheme.clone())
        }),
        Function::member("getHost", of(), |given| {
            let [url] = arguments(&given)?;
            answer(inner::<Url>(&url, URL)?.host.clone())
        }),
        Function::member("getHostname", of(), |given| {
            let [url] = arguments(&given)?;
            let (name, _) = split_port(&inner::<Url>(&url, URL)?.host);
            answer(name.trim_start_matches('[').trim_end_matches(']').to_owned())
        }),
        Function::member("getPort", of(), |given| {
            let [url] = arguments(&given)?;
            let (_, port) = split_port(&inner::<Url>(&url, URL)?.host);
            answer(port.to_owned())
        }),
        Function::member("getEscapedPath", of(), |given| {
            let [url] = arguments(&given)?;
            answer(inner::<Url>(&url, URL)?.path.replace(' ', "%20"))
        }),
        Function::member("getQuery", of(), |given| {
            let [url] = arguments(&given)?;
            answer(query_of(&inner::<Url>(&url, URL)?.query))
        }),
    ]
}

/// Whether it can be read.
pub(super) fn is_read(text: &str) -> bool {
    Url::read(text).is_some()
}

/// A host and its port, which is digits behind the last colon outside of brackets.
fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    }
}

fn query_of(query: &str) -> Value {
    let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        values
            .entry(decoded(name))
            .or_default()
            .push(Value::from(decoded(value)));
    }
    let entry = |(name, list)| (Key::String(Arc::new(name)), Value::List(Arc::new(list)));
    let map: HashMap<Key, Value> = values.into_iter().map(entry).collect();
    Value::Map(Map { map: Arc::new(map) })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let value = std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(value.unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Url {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            // A colon in the first segment of a path that is not absolute.
            Some((before, _)) if !before.starts_with('/') => return None,
            _ => (String::new(), text),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !rest.starts_with('/') {
            // Rootless and with a scheme, it is opaque: it has no host and no path.
            let query = query.to_owned();
            return (!scheme.is_empty()).then_some(Self {
                scheme,
                query,
                ..Self::default()
            });
        }
        let (authority, path) = match rest
            .strip_prefix("//")
            .filter(|_| !scheme.is_empty() || !rest.starts_with("///"))
        {
            Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
            None => ("", rest),
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (name, port) = split_port(host);
        let is_host = |character: char| {
            character.is_ascii_alphanumeric() || !character.is_ascii() || "-_.~!$&'()*+,;=:[]<>\"%".contains(character)
        };
        let is_good = port.bytes().all(|byte| byte.is_ascii_digit())
            && name.chars().all(is_host)
            && name.contains('[') == name.ends_with(']')
            && is_well_escaped(path);
        is_good.then(|| Self {
            scheme,
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

/// Every percent sign has two hexadecimal digits behind it.
fn is_well_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use serde_json::json;

    #[test]
    fn urls_are_read_as_go_reads_the_target_of_a_request() {
        holds(
            &[
                "isURL('https://a.example.com:8443/p?q=1') && isURL('/absolute') && isURL('tcp://h:1') && isURL('urn:x:y')",
                "!isURL('a.example.com') && !isURL('../x') && !isURL('') && !isURL('http://a b/') && !isURL('http://a:x/') && !isURL('http://a/%zz')",
                "url('HTTPS://u:p@a.example.com:8443/p%20q?k=1&k=2').getScheme() == 'https'",
                "url('https://u:p@a.example.com:8443/p').getHost() == 'a.example.com:8443'",
                "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
                "url('https://a/p%20q').getEscapedPath() == '/p%20q' && url('/p').getHost() == ''",
                "url('https://a/?k=1&k=a+b').getQuery() == {'k': ['1', 'a b']} && url('https://a').getQuery() == {}",
            ],
            &json!(null),
        );
    }
}
