//! Facts of no cluster, for what can be said of a stack without one.

use super::{PIPELINES, PIPELINES_CHANNEL, SERVICE_MESH, key, wanted};
use crate::stack::{OpenShift, Platform, Stack};
use serde_json::{Value, json};
use stackctl_engine::facts::{Fact, Facts};

/// Returns facts that a stack compiles with, of a cluster that there is not.
///
/// Each has the form that a cluster gives it, so objects that are made with them have the form of those that will be
/// applied; not one of their values is to be believed.
#[must_use]
pub fn stand_ins(stack: &Stack) -> Facts {
    let mut facts = Facts::default();
    let Some(openshift) = &stack.openshift else {
        return facts;
    };
    for request in wanted(stack) {
        let fact = Fact {
            value: stand_in(&request.key, openshift),
            source: "no cluster: it stands in".to_owned(),
            holding: request.holding,
        };
        facts.insert(&request.key, fact);
    }
    facts
}

/// The tested target (`reference/platform.md` §0), or the first version that the stack accepts.
fn version(stack: &OpenShift) -> String {
    const TARGET: &str = "4.21.3";
    let others = (4..=5).flat_map(|major| (0..100).map(move |minor| format!("{major}.{minor}.0")));
    let mut all = std::iter::once(TARGET.to_owned()).chain(others);
    let accepted = all.find(|version| stack.cluster.openshift.accepts(version));
    accepted.unwrap_or_else(|| TARGET.to_owned())
}

fn stand_in(wanted: &str, stack: &OpenShift) -> Value {
    let apps = match &stack.cluster.apps_domain {
        Some(domain) => domain.to_string(),
        None => "apps.cluster.example.com".to_owned(),
    };
    let head = |channel: &str, csv: &str| json!([{"name": channel, "currentCSV": csv}]);
    let package = |name: &str| key::channels(name) == wanted;
    match wanted {
        key::CLUSTER_ID | key::CLUSTER_VERSION_ID => json!("00000000-0000-4000-8000-000000000000"),
        key::OPENSHIFT => json!(version(stack)),
        key::PLATFORM => json!(match stack.cluster.platform {
            Platform::Aws => "AWS",
            Platform::None => "None",
        }),
        key::REGION => json!("eu-west-1"),
        key::INFRASTRUCTURE => json!("cluster-00000"),
        key::BASE_DOMAIN => json!(apps.strip_prefix("apps.").unwrap_or(&apps)),
        key::APPS_DOMAIN => json!(apps),
        key::AMI => json!("ami-00000000000000000"),
        key::STORAGE_CLASS => json!("default"),
        key::IDENTITY_PROVIDERS => {
            json!([{"name": "local", "type": "HTPasswd", "htpasswd": {"fileData": {"name": "htpasswd"}}}])
        }
        // No version is known to be in a channel, so none is asked to be.
        _ if package("rhods-operator") => json!([]),
        _ if wanted == key::default_channel("nfd") => json!("stable"),
        _ if wanted == key::default_channel("gpu-operator-certified") => json!("stable"),
        _ if package("nfd") => head("stable", "nfd.v0.0.0"),
        _ if package("gpu-operator-certified") => head("stable", "gpu-operator-certified.v0.0.0"),
        _ if package(PIPELINES) => head(PIPELINES_CHANNEL, "openshift-pipelines-operator-rh.v0.0.0"),
        _ if package(SERVICE_MESH) => {
            let channel = stack
                .operators
                .service_mesh
                .as_ref()
                .map_or("stable", |channel| channel.as_str());
            head(channel, "servicemeshoperator3.v0.0.0")
        }
        _ => Value::Null,
    }
}
