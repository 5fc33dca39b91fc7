//! The tokens of service accounts: who their bearers are, and `serviceaccounts/token`.
//!
//! Invariants:
//! - A token is good as long as its account is the one that it was made for, and what it is bound to is there.
//! - A token that a Secret holds is good as long as that Secret holds it.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/>; claims, defaults and
//! refusals as a kube-apiserver 1.34 gave them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::apiserver::Token;
use crate::apiserver::identity::Identity;
use crate::apiserver::server::Server;
use crate::apiserver::status::{FieldError, Refusal, Subject};
use crate::apiserver::store::ObjectKey;

/// Who signs, and whom tokens are for where nobody else is named (`--service-account-issuer`, OpenShift's own).
pub(in crate::apiserver) const ISSUER: &str = "https://kubernetes.default.svc";
/// Who signs the tokens that Secrets hold.
const SECRETS_ISSUER: &str = "kubernetes/serviceaccount";
/// Where the claims of those begin.
const SECRETS_CLAIM: &str = "kubernetes.io/serviceaccount";
const DEFAULT_SECONDS: i64 = 3600;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;

/// The type of a Secret that holds a token.
pub(in crate::apiserver) const SECRET_TYPE: &str = "kubernetes.io/service-account-token";
/// The annotations of such a Secret.
pub(in crate::apiserver) const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
pub(in crate::apiserver) const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

/// The bearer of a token, and whom the token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apiserver) struct Bearer {
    pub(in crate::apiserver) identity: Identity,
    pub(in crate::apiserver) audiences: Vec<String>,
}

