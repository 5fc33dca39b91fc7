//! Rights, tokens and impersonation: the server as the product starts it, with RBAC. Texts are those that a kube-apiserver
//! 1.34 answered; the family `access` of `tests/semantics` asks it again where there is one.

use std::collections::BTreeMap;

use http::Method;
use kube::Client;
use serde_json::{Value, json};
use stackctl_simulator::apiserver::{ApiServer, ApiServerOptions, Authorization, Identity, Token};
use tempfile::TempDir;

use crate::harness::{Answer, client_of, send};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const AUTHENTICATION: &str = "/apis/authentication.k8s.io/v1";
const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

/// A server whose tokens are the names of their bearers; `admin` is in system:masters.
struct Judged {
    server: ApiServer,
    client: Client,
    dir: TempDir,
}

async fn started(dir: &TempDir) -> ApiServer {
    let users = ["alice", "bob"].map(|name| (Token::new(name), Identity::named(name)));
    let masters = Identity::member("admin", ["system:masters".to_owned()]);
    let options = ApiServerOptions {
        tokens: BTreeMap::from(users)
            .into_iter()
            .chain([(Token::new("admin"), masters)])
            .collect(),
        authorization: Authorization::Rbac,
        ..ApiServerOptions::new(dir.path())
    };
    ApiServer::start(options).await.expect("the server starts")
}

