//! The proxy of a Gateway: which rule of which HTTPRoute takes a call, what the rule changes, and which backend gets it.
//!
//! Source: Gateway API, `HTTPRouteRule` (<https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule>): of several that
//! match, the most specific host, then an exact path, then the longest prefix, then method, headers and queries decide, then
//! the older route; reference/serving.md §1.3.4 and §1.15 (rewrites), §1.4 (weights).
//!
//! Invariants:
//! - Only a route that is Accepted by the Gateway takes calls.
//! - Of `n` calls a backend of weight `w` gets about `n · w / Σ weights`, spread evenly.
//!
//! Left out: redirects, mirrors, filters of implementations, timeouts.

use std::cmp::Reverse;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::call::Call;
use super::router::Entrance;
use crate::operators::accepted_by;
use crate::operators::hostnames;
use crate::operators::kinds::HTTP_ROUTE;
use crate::operators::object::Read;
use crate::operators::world::World;

/// The rule that takes a call.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) route: Arc<Value>,
    pub(super) rule: Value,
    /// The prefix that matched, which a rewrite may replace.
    prefix: String,
}

/// Returns the rule that takes a call, if one does.
pub(super) fn taken(world: &World, entrance: &Entrance, call: &Call) -> Option<Taken> {
    let hostname = entrance.listener.text("/hostname");
    if !hostnames::meet(hostname, &call.host) {
        return None;
    }
    let routes = world.list(HTTP_ROUTE).filter(|route| {
        !route.is_deleting() && accepted_by(route, &entrance.gateway) && names_listener(route, entrance)
    });
    let mut best: Option<(Rank<'_>, Taken)> = None;
    for route in routes {
        let Some(host) = best_host(route, &call.host) else {
            continue;
        };
        for rule in route.list("/spec/rules") {
            for matched in matches(rule) {
                let Some((path, prefix)) = path_rank(&matched["path"], &call.path) else {
                    continue;
                };
                let Some(others) = others_rank(&matched, call) else {
                    continue;
                };
                let rank = (
                    host,
                    path,
                    others,
                    Reverse((
                        route.text("/metadata/creationTimestamp"),
                        route.namespace(),
                        route.name(),
                    )),
                );
                if best.as_ref().is_none_or(|(best, _)| rank > *best) {
                    let taken = Taken {
                        route: Arc::clone(route),
                        rule: rule.clone(),
                        prefix,
                    };
                    best = Some((rank, taken));
                }
            }
        }
    }
    best.map(|(_, taken)| taken)
}

/// How specific a match is: host, path, then method, headers and queries; older routes first.
type Rank<'a> = (
    usize,
    (bool, usize),
    (bool, usize, usize),
    Reverse<(&'a str, &'a str, &'a str)>,
);

/// Returns whether a route is attached to the listener; one that names none is attached to all.
fn names_listener(route: &Value, entrance: &Entrance) -> bool {
    route.list("/spec/parentRefs").iter().any(|reference| {
        let section = reference.text("/sectionName");
        reference.text("/name") == entrance.gateway.name()
            && (section.is_empty() || section == entrance.listener.text("/name"))
    })
}

/// Returns the length of the route's most specific host that meets the one that was asked for.
fn best_host(route: &Value, host: &str) -> Option<usize> {
    let hosts = route.list("/spec/hostnames");
    if hosts.is_empty() {
        return Some(0);
    }
    let meeting = hosts
        .iter()
        .map(|one| one.text(""))
        .filter(|one| hostnames::meet(one, host));
    meeting.map(str::len).max()
}

/// A rule without matches matches every path.
fn matches(rule: &Value) -> Vec<Value> {
    let matches = rule.list("/matches");
    if matches.is_empty() {
        vec![Value::Null]
    } else {
        matches.to_vec()
    }
}

fn path_rank(wanted: &Value, path: &str) -> Option<((bool, usize), String)> {
    let value = match wanted.text("/value") {
        "" => "/",
        value => value,
    };
    match wanted.text("/type") {
        "Exact" => (path == value).then(|| ((true, value.len()), value.to_owned())),
        "RegularExpression" => Regex::new(&format!("^(?:{value})$"))
            .ok()?
            .is_match(path)
            .then(|| ((false, value.len()), String::new())),
        _ => {
            let prefix = value.trim_end_matches('/');
            let rest = path.strip_prefix(prefix)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| ((false, value.len()), prefix.to_owned()))
        }
    }
}

fn others_rank(matched: &Value, call: &Call) -> Option<(bool, usize, usize)> {
    let method = matched.text("/method");
    let (headers, queries) = (matched.list("/headers"), matched.list("/queryParams"));
    let fits = |wanted: &Value, has: &str| match wanted.text("/type") {
        "RegularExpression" => {
            Regex::new(&format!("^(?:{})$", wanted.text("/value"))).is_ok_and(|regex| regex.is_match(has))
        }
        _ => wanted.text("/value") == has,
    };
    let query = |name: &str| {
        let pairs = call.query.as_deref().unwrap_or_default().split('&');
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let all = (method.is_empty() || method == call.method.as_str())
        && headers
            .iter()
            .all(|wanted| fits(wanted, call.header(&wanted.text("/name").to_ascii_lowercase())))
        && queries
            .iter()
            .all(|wanted| query(wanted.text("/name")).is_some_and(|has| fits(wanted, has)));
    all.then_some((!method.is_empty(), headers.len(), queries.len()))
}

impl Taken {
    /// Returns the backend whose turn it is; none if the rule has none with a weight.
    pub(super) fn backend(&self, turn: u32) -> Option<&Value> {
        let backends = self.rule.list("/backendRefs");
        let weight = |backend: &Value| backend.number("/weight").unwrap_or(1).max(0);
        let all: i64 = backends.iter().map(weight).sum();
        if all == 0 {
            return None;
        }
        // Steps of the golden ratio fall into each part as often as it is large, and never twice in a row into a small one.
        let step = (f64::from(turn) * 0.618_033_988_749_895).fract();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "weights are at most a million"
        )]
        let place = (step * all as f64) as i64;
        let mut upto = 0;
        backends.iter().find(|backend| {
            upto += weight(backend);
            place < upto
        })
    }

    /// Changes a call as the rule says before it goes to its backend.
    pub(super) fn rewrite(&self, call: &mut Call) {
        for filter in self.rule.list("/filters") {
            match filter.text("/type") {
                "URLRewrite" => {
                    let path = &filter["urlRewrite"]["path"];
                    match path.text("/type") {
                        "ReplacePrefixMatch" => {
                            let rest = call.path.strip_prefix(self.prefix.as_str()).unwrap_or_default();
                            let replaced = path.text("/replacePrefixMatch").trim_end_matches('/');
                            let joined = format!("{replaced}{rest}");
                            call.path = if joined.is_empty() { "/".to_owned() } else { joined };
                        }
                        "ReplaceFullPath" => path.text("/replaceFullPath").clone_into(&mut call.path),
                        _ => {}
                    }
                    if let Some(host) = filter.pointer("/urlRewrite/hostname").and_then(Value::as_str) {
                        host.clone_into(&mut call.host);
                    }
                }
                "RequestHeaderModifier" => {
                    let change = &filter["requestHeaderModifier"];
                    for header in change.list("/set").iter().chain(change.list("/add")) {
                        if header.text("/name").eq_ignore_ascii_case("host") {
                            header.text("/value").clone_into(&mut call.host);
                        }
                        call.set(header.text("/name"), header.text("/value"));
                    }
                    for name in change.list("/remove") {
                        call.set(name.text(""), "");
                    }
                }
                _ => {}
            }
        }
    }
}
