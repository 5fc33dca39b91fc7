//! ExternalModel: to whom calls are sent on, and under which name.
//!
//! Facts: `reference/serving.md` §1.15, §3.3 (its URL, and that clients send `targetModel`).

use super::{
    model::tiers_with,
    words::{access, disruption, lose_it, made_again, notice},
    world::World,
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let object = &transition.object;
    let name = &object.name;
    let in_plain_text = in_plain_text(transition);
    let Some(before) = &transition.before else {
        return Vec::from_iter(in_plain_text);
    };
    let Some(after) = &transition.after else {
        let host = world.maas_host();
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let losing = tiers_with(world, object, "ExternalModel");
        let losing = if losing.is_empty() || world.maas_ends() {
            String::new()
        } else {
            format!(", and {}", lose_it(&losing))
        };
        return vec![disruption(format!(
            "removes external model {name}: {namespace}/{name} ends at {host}{losing}"
        ))];
    };
    let changed = |path: &[&str]| {
        let at = |manifest: &Value| {
            let found = path.iter().try_fold(manifest, |at, key| at.get(key))?;
            Some(found.as_str()?.to_owned())
        };
        let (old, new) = (at(before), at(after));
        (old != new).then_some((old?, new?))
    };
    let mut told = Vec::from_iter(in_plain_text);
    if transition.is_made_again() {
        told.push(disruption(format!(
            "{}: {}/{name} does not answer at {} in between",
            made_again(&format!("external model {name}")),
            object.namespace.as_deref().unwrap_or_default(),
            world.maas_host()
        )));
    }
    if let Some((old, new)) = changed(&["spec", "endpoint"]) {
        told.push(access(format!(
            "sends what clients ask external model {name} to {new} instead of {old}"
        )));
    }
    if let Some((old, new)) = changed(&["spec", "provider"]) {
        told.push(notice(format!(
            "speaks to external model {name} as {new} does instead of {old}"
        )));
    }
    if let Some((old, new)) = changed(&["spec", "targetModel"]) {
        told.push(disruption(format!(
            "renames what clients of {name} send as `model` from {old} to {new}: calls with the old name fail"
        )));
    }
    if let Some((old, new)) = changed(&["spec", "credentialRef", "name"]) {
        told.push(notice(format!(
            "calls external model {name} with the key of Secret {new} instead of {old}"
        )));
    }
    told
}

/// What goes to the provider without TLS from now on: the credential goes with each call (`reference/serving.md` §1.15,
/// annotations).
fn in_plain_text(transition: &Transition) -> Option<Consequence> {
    let annotation =
        |manifest: &Value, name: &str| Some(manifest["metadata"]["annotations"][name].as_str()?.to_owned());
    let is_plain = |manifest: &Value| annotation(manifest, TLS).is_some_and(|tls| tls == "false");
    let after = transition.after.as_ref().filter(|after| is_plain(after))?;
    let to = |manifest: &Value| {
        let endpoint = manifest["spec"]["endpoint"].as_str().unwrap_or_default();
        let port = annotation(manifest, PORT).unwrap_or_else(|| "443".to_owned());
        format!("{endpoint}:{port}")
    };
    let before = transition.before.as_ref().filter(|before| is_plain(before));
    let is_new = before.is_none_or(|before| to(before) != to(after));
    is_new.then(|| {
        access(format!(
            "sends the provider's key and what callers of {} write to {} in plain text, without TLS",
            transition.object.name,
            to(after)
        ))
    })
}

/// The annotations that say how the provider is reached.
const TLS: &str = "maas.opendatahub.io/tls";
const PORT: &str = "maas.opendatahub.io/port";

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, gone, kept, made, reference, subscription, table, turned, with};
    use serde_json::{Value, json};

    fn external() -> Value {
        json!({
            "apiVersion": "maas.opendatahub.io/v1alpha1",
            "kind": "ExternalModel",
            "metadata": {"name": "gpt", "namespace": "demo"},
            "spec": {"provider": "openai", "endpoint": "litellm.example.com", "targetModel": "gpt-5",
                "credentialRef": {"name": "litellm"}},
        })
    }

    #[test]
    fn where_calls_go_and_that_they_end_is_told() {
        let to = |path: &str, value: &str| vec![turned(external(), with(external(), path, json!(value)))];
        let plain = |port: &str| {
            with(
                external(),
                "metadata.annotations",
                json!({"maas.opendatahub.io/tls": "false", "maas.opendatahub.io/port": port}),
            )
        };
        let cases = [
            ("another endpoint", to("spec.endpoint", "api.example.org")),
            ("another provider", to("spec.provider", "anthropic")),
            ("another target", to("spec.targetModel", "gpt-6")),
            ("another credential", to("spec.credentialRef.name", "other")),
            (
                "gone",
                vec![
                    gone(external()),
                    gone(reference("gpt", "ExternalModel")),
                    gone(subscription("pro", &["p"], 1, &[("gpt", &[(1000, "1h")])])),
                    kept(gateway("maas-default-gateway", "maas.example.com")),
                ],
            ),
            ("made", vec![made(external())]),
            ("made without TLS", vec![made(plain("8443"))]),
            ("without TLS", vec![turned(external(), plain("8443"))]),
            (
                "without TLS as before",
                vec![turned(plain("8443"), with(plain("8443"), "spec.provider", json!("a")))],
            ),
            (
                "to another port without TLS",
                vec![turned(plain("8443"), plain("8080"))],
            ),
            ("with TLS again", vec![turned(plain("8443"), external())]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # another endpoint
        access: sends what clients ask external model gpt to api.example.org instead of litellm.example.com
        # another provider
        notice: speaks to external model gpt as anthropic does instead of openai
        # another target
        disruption: renames what clients of gpt send as `model` from gpt-5 to gpt-6: calls with the old name fail
        # another credential
        notice: calls external model gpt with the key of Secret other instead of litellm
        # gone
        disruption: removes external model gpt: demo/gpt ends at https://maas.example.com, and tier pro loses it
        disruption: removes tier pro: keys of pro-subscription get 403 from then on
        # made
        nothing
        # made without TLS
        access: sends the provider's key and what callers of gpt write to litellm.example.com:8443 in plain text, without TLS
        # without TLS
        access: sends the provider's key and what callers of gpt write to litellm.example.com:8443 in plain text, without TLS
        # without TLS as before
        notice: speaks to external model gpt as a does instead of openai
        # to another port without TLS
        access: sends the provider's key and what callers of gpt write to litellm.example.com:8080 in plain text, without TLS
        # with TLS again
        nothing
        "#);
    }
}
