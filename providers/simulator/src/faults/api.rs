//! What the API server is told of the faults: it knows Kubernetes, and none of our words.

use std::time::Duration;

use super::amount::Amount;
use super::{Fault, FaultName};
use crate::apiserver::{DEFAULT_SEED, Trouble};
use crate::operators;

/// The trouble that these faults mean. The operators are spared: theirs is what faults of their own say, and a slow
/// network between them and the server would only make every test slower.
pub(crate) fn trouble(faults: &[Fault]) -> Trouble {
    let amount = |name: FaultName| {
        let mut named = faults.iter().filter(move |fault| fault.name == name);
        named.find_map(|fault| fault.amount)
    };
    let percent = |name: FaultName| match amount(name) {
        Some(Amount::Percent(percent)) => Some(percent),
        Some(Amount::Duration(_) | Amount::Number(_)) | None => None,
    };
    let duration = |name: FaultName| match amount(name) {
        Some(Amount::Duration(duration)) => Some(duration),
        Some(Amount::Percent(_) | Amount::Number(_)) | None => None,
    };
    let dropped_after = duration(FaultName::DroppedWatches);
    let expired_after = duration(FaultName::ExpiredWatches);
    Trouble {
        latency: duration(FaultName::Latency).unwrap_or(Duration::ZERO),
        throttled: percent(FaultName::Throttled),
        errors: percent(FaultName::Errors),
        unavailable: percent(FaultName::Unavailable),
        conflicts: percent(FaultName::Conflicts),
        dropped_connections: percent(FaultName::DroppedConnections),
        dropped_watches: percent(FaultName::DroppedWatches),
        watches_last: dropped_after.into_iter().chain(expired_after).min(),
        history_is_gone: expired_after.is_some(),
        webhook_timeouts: targets(faults, FaultName::WebhookTimeouts)
            .filter(|target| !is_webhook(target))
            .map(str::to_owned)
            .collect(),
        spared: operators::identities().map(|(_, user)| user).collect(),
        seed: match amount(FaultName::Seed) {
            Some(Amount::Number(seed)) => seed,
            Some(Amount::Percent(_) | Amount::Duration(_)) | None => DEFAULT_SEED,
        },
    }
}

/// The webhooks of the platform's own operators that time out, by name. They are called for everybody's writes.
pub(crate) fn silent_webhooks(faults: &[Fault]) -> impl Iterator<Item = &str> {
    targets(faults, FaultName::WebhookTimeouts).filter(|target| is_webhook(target))
}

/// A webhook's name is a domain name (`admissionregistration.k8s.io`); no kind holds a dot.
fn is_webhook(target: &str) -> bool {
    target.contains('.')
}

fn targets(faults: &[Fault], name: FaultName) -> impl Iterator<Item = &str> {
    let named = faults.iter().filter(move |fault| fault.name == name);
    named.map(|fault| fault.target.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::Percent;

    fn of(texts: &[&str]) -> Trouble {
        let faults: Vec<Fault> = texts.iter().map(|text| text.parse().expect("a fault")).collect();
        trouble(&faults)
    }

    #[test]
    fn faults_of_the_cluster_are_no_trouble_of_the_server() {
        assert_eq!(of(&["stopped@olm"]), of(&[]));
    }

    #[test]
    fn numbers_arrive_and_operators_are_spared() {
        let trouble = of(&[
            "errors@5%",
            "dropped-watches@3s",
            "expired-watches@2s",
            "seed@9",
            "webhook-timeouts@Tenant",
        ]);
        assert_eq!(trouble.errors, Percent::new(5));
        assert_eq!(trouble.watches_last, Some(Duration::from_secs(2)));
        assert!(trouble.history_is_gone);
        assert_eq!(trouble.seed, 9);
        assert_eq!(trouble.webhook_timeouts, ["Tenant"]);
        assert!(trouble.spared.contains(&"operator:olm".to_owned()));
    }
}
