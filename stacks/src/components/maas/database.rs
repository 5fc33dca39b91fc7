//! The database of MaaS, where API keys are kept.
//!
//! Facts: `reference/serving.md` §1.7.

use crate::{
    components::{
        draft::{Draft, at, deployment, seconds},
        names::APPLICATIONS,
        secret,
    },
    stack::{Database, Subscriptions},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address,
    late::{Encoding, Late, LateSource},
    readiness::Rule,
    resource::ConsequenceClass,
};

const SECRET: &str = "maas-db-config";
const URL: &str = "DB_CONNECTION_URL";
const PASSWORD: &str = "password";
const NAME: &str = "maas-db";

/// What has to be ready before MaaS is switched on.
pub(super) fn ready(maas: &Subscriptions) -> Address {
    match maas.database {
        Database::Embedded { .. } => at("maas.database.deployment"),
        Database::External { .. } => at("maas.database.secret"),
    }
}

/// The Secret that maas-api reads.
pub(super) fn secret() -> Address {
    at("maas.database.secret")
}

pub(super) fn resources(maas: &Subscriptions) -> Vec<Draft> {
    match &maas.database {
        Database::Embedded { password } => {
            let gate = at("maas.database.password-source");
            let open = secret::open(PASSWORD, password, gate, Some(deployment(APPLICATIONS, NAME)));
            let url = Late {
                path: secret::data(URL),
                source: LateSource::Template {
                    text: format!("postgres://maas:{{value}}@{NAME}.{APPLICATIONS}.svc:5432/maas?sslmode=disable"),
                    of: secret::data(PASSWORD),
                },
                encoding: Encoding::Base64,
                sensitive: true,
            };
            let secret = Draft::object(secret(), manifest()).late(open.late).late(url);
            open.gate.into_iter().chain([secret, server(), service()]).collect()
        }
        Database::External { url } => {
            let open = secret::given(URL, url, at("maas.database.url-source"));
            let secret = Draft::object(secret(), manifest()).late(open.late);
            open.gate.into_iter().chain([secret]).collect()
        }
    }
}

fn manifest() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": APPLICATIONS},
        "type": "Opaque",
    })
}

fn server() -> Draft {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    Draft::object(
        at("maas.database.deployment"),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": APPLICATIONS, "labels": {"app": NAME}},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": NAME}},
                "template": {
                    "metadata": {"labels": {"app": NAME}},
                    "spec": {"containers": [{
                        "name": "postgres",
                        "image": "registry.redhat.io/rhel9/postgresql-16:latest",
                        "env": [
                            variable("POSTGRESQL_USER", "maas"),
                            {
                                "name": "POSTGRESQL_PASSWORD",
                                "valueFrom": {"secretKeyRef": {"name": SECRET, "key": PASSWORD}},
                            },
                            variable("POSTGRESQL_DATABASE", "maas"),
                        ],
                        "ports": [{"containerPort": 5432}],
                        // The manual has none, so that its pod is ready before the database is.
                        "readinessProbe": {"tcpSocket": {"port": 5432}, "periodSeconds": 5},
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "256Mi"},
                            "limits": {"cpu": "500m", "memory": "512Mi"},
                        },
                    }]},
                },
            },
        }),
    )
    .ready(Rule::RolledOut)
    .within(seconds(120))
    .after_write(secret(), "it is made with that password")
    .holds_data()
    .tells(
        ConsequenceClass::DataLoss,
        "keeps the API keys of MaaS in a pod without a volume, Deployment maas-db: when the pod goes, every key is lost",
    )
}

fn service() -> Draft {
    Draft::object(
        at("maas.database.service"),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME, "namespace": APPLICATIONS, "labels": {"app": NAME}},
            "spec": {"selector": {"app": NAME}, "ports": [{"port": 5432, "targetPort": 5432}]},
        }),
    )
}
