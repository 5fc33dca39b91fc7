//! The database of MaaS: API keys live in it, and as the catalogue runs it, in a pod without a volume.
//!
//! Facts: `reference/serving.md` §1.7, §4 table, row of the database, §5.2 P8 and P9.

use super::{
    words::{counted, data_loss, disruption},
    world::{Kind, Side, World, items},
};
use serde_json::Value;
use stackctl_engine::{FieldPath, ObjectRef, plan::Transition, resource::Consequence};

/// Where it runs, and what it and its connection are called (`reference/serving.md` §1.7).
const NAMESPACE: &str = "redhat-ods-applications";
const SERVER: &str = "maas-db";
const CONNECTION: &str = "maas-db-config";
const URL: &str = "DB_CONNECTION_URL";

pub(super) fn of_deployment(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = transition.before.as_ref().filter(|_| is(&transition.object, SERVER)) else {
        return Vec::new();
    };
    if has_volume(before) {
        return Vec::new();
    }
    let lost = lost(world);
    match &transition.after {
        None => vec![data_loss(format!(
            "deletes the database of MaaS, which has no volume: {lost}"
        ))],
        Some(_) if transition.is_made_again() => vec![data_loss(format!(
            "deletes the database of MaaS, which has no volume, and makes it again: {lost}"
        ))],
        Some(after) if runs_another_pod(before, after) => {
            let verb = if after["spec"]["replicas"] == 0 {
                "stops"
            } else {
                "replaces"
            };
            vec![data_loss(format!(
                "{verb} the pod of the database of MaaS, which has no volume: {lost}"
            ))]
        }
        Some(_) => Vec::new(),
    }
}

pub(super) fn of_secret(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let url = FieldPath::of("data").field(URL);
    if !is(&transition.object, CONNECTION) || !transition.changed_secrets.contains(&url) {
        return Vec::new();
    }
    let server = |side| world.object(Kind::DEPLOYMENT, NAMESPACE, SERVER, side);
    match (server(Side::Before), server(Side::After)) {
        // The password counts when the data directory is made, and not again (§5.2 P9).
        (Some(before), Some(after)) if has_volume(before) || !runs_another_pod(before, after) => {
            vec![disruption(
                "changes the password of MaaS's database in its Secret and not in the database: maas-api cannot log in any more".to_owned(),
            )]
        }
        (Some(_), Some(_)) => Vec::new(),
        (None, _) | (_, None) => vec![data_loss(format!(
            "changes the connection of MaaS to its database: behind another database {}",
            lost(world)
        ))],
    }
}

fn is(object: &ObjectRef, name: &str) -> bool {
    object.namespace.as_deref() == Some(NAMESPACE) && object.name == name
}

/// Whether what it writes outlives its pod.
fn has_volume(deployment: &Value) -> bool {
    items(&deployment["spec"]["template"]["spec"]["volumes"])
        .any(|volume| volume.get("persistentVolumeClaim").is_some())
}

fn runs_another_pod(before: &Value, after: &Value) -> bool {
    let stops = before["spec"]["replicas"] != 0 && after["spec"]["replicas"] == 0;
    stops || before["spec"]["template"] != after["spec"]["template"]
}

fn lost(world: &World<'_>) -> String {
    let counted = match world.keys.map(super::Keys::total) {
        Some(count) => format!(" ({} now)", counted(count as u64, "active one")),
        None => String::new(),
    };
    format!("every API key is lost{counted}, and every client needs a new one")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept, keys, made, table, table_with, turned, with};
    use serde_json::{Value, json};
    use stackctl_engine::{FieldPath, plan::Transition};

    fn server() -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "maas-db", "namespace": "redhat-ods-applications"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "postgres", "image": "pg:16"}]}}},
        })
    }

    fn with_volume(object: Value) -> Value {
        with(
            object,
            "spec.template.spec.volumes",
            json!([{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]),
        )
    }

    fn newer(object: Value) -> Value {
        with(object, "spec.template.spec.containers[0].image", json!("pg:17"))
    }

    fn connection(is_another: bool) -> Transition {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "maas-db-config", "namespace": "redhat-ods-applications"}});
        let mut change = turned(secret.clone(), with(secret, "metadata.labels.a", json!("b")));
        change
            .changed_secrets
            .extend(is_another.then(|| FieldPath::of("data.DB_CONNECTION_URL")));
        change
    }

    #[test]
    fn keys_that_are_lost_with_the_database_are_told() {
        let cases = [
            ("another pod", vec![turned(server(), newer(server()))]),
            (
                "no pod",
                vec![turned(server(), with(server(), "spec.replicas", json!(0)))],
            ),
            (
                "only a label",
                vec![turned(server(), with(server(), "metadata.labels.a", json!("b")))],
            ),
            (
                "another pod on a volume",
                vec![turned(with_volume(server()), newer(with_volume(server())))],
            ),
            ("gone", vec![gone(server())]),
            ("made", vec![made(server())]),
            ("another connection, to a database of one's own", vec![connection(true)]),
            (
                "another connection instead of the pod",
                vec![connection(true), gone(server())],
            ),
            (
                "another password of the pod that stays",
                vec![connection(true), kept(server())],
            ),
            ("the same connection", vec![connection(false)]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # another pod
        data-loss: replaces the pod of the database of MaaS, which has no volume: every API key is lost, and every client needs a new one
        # no pod
        data-loss: stops the pod of the database of MaaS, which has no volume: every API key is lost, and every client needs a new one
        # only a label
        nothing
        # another pod on a volume
        disruption: restarts Deployment redhat-ods-applications/maas-db, which may be away for a moment
        # gone
        data-loss: deletes the database of MaaS, which has no volume: every API key is lost, and every client needs a new one
        # made
        nothing
        # another connection, to a database of one's own
        data-loss: changes the connection of MaaS to its database: behind another database every API key is lost, and every client needs a new one
        # another connection instead of the pod
        data-loss: changes the connection of MaaS to its database: behind another database every API key is lost, and every client needs a new one
        data-loss: deletes the database of MaaS, which has no volume: every API key is lost, and every client needs a new one
        # another password of the pod that stays
        disruption: changes the password of MaaS's database in its Secret and not in the database: maas-api cannot log in any more
        # the same connection
        nothing
        "#);
    }

    #[test]
    fn keys_that_are_lost_are_counted_where_they_are_known() {
        let known = keys(&[("pro-subscription", "bob"), ("free-subscription", "eve")]);
        insta::assert_snapshot!(table_with(&[("gone", vec![gone(server())])], Some(&known)), @r#"
        # gone
        data-loss: deletes the database of MaaS, which has no volume: every API key is lost (2 active ones now), and every client needs a new one
        "#);
    }
}
