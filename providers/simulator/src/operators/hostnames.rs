//! Whether the host names of a route and of a listener meet.
//!
//! Source: Gateway API, `HTTPRouteSpec.hostnames` and `Listener.hostname`
//! (<https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec>): whoever names no host means every host; `*.` at the
//! front stands for one label or more, so `*.example.com` meets `a.b.example.com` and not `example.com`.
//!
//! Invariant: [`meet`] is symmetric: which of the two is the listener's makes no difference.

/// Returns whether some host is named by both; an empty text names every host.
pub(crate) fn meet(one: &str, other: &str) -> bool {
    if one.is_empty() || other.is_empty() {
        return true;
    }
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (None, None) => one == other,
        (Some(suffix), None) => is_below(&other, suffix),
        (None, Some(suffix)) => is_below(&one, suffix),
        // Of two suffixes that meet, one ends in the other.
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
    }
}

/// Returns whether a host has at least one label in front of a suffix that begins with a dot.
fn is_below(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|labels| !labels.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label_or_more() {
        for (one, other, meets) in [
            ("", "", true),
            ("", "maas.apps.example.com", true),
            ("maas.apps.example.com", "maas.apps.example.com", true),
            ("MaaS.apps.example.com", "maas.apps.example.com", true),
            ("maas.apps.example.com", "inference.apps.example.com", false),
            ("*.apps.example.com", "maas.apps.example.com", true),
            ("*.apps.example.com", "a.b.apps.example.com", true),
            ("*.apps.example.com", "apps.example.com", false),
            ("*.apps.example.com", "maasapps.example.com", false),
            ("*.apps.example.com", "*.example.com", true),
            ("*.apps.example.com", "*.apps.example.org", false),
            ("*.apps.example.com", "*.maas.apps.example.com", true),
        ] {
            assert_eq!(meet(one, other), meets, "{one} and {other}");
            assert_eq!(meet(other, one), meets, "{other} and {one}");
        }
    }
}
