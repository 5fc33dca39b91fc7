//! Model registries: each with a database of its own.
//!
//! The database is called `metadb` and its user `root`: the manual's object says so whatever its inputs say
//! (`reference/platform.md` §2.13), so they are no inputs here.
//!
//! Facts: `reference/platform.md` §2.13.

use super::{
    Context,
    draft::{Draft, Kind, at, established, keyed, seconds, see},
    rhoai, secret,
};
use crate::stack::ModelRegistry;
use serde_json::{Map, Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    late::{Encoding, Late, LateSource},
    readiness::Rule,
    resource::ConsequenceClass,
};

const KINDS: &[Kind] = &[Kind {
    group: "modelregistry.opendatahub.io",
    kind: "ModelRegistry",
    plural: "modelregistries",
    namespaced: true,
}];
const DATABASE: &str = "metadb";
const USER: &str = "root";
const PASSWORD: &str = "database-password";

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let registries = &context.stack.model_registries;
    if registries.is_empty() {
        return Vec::new();
    }
    let namespace = context.stack.rhoai.registry_namespace.as_str();
    let mut nodes = vec![
        Draft::gate(at("model-registry.kinds"), established(KINDS))
            .after_write(rhoai::cluster(), "its component ModelRegistry brings the kind")
            .provides(KINDS)
            .within(seconds(600))
            .note("waits for kind ModelRegistry"),
        Draft::gate(
            at("model-registry.namespace"),
            vec![see(ObjectRef::cluster("v1", "Namespace", namespace), Rule::Exists)],
        )
        .after_write(rhoai::cluster(), "its component ModelRegistry makes the namespace")
        .within(seconds(600))
        .note(format!("waits for Namespace {namespace}")),
    ];
    for registry in registries {
        nodes.extend(Parts { registry, namespace }.nodes());
    }
    nodes
}

/// The objects of one registry.
struct Parts<'a> {
    registry: &'a ModelRegistry,
    namespace: &'a str,
}