fn key(plural: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: String::new(),
        plural: plural.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn decoded(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

impl Server {
    /// Who bears a token that this server signed.
    pub(in crate::apiserver) fn account_bearer(&self, token: &Token) -> Option<Bearer> {
        let claims = self.access.signer.read(token)?;
        let text = |pointer: &str| claims.pointer(pointer).and_then(Value::as_str);
        if claims["iss"] == SECRETS_ISSUER {
            return self.secret_bearer(token, &claims);
        }
        let now = Timestamp::now().as_second();
        if claims["iss"] != ISSUER || claims["exp"].as_i64()? <= now {
            return None;
        }
        let namespace = text("/kubernetes.io/namespace")?;
        let name = text("/kubernetes.io/serviceaccount/name")?;
        let uid = text("/kubernetes.io/serviceaccount/uid")?;
        let is_there = |plural: &str, namespace: &str, name: &str, uid: &str| {
            self.store
                .get(&key(plural, namespace, name))
                .is_some_and(|stored| stored.uid() == uid)
        };
        if !is_there("serviceaccounts", namespace, name, uid) {
            return None;
        }
        let mut identity = Identity::account(namespace, name);
        uid.clone_into(&mut identity.uid);
        let id = text("/jti")?;
        let mut say = |key: &str, value: &str| {
            let key = format!("authentication.kubernetes.io/{key}");
            identity.extra.insert(key, vec![value.to_owned()]);
        };
        say("credential-id", &format!("JTI={id}"));
        for (kind, plural) in [("pod", "pods"), ("secret", "secrets")] {
            let bound = &claims["kubernetes.io"][kind];
            let Some((name, uid)) = bound["name"].as_str().zip(bound["uid"].as_str()) else {
                continue;
            };
            if !is_there(plural, namespace, name, uid) {
                return None;
            }
            if kind == "pod" {
                say("pod-name", name);
                say("pod-uid", uid);
            }
        }
        let audiences = claims["aud"].as_array()?.iter().filter_map(Value::as_str);
        Some(Bearer {
            audiences: audiences.map(str::to_owned).collect(),
            identity,
        })
    }

    fn secret_bearer(&self, token: &Token, claims: &Value) -> Option<Bearer> {
        let text = |claim: &str| claims[format!("{SECRETS_CLAIM}/{claim}")].as_str();
        let (namespace, name) = (text("namespace")?, text("service-account.name")?);
        let account = self.store.get(&key("serviceaccounts", namespace, name))?;
        let secret = self.store.get(&key("secrets", namespace, text("secret.name")?))?;
        let held = decoded(&secret.value["data"]["token"]);
        if account.uid() != text("service-account.uid")? || held.as_deref() != Some(token.reveal().as_bytes()) {
            return None;
        }
        let mut identity = Identity::account(namespace, name);
        account.uid().clone_into(&mut identity.uid);
        Some(Bearer {
            identity,
            audiences: vec![ISSUER.to_owned()],
        })
    }

    /// The token that a Secret of this name is to hold for an account.
    pub(in crate::apiserver) fn secret_token(
        &self,
        namespace: &str,
        secret: &str,
        account: &str,
        uid: &str,
    ) -> Option<Token> {
        let claim = |name: &str| format!("{SECRETS_CLAIM}/{name}");
        self.access.signer.sign(&json!({
            "iss": SECRETS_ISSUER,
            claim("namespace"): namespace,
            claim("secret.name"): secret,
            claim("service-account.name"): account,
            claim("service-account.uid"): uid,
            "sub": Identity::account(namespace, account).user,
        }))
    }

    /// Answers a `TokenRequest` for an account.
    ///
    /// # Errors
    ///
    /// 404 without the account or what the token is to be bound to, 422 for a life that is too short or too long.
    pub(in crate::apiserver) fn request_token(
        &self,
        namespace: &str,
        name: &str,
        request: &Value,
    ) -> Result<Value, Refusal> {
        let not_found = |plural: &str, name: &str| {
            Refusal::not_found(Subject {
                group: "",
                kind: "",
                resource: plural,
                name,
            })
        };
        let account = self.store.get(&key("serviceaccounts", namespace, name));
        let account = account.ok_or_else(|| not_found("serviceaccounts", name))?;
        let spec = &request["spec"];
        let seconds = spec["expirationSeconds"].as_i64().unwrap_or(DEFAULT_SECONDS);
        check_life(seconds)?;
        let audiences = match spec["audiences"].as_array() {
            Some(audiences) if !audiences.is_empty() => json!(audiences),
            Some(_) | None => json!([ISSUER]),
        };
        let now = Timestamp::now();
        let (issued, expires) = (now.as_second(), now.as_second().saturating_add(seconds));
        let id = self.new_uid();
        let mut within = json!({
            "namespace": namespace, "serviceaccount": {"name": name, "uid": account.uid()},
        });
        if let Value::Object(bound) = &spec["boundObjectRef"] {
            let text = |key: &str| bound.get(key).and_then(Value::as_str).unwrap_or_default();
            let plural = match text("kind") {
                "Pod" => "pods",
                "Secret" => "secrets",
                kind => {
                    let version = text("apiVersion");
                    let version = if version.contains('/') {
                        version.to_owned()
                    } else {
                        format!("/{version}")
                    };
                    let what = format!("cannot bind token to object of type {version}, Kind={kind}");
                    return Err(Refusal::bad_request(what));
                }
            };
            let target = self.store.get(&key(plural, namespace, text("name")));
            let target = target.ok_or_else(|| not_found(plural, text("name")))?;
            within[text("kind").to_lowercase()] = json!({"name": text("name"), "uid": target.uid()});
        }
        let claims = json!({
            "aud": audiences, "exp": expires, "iat": issued, "iss": ISSUER, "jti": id, "kubernetes.io": within,
            "nbf": issued, "sub": Identity::account(namespace, name).user,
        });
        let no_token = || Refusal::internal("the token could not be signed");
        let token = self.access.signer.sign(&claims).ok_or_else(no_token)?;
        let until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(json!({
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": name, "namespace": namespace, "uid": account.uid(), "creationTimestamp": time(now)},
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": spec["boundObjectRef"]},
            "status": {"token": token.reveal(), "expirationTimestamp": time(until)},
        }))
    }
}

fn check_life(seconds: i64) -> Result<(), Refusal> {
    let detail = if seconds < LEAST_SECONDS {
        "may not specify a duration less than 10 minutes"
    } else if seconds > MOST_SECONDS {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    let subject = Subject {
        group: "authentication.k8s.io",
        kind: "TokenRequest",
        resource: "",
        name: "",
    };
    let error = FieldError::invalid("spec.expirationSeconds", &json!(seconds), detail);
    Err(Refusal::invalid(subject, &[error]))
}