impl Judged {
    async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = started(&dir).await;
        let client = client_of(&server);
        let this = Self { server, client, dir };
        let namespace = json!({"metadata": {"name": "n"}});
        this.post("admin", "/api/v1/namespaces", &namespace).await.is_ok();
        this
    }

    /// Sends a request with a token, or without one if it is empty, and with headers.
    async fn send(&self, method: Method, token: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let bearer = if token.is_empty() { "" } else { &bearer };
        let mut all = vec![("authorization", bearer), ("content-type", "application/json")];
        all.extend(headers);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        send(&self.client, method, path, &all, body.as_bytes()).await
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, token, path, &[], &Value::Null).await
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, token, path, &[], body).await
    }

    /// Gives a user rules in the whole cluster.
    async fn give(&self, user: &str, name: &str, rules: Value) {
        let role = json!({"metadata": {"name": name}, "rules": rules});
        self.post("admin", &format!("{RBAC}/clusterroles"), &role).await.is_ok();
        let binding = json!({"metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]});
        self.post("admin", &format!("{RBAC}/clusterrolebindings"), &binding)
            .await
            .is_ok();
    }

    /// Who the server says that a request is of.
    async fn who(&self, token: &str, headers: &[(&str, &str)]) -> Value {
        let path = format!("{AUTHENTICATION}/selfsubjectreviews");
        let answer = self.send(Method::POST, token, &path, headers, &json!({})).await;
        answer.is_ok().body["status"]["userInfo"].clone()
    }

    async fn review_token(&self, token: &str, audiences: &[&str]) -> Value {
        let spec = json!({"token": token, "audiences": audiences});
        let path = format!("{AUTHENTICATION}/tokenreviews");
        self.post("admin", &path, &json!({ "spec": spec })).await.is_ok().body["status"].clone()
    }

    async fn token_of_account(&self, spec: &Value) -> Answer {
        let path = "/api/v1/namespaces/n/serviceaccounts/default/token";
        let started = tokio::time::Instant::now();
        loop {
            let answer = self.post("admin", path, &json!({ "spec": spec })).await;
            // The account follows its namespace within a moment.
            if answer.code != 404 || started.elapsed().as_secs() > 10 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn on(group: &str, resource: &str, verbs: &[&str]) -> Value {
    json!([{"apiGroups": [group], "resources": [resource], "verbs": verbs}])
}

#[tokio::test]
async fn everybody_is_somebody_and_may_do_what_roles_say() {
    let cluster = Judged::start().await;
    let pods = "/api/v1/namespaces/n/pods";
    assert_eq!(
        cluster.get("", pods).await.summary(),
        r#"403 Forbidden: pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "n""#
    );
    assert_eq!(cluster.get("", "/healthz").await.text, "ok");
    assert_eq!(cluster.get("", "/version").await.code, 200);
    assert_eq!(
        cluster.get("", "/api").await.summary(),
        r#"403 Forbidden: forbidden: User "system:anonymous" cannot get path "/api""#
    );
    for path in ["/healthz", pods] {
        assert_eq!(
            cluster.get("nobody", path).await.summary(),
            "401 Unauthorized: Unauthorized"
        );
    }
    assert_eq!(cluster.get("alice", "/apis").await.code, 200);
    let refused = cluster.get("alice", pods).await;
    assert_eq!(
        refused.summary(),
        r#"403 Forbidden: pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "n""#
    );
    assert_eq!(refused.body["details"], json!({"kind": "pods"}));
    cluster.give("alice", "pod-reader", on("", "pods", &["list"])).await;
    cluster.get("alice", pods).await.is_ok();
    assert_eq!(cluster.get("bob", pods).await.code, 403);
    let gone = format!("{RBAC}/clusterrolebindings/pod-reader");
    cluster
        .send(Method::DELETE, "admin", &gone, &[], &Value::Null)
        .await
        .is_ok();
    assert_eq!(
        cluster.get("alice", pods).await.code,
        403,
        "a right ends with its binding"
    );
}

#[tokio::test]
async fn a_binding_whose_role_is_missing_gives_nothing_and_says_so() {
    let cluster = Judged::start().await;
    let binding = json!({"metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "absent"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]});
    cluster
        .post("admin", &format!("{RBAC}/clusterrolebindings"), &binding)
        .await
        .is_ok();
    assert_eq!(
        cluster.get("alice", "/api/v1/namespaces/n/pods").await.summary(),
        r#"403 Forbidden: pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "n": RBAC: clusterrole.rbac.authorization.k8s.io "absent" not found"#
    );
}

#[tokio::test]
async fn roles_of_a_namespace_end_at_it() {
    let cluster = Judged::start().await;
    cluster
        .post("admin", "/api/v1/namespaces", &json!({"metadata": {"name": "m"}}))
        .await
        .is_ok();
    let role = json!({"metadata": {"name": "r"}, "rules": on("", "configmaps", &["get", "list", "create"])});
    cluster
        .post("admin", &format!("{RBAC}/namespaces/n/roles"), &role)
        .await
        .is_ok();
    let binding = json!({"metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "default"}]});
    cluster
        .post("admin", &format!("{RBAC}/namespaces/n/rolebindings"), &binding)
        .await
        .is_ok();
    let token = cluster.token_of_account(&json!({})).await;
    let token = token.body["status"]["token"].as_str().expect("a token").to_owned();
    cluster.get(&token, "/api/v1/namespaces/n/configmaps").await.is_ok();
    assert_eq!(cluster.get(&token, "/api/v1/namespaces/m/configmaps").await.code, 403);
    assert_eq!(cluster.get(&token, "/api/v1/configmaps").await.code, 403);
    assert_eq!(cluster.get(&token, "/api/v1/namespaces/n/secrets").await.code, 403);
}

#[tokio::test]
async fn default_roles_are_there_and_aggregated_ones_gather_what_labels_say() {
    let cluster = Judged::start().await;
    let extra = json!({"metadata": {"name": "more", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": on("exp-x.io", "things", &["get"])});
    cluster
        .post("admin", &format!("{RBAC}/clusterroles"), &extra)
        .await
        .is_ok();
    let started = tokio::time::Instant::now();
    loop {
        let mut gathered = Vec::new();
        for name in ["view", "edit", "admin"] {
            let role = cluster.get("admin", &format!("{RBAC}/clusterroles/{name}")).await;
            gathered.push(role.text.contains("exp-x.io") && role.text.contains("configmaps"));
        }
        if gathered == [true; 3] {
            break;
        }
        assert!(started.elapsed().as_secs() < 10, "{gathered:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_gives_rights_that_he_does_not_have() {
    let cluster = Judged::start().await;
    let kinds = json!([{"apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
        "verbs": ["create", "update", "patch", "get"]}]);
    cluster.give("alice", "roles", kinds).await;
    cluster.give("alice", "pods", on("", "pods", &["get", "list"])).await;
    let roles = format!("{RBAC}/namespaces/n/roles");
    let secrets = json!({"metadata": {"name": "e"}, "rules": on("", "secrets", &["get"])});
    assert_eq!(
        cluster.post("alice", &roles, &secrets).await.summary(),
        "403 Forbidden: roles.rbac.authorization.k8s.io \"e\" is forbidden: user \"alice\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}"
    );
    let pods = json!({"metadata": {"name": "p"}, "rules": on("", "pods", &["get"])});
    cluster.post("alice", &roles, &pods).await.is_ok();
    let widened = json!({"rules": on("", "pods", &["get", "delete"])});
    let patch = [("content-type", "application/merge-patch+json")];
    let path = format!("{roles}/p");
    let bearer = [("authorization", "Bearer alice"), patch[0]];
    let answer = send(
        &cluster.client,
        Method::PATCH,
        &path,
        &bearer,
        widened.to_string().as_bytes(),
    )
    .await;
    assert!(
        answer
            .summary()
            .contains(r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}"#),
        "{}",
        answer.text
    );
    let binding = |role: &str| json!({"metadata": {"name": format!("own-{role}")}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}});
    let bindings = format!("{RBAC}/clusterrolebindings");
    assert_eq!(
        cluster.post("alice", &bindings, &binding("nope")).await.summary(),
        r#"404 NotFound: clusterrolebindings.rbac.authorization.k8s.io "nope" not found"#
    );
    assert_eq!(
        cluster.post("alice", &bindings, &binding("cluster-admin")).await.code,
        403
    );
    let aggregated = json!({"metadata": {"name": "a"}, "rules": [],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}});
    assert_eq!(
        cluster
            .post("alice", &format!("{RBAC}/clusterroles"), &aggregated)
            .await
            .summary(),
        r#"403 Forbidden: clusterroles.rbac.authorization.k8s.io "a" is forbidden: must have cluster-admin privileges to use the aggregationRule"#
    );
    // With `bind` and `escalate` they are his to give.
    let verbs = json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"], "verbs": ["bind", "escalate"]}]);
    cluster.give("alice", "giver", verbs).await;
    cluster.post("alice", &roles, &secrets).await.is_ok();
    cluster
        .post("alice", &bindings, &binding("cluster-admin"))
        .await
        .is_ok();
}

#[tokio::test]
async fn acting_as_others_takes_the_right_to_it() {
    let cluster = Judged::start().await;
    let as_x = [("impersonate-user", "x")];
    let pods = "/api/v1/namespaces/n/pods";
    let refused = cluster.send(Method::GET, "alice", pods, &as_x, &Value::Null).await;
    assert_eq!(
        refused.summary(),
        r#"403 Forbidden: users "x" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope"#
    );
    cluster.give("alice", "actor", on("", "users", &["impersonate"])).await;
    let as_x_refused = cluster.send(Method::GET, "alice", pods, &as_x, &Value::Null).await;
    assert!(
        as_x_refused.summary().contains(r#"User "x" cannot list"#),
        "{}",
        as_x_refused.text
    );
    for (header, value, said) in [
        (
            "impersonate-group",
            "g",
            r#"groups "g" is forbidden: User "alice" cannot impersonate resource "groups" in API group """#,
        ),
        (
            "impersonate-uid",
            "7",
            r#"uids.authentication.k8s.io "7" is forbidden: User "alice" cannot impersonate resource "uids" in API group "authentication.k8s.io""#,
        ),
        (
            "impersonate-extra-scopes",
            "s",
            r#"userextras.authentication.k8s.io "s" is forbidden: User "alice" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io""#,
        ),
    ] {
        let headers = [as_x[0], (header, value)];
        let refused = cluster.send(Method::GET, "alice", pods, &headers, &Value::Null).await;
        assert_eq!(refused.summary(), format!("403 Forbidden: {said} at the cluster scope"));
    }
    let account = [("impersonate-user", "system:serviceaccount:n:default")];
    let refused = cluster.send(Method::GET, "alice", pods, &account, &Value::Null).await;
    assert_eq!(
        refused.summary(),
        r#"403 Forbidden: serviceaccounts "default" is forbidden: User "alice" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "n""#
    );
    assert_eq!(
        cluster.who("admin", &account).await,
        json!({"username": "system:serviceaccount:n:default",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"]})
    );
    let all = [
        ("impersonate-user", "u"),
        ("impersonate-group", "g"),
        ("impersonate-uid", "7"),
        ("impersonate-extra-scopes", "a"),
        ("impersonate-extra-example.com%2fx", "b"),
    ];
    assert_eq!(
        cluster.who("admin", &all).await,
        json!({"username": "u", "uid": "7", "groups": ["g", "system:authenticated"],
            "extra": {"scopes": ["a"], "example.com/x": ["b"]}})
    );
    let nobody = cluster
        .send(Method::GET, "admin", pods, &[("impersonate-group", "g")], &Value::Null)
        .await;
    assert_eq!(
        (nobody.code, nobody.text.trim()),
        (
            500,
            r#"Internal Server Error: "/api/v1/namespaces/n/pods": requested [{Group  g    }] without impersonating a user"#
        )
    );
}

#[tokio::test]
async fn tokens_of_accounts_are_good_for_their_audience_while_the_account_is_there() {
    let cluster = Judged::start().await;
    let requested = cluster.token_of_account(&json!({})).await;
    assert_eq!(requested.code, 201, "{}", requested.text);
    let token = requested.body["status"]["token"].as_str().expect("a token").to_owned();
    let who = cluster.who(&token, &[]).await;
    assert_eq!(who["username"], "system:serviceaccount:n:default");
    let review = cluster.review_token(&token, &[]).await;
    assert_eq!(review["authenticated"], true);
    assert_eq!(review["audiences"], json!(["https://kubernetes.default.svc"]));
    assert_eq!(
        cluster.review_token(&token, &["x"]).await["error"],
        "invalid bearer token"
    );
    let other = cluster.token_of_account(&json!({"audiences": ["x"]})).await;
    let other = other.body["status"]["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        cluster.get(&other, "/version").await.code,
        401,
        "it is for somebody else"
    );
    assert_eq!(
        cluster.review_token(&other, &["x", "y"]).await["audiences"],
        json!(["x"])
    );
    assert_eq!(
        cluster.review_token(&other, &[]).await["error"],
        r#"[invalid bearer token, token audiences ["x"] is invalid for the target audiences ["https://kubernetes.default.svc"]]"#
    );
    assert_eq!(
        cluster.review_token("nobody", &[]).await,
        json!({"user": {}, "error": "invalid bearer token"})
    );
    assert_eq!(
        cluster
            .token_of_account(&json!({"expirationSeconds": 60}))
            .await
            .summary(),
        "422 Invalid: TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"
    );
    // The account is made anew, and the tokens of the old one are nobody's.
    let account = "/api/v1/namespaces/n/serviceaccounts";
    cluster
        .send(
            Method::DELETE,
            "admin",
            &format!("{account}/default"),
            &[],
            &Value::Null,
        )
        .await
        .is_ok();
    cluster
        .post("admin", account, &json!({"metadata": {"name": "default"}}))
        .await
        .is_ok();
    assert_eq!(cluster.get(&token, "/version").await.code, 401);
}

#[tokio::test]
async fn tokens_stay_good_when_the_server_starts_again() {
    let Judged { server, client, dir } = Judged::start().await;
    let cluster = Judged { server, client, dir };
    let requested = cluster.token_of_account(&json!({})).await;
    let token = requested.body["status"]["token"].as_str().expect("a token").to_owned();
    let secret = json!({"metadata": {"name": "held", "annotations": {"kubernetes.io/service-account.name": "default"}},
        "type": "kubernetes.io/service-account-token"});
    cluster
        .post("admin", "/api/v1/namespaces/n/secrets", &secret)
        .await
        .is_ok();
    let started_at = tokio::time::Instant::now();
    let held = loop {
        let secret = cluster.get("admin", "/api/v1/namespaces/n/secrets/held").await;
        if let Some(token) = secret.body["data"]["token"].as_str() {
            break token.to_owned();
        }
        assert!(started_at.elapsed().as_secs() < 10, "{}", secret.text);
        tokio::task::yield_now().await;
    };
    let Judged { server, dir, .. } = cluster;
    server.stop().await;
    let server = started(&dir).await;
    let client = client_of(&server);
    let cluster = Judged { server, client, dir };
    assert_eq!(
        cluster.who(&token, &[]).await["username"],
        "system:serviceaccount:n:default"
    );
    let held = base64(&held);
    assert_eq!(
        cluster.who(&held, &[]).await["username"],
        "system:serviceaccount:n:default"
    );
    let path = "/api/v1/namespaces/n/secrets/held";
    cluster
        .send(Method::DELETE, "admin", path, &[], &Value::Null)
        .await
        .is_ok();
    assert_eq!(
        cluster.get(&held, "/version").await.code,
        401,
        "it goes with its Secret"
    );
    let audit = std::fs::read_to_string(cluster.dir.path().join("audit.ndjson")).expect("a log");
    assert!(
        !audit.contains(&token) && !audit.contains(&held),
        "no token is in the audit log"
    );
}

fn base64(text: &str) -> String {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("text")
}

#[tokio::test]
async fn reviews_answer_truly() {
    let cluster = Judged::start().await;
    cluster.give("alice", "reader", on("", "pods", &["get"])).await;
    let attributes = json!({"verb": "get", "resource": "pods", "namespace": "n"});
    let about = |who: &str| json!({"spec": {"user": who, "resourceAttributes": attributes}});
    let path = format!("{AUTHORIZATION}/subjectaccessreviews");
    assert_eq!(
        cluster.post("admin", &path, &about("alice")).await.body["status"],
        json!({"allowed": true, "reason": r#"RBAC: allowed by ClusterRoleBinding "reader" of ClusterRole "reader" to User "alice""#})
    );
    assert_eq!(
        cluster.post("admin", &path, &about("bob")).await.body["status"],
        json!({"allowed": false})
    );
    assert_eq!(
        cluster.post("alice", &path, &about("bob")).await.code,
        403,
        "not everybody may ask about others"
    );
    assert_eq!(
        cluster
            .post("admin", &path, &json!({"spec": {"resourceAttributes": attributes}}))
            .await
            .summary(),
        r#"422 Invalid: .authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified"#
    );
    assert_eq!(
        cluster
            .post("admin", &path, &json!({"spec": {"user": "u"}}))
            .await
            .summary(),
        r#"422 Invalid: .authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"#
    );
    let local = format!("{AUTHORIZATION}/namespaces/m/localsubjectaccessreviews");
    assert_eq!(
        cluster.post("admin", &local, &about("alice")).await.summary(),
        r#"422 Invalid: .authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "n": must match metadata.namespace"#
    );
    let own = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    let may = async |token: &str, verb: &str| {
        let spec = json!({"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": "n"}});
        cluster.post(token, &own, &json!({ "spec": spec })).await.body["status"]["allowed"].clone()
    };
    assert_eq!(may("alice", "get").await, true);
    assert_eq!(may("alice", "delete").await, false);
    assert_eq!(may("admin", "delete").await, true);
    let rules = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let rules = cluster
        .post("alice", &rules, &json!({"spec": {"namespace": "n"}}))
        .await;
    let pods = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]});
    let resources = rules.body["status"]["resourceRules"].as_array().expect("rules");
    assert!(resources.contains(&pods), "{}", rules.text);
}

#[tokio::test]
async fn a_refused_write_is_in_the_audit_log_under_its_user() {
    let cluster = Judged::start().await;
    let map = json!({"metadata": {"name": "c"}});
    let path = "/api/v1/namespaces/n/configmaps";
    assert_eq!(cluster.post("alice", path, &map).await.code, 403);
    let audit = std::fs::read_to_string(cluster.dir.path().join("audit.ndjson")).expect("a log");
    let last: Value = serde_json::from_str(audit.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&last["user"], &last["code"], &last["name"]),
        (&json!("alice"), &json!(403), &json!("c"))
    );
    cluster.server.stop().await;
}
