//! `authentication`: stands for the cluster authentication operator: the OAuth server takes over the users of identity
//! providers, and the cluster says so while it does.
//!
//! Source: reference/serving.md §1.14, §0.4 (about 30 s after a change of htpasswd), I1;
//! <https://github.com/openshift/cluster-authentication-operator> (it copies the Secrets of identity providers into
//! `openshift-authentication`, each by its place in the list).
//!
//! Invariants:
//! - The ClusterOperator `authentication` says Progressing before a copy is renewed, and until the OAuth server runs with
//!   it: whoever sees a copy that is current and no Progressing sees users that can log in.
//! - What was copied is in the cluster alone, so a restart copies nothing anew.
//!
//! Left out: the OAuth server itself and its pods, providers but htpasswd.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{CLUSTER_OPERATOR, OAUTH, SECRET};
use super::object::{Read, object};
use super::turn::{Turn, condition};
use crate::faults::FaultName;

const NAME: &str = "authentication";
const SOURCE: &str = "openshift-config";
const COPIES: &str = "openshift-authentication";
/// From a change to an OAuth server that knows it (reference/serving.md §0.4).
const ROLLOUT_SECONDS: u64 = 30;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let (Some(operator), Some(oauth)) = (
        turn.world.get(CLUSTER_OPERATOR, "", NAME).cloned(),
        turn.world.get(OAUTH, "", "cluster").cloned(),
    ) else {
        return;
    };
    // Pods that cannot roll out say so from the first look on.
    let stuck = turn.faults.on(FaultName::LoginsStuck);
    if stuck && !operator.is("Progressing") {
        say(turn, &operator, true);
        return;
    }
    let stale = stale(turn, &oauth);
    if !stale.is_empty() && !operator.is("Progressing") {
        say(turn, &operator, true);
    } else if !stale.is_empty() {
        for copy in stale {
            turn.ensure(SECRET, copy);
        }
    } else if operator.is("Progressing") && !stuck && turn.held("rollout", ROLLOUT_SECONDS) {
        say(turn, &operator, false);
    }
}

/// Returns the copies that are to be written: of every htpasswd document that differs from its copy.
fn stale(turn: &Turn<'_>, oauth: &Value) -> Vec<Value> {
    let providers = oauth.list("/spec/identityProviders").iter().enumerate();
    providers
        .filter_map(|(index, provider)| {
            let source: &Arc<Value> = turn
                .world
                .get(SECRET, SOURCE, provider.text("/htpasswd/fileData/name"))?;
            let name = format!("v4-0-config-user-idp-{index}-file-data");
            let copied = turn
                .world
                .get(SECRET, COPIES, &name)
                .map(|copy| &copy["data"]["htpasswd"]);
            let users = source["data"].get("htpasswd")?;
            let copy = json!({"type": "Opaque", "data": {"htpasswd": users}});
            (copied != Some(users)).then(|| object(SECRET, COPIES, &name, copy))
        })
        .collect()
}

fn say(turn: &mut Turn<'_>, operator: &Value, progressing: bool) {
    let (reason, why) = if progressing {
        (
            "OAuthServerDeployment_NewGeneration",
            "OAuthServerDeploymentProgressing: the OAuth server is rolled out",
        )
    } else {
        ("AsExpected", "AuthenticatorCertKeyProgressing: All is well")
    };
    let conditions = [condition("Progressing", progressing, reason, why)];
    turn.status(CLUSTER_OPERATOR, operator, json!({"conditions": conditions}));
}