impl Parts<'_> {
    fn address(&self, part: &str) -> Address {
        keyed(&[("model-registry", self.registry.name.as_str()), (part, "")])
    }

    fn name(&self) -> &str {
        self.registry.name.as_str()
    }

    fn database(&self) -> String {
        format!("{}-db", self.name())
    }

    fn labels(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        labels.insert("app.kubernetes.io/instance".to_owned(), json!(self.name()));
        labels.insert("app.kubernetes.io/name".to_owned(), json!("model-registry"));
        labels.insert("app.kubernetes.io/version".to_owned(), json!("0.1.0"));
        labels
    }

    /// Labels that choose the pod of the database.
    fn chosen(&self) -> Value {
        json!({
            "app.kubernetes.io/instance": self.name(),
            "app.kubernetes.io/name": "model-registry",
            "component": "db",
        })
    }

    fn object(&self, api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
        let mut object = json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace, "labels": self.labels()},
        });
        if let Value::Object(rest) = rest {
            for (key, value) in rest {
                object[key] = value;
            }
        }
        object
    }

    fn nodes(&self) -> Vec<Draft> {
        let mut nodes = self.secrets();
        nodes.extend([self.parameters(), self.volume(), self.server(), self.service()]);
        nodes.push(self.instance());
        nodes.extend(self.rights());
        nodes
            .into_iter()
            .map(|node| node.after(at("model-registry.namespace"), "it is in that namespace"))
            .collect()
    }

    fn claim(&self) -> String {
        format!("{}-metadata-mysql", self.name())
    }

    /// The password, once for the registry and once for the server; both are the one that the volume was made with.
    fn secrets(&self) -> Vec<Draft> {
        let gate = self.address("password-source");
        let volume = ObjectRef::namespaced("v1", "PersistentVolumeClaim", self.namespace, &self.claim());
        let open = secret::open(PASSWORD, &self.registry.password, gate, Some(volume));
        let mut of_registry = self.object(
            "v1",
            "Secret",
            &self.database(),
            json!({"type": "Opaque", "data": {"database-name": base64(DATABASE), "database-user": base64(USER)}}),
        );
        of_registry["metadata"]["annotations"] = json!({
            "template.openshift.io/expose-database_name": "{.data['database-name']}",
            "template.openshift.io/expose-password": "{.data['database-password']}",
            "template.openshift.io/expose-username": "{.data['database-user']}",
        });
        let same = Late {
            path: secret::data("MYSQL_ROOT_PASSWORD"),
            source: LateSource::Object {
                address: self.address("secret"),
                object: ObjectRef::namespaced("v1", "Secret", self.namespace, &self.database()),
                path: secret::data(PASSWORD),
                encoding: Encoding::Base64,
            },
            encoding: Encoding::Base64,
            sensitive: true,
        };
        let of_server = self.object(
            "v1",
            "Secret",
            &format!("{}-secrets", self.database()),
            json!({"type": "Opaque", "data": {"MYSQL_USER_NAME": base64(USER)}}),
        );
        let mut nodes: Vec<_> = open.gate.into_iter().collect();
        nodes.push(Draft::object(self.address("secret"), of_registry).late(open.late));
        nodes.push(
            Draft::object(self.address("server-secret"), of_server)
                .late(same)
                .after(self.address("secret"), "both hold one password"),
        );
        nodes
    }

    fn parameters(&self) -> Draft {
        Draft::object(
            self.address("parameters"),
            self.object(
                "v1",
                "ConfigMap",
                &format!("{}-parameters", self.database()),
                json!({"data": {
                    "MYSQL_ALLOW_EMPTY_PASSWORD": "true",
                    "MYSQL_DATABASE": DATABASE,
                    "MYSQL_PORT": "3306",
                }}),
            ),
        )
    }

    fn volume(&self) -> Draft {
        Draft::object(
            self.address("volume"),
            self.object(
                "v1",
                "PersistentVolumeClaim",
                &self.claim(),
                json!({"spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": self.registry.volume.as_str()}},
                }}),
            ),
        )
        .holds_data()
        // Else the volume is there before the password is drawn, and looks as if it was made with another one.
        .after_write(self.address("secret"), "it is made with the password in it")
        .tells(
            ConsequenceClass::Notice,
            format!(
                "model registry {} keeps its entries on a volume of {}, which goes with it",
                self.name(),
                self.registry.volume.as_str()
            ),
        )
    }

    fn server(&self) -> Draft {
        let mut object = self.object(
            "apps/v1",
            "Deployment",
            &self.database(),
            json!({"spec": {
                "replicas": 1,
                "revisionHistoryLimit": 10,
                "selector": {"matchLabels": self.chosen()},
                // Two servers on one volume would break it.
                "strategy": {"type": "Recreate"},
                "template": {
                    "metadata": {"labels": self.chosen(), "annotations": {"sidecar.istio.io/inject": "false"}},
                    "spec": {
                        "containers": [self.container()],
                        "volumes": [{"name": "metadata-mysql", "persistentVolumeClaim": {"claimName": self.claim()}}],
                    },
                },
            }}),
        );
        object["metadata"]["labels"]["component"] = json!("db");
        let mut node = Draft::object(self.address("database"), object)
            .ready(Rule::RolledOut)
            .within(seconds(300));
        for part in ["secret", "server-secret", "parameters", "volume"] {
            node = node.after_write(self.address(part), "its pod reads it when it starts");
        }
        node
    }

    fn container(&self) -> Value {
        let asked = "mysql -D $$MYSQL_DATABASE -u$$MYSQL_USER_NAME -p$$MYSQL_ROOT_PASSWORD -e 'SELECT 1'";
        json!({
            "name": "db-container",
            "image": self.registry.image,
            "imagePullPolicy": "IfNotPresent",
            "args": [
                "--datadir", "/var/lib/mysql/datadir",
                "--default-authentication-plugin=mysql_native_password",
            ],
            "env": [{"name": "KUBERNETES_CLUSTER_DOMAIN", "value": "cluster.local"}],
            "envFrom": [
                {"configMapRef": {"name": format!("{}-parameters", self.database())}},
                {"secretRef": {"name": format!("{}-secrets", self.database())}},
            ],
            "ports": [{"name": "dbapi", "containerPort": 3306, "protocol": "TCP"}],
            "readinessProbe": {
                "exec": {"command": ["/bin/bash", "-c", asked]},
                "initialDelaySeconds": 5,
                "periodSeconds": 2,
                "timeoutSeconds": 1,
                "failureThreshold": 3,
            },
            "volumeMounts": [{"name": "metadata-mysql", "mountPath": "/var/lib/mysql"}],
        })
    }

    fn service(&self) -> Draft {
        let mut object = self.object(
            "v1",
            "Service",
            &self.database(),
            json!({"spec": {
                "selector": self.chosen(),
                "ports": [{"name": "dbapi", "port": 3306, "protocol": "TCP", "targetPort": 3306}],
            }}),
        );
        object["metadata"]["labels"]["component"] = json!("db");
        Draft::object(self.address("service"), object)
    }

    fn instance(&self) -> Draft {
        let host = format!("{}.{}.svc.cluster.local", self.database(), self.namespace);
        let mut object = self.object(
            "modelregistry.opendatahub.io/v1alpha1",
            "ModelRegistry",
            self.name(),
            json!({"spec": {
                "grpc": {"port": self.registry.grpc_port},
                "rest": {
                    "port": self.registry.rest_port,
                    "serviceRoute": if self.registry.rest_route { "enabled" } else { "disabled" },
                },
                "mysql": {
                    "host": host,
                    "port": 3306,
                    "database": DATABASE,
                    "username": USER,
                    "passwordSecret": {"name": self.database(), "key": PASSWORD},
                },
            }}),
        );
        object["metadata"]["annotations"] = json!({
            "openshift.io/description": "",
            "openshift.io/display-name": self.name(),
        });
        Draft::object(self.address("instance"), object)
            .ready(Rule::condition("Available"))
            .within(seconds(300))
            .after(self.address("database"), "it opens its database when it starts")
            .after_write(self.address("service"), "it finds its database by that name")
    }

    /// Everybody who is logged in may see that the registry is there.
    fn rights(&self) -> [Draft; 2] {
        let common = |app: &str| {
            let mut labels = self.labels();
            for (key, value) in [
                ("app", app),
                ("component", app),
                ("app.kubernetes.io/component", app),
                ("app.kubernetes.io/part-of", app),
            ] {
                labels.insert(key.to_owned(), json!(value));
            }
            labels
        };
        let mut of_role = common(self.name());
        let maker = format!("{}-operator", self.name());
        of_role.insert("app.kubernetes.io/created-by".to_owned(), json!(maker));
        let mut of_binding = common("registry");
        of_binding.insert("opendatahub.io/dashboard".to_owned(), json!("true"));
        [
            Draft::object(
                self.address("role"),
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRole",
                    "metadata": {
                        "name": self.name(),
                        "labels": of_role,
                        "annotations": {
                            "openshift.io/description": "Can access Model Registry registry",
                            "openshift.io/display-name": "Registry User registry",
                        },
                    },
                    "rules": [{
                        "apiGroups": [""], "resources": ["services"], "resourceNames": [self.name()], "verbs": ["get"],
                    }],
                }),
            ),
            Draft::object(
                self.address("binding"),
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRoleBinding",
                    "metadata": {
                        "name": format!("{}-dashboard-permissions-everybody", self.name()),
                        "labels": of_binding,
                    },
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.name()},
                    "subjects": [{
                        "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated",
                    }],
                }),
            )
            .after_write(self.address("role"), "it binds that role")
            .tells(
                ConsequenceClass::ClusterRights,
                format!("lets everybody who is logged in see model registry {}", self.name()),
            ),
        ]
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
