//! From a name and a password to a token: the identity provider that knows them, the User, and what the cluster remembers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::{LIFETIME_SECONDS, htpasswd, resource};
use crate::apiserver::Token;

/// Where the authentication operator keeps the documents that the OAuth server reads.
const NAMESPACE: &str = "openshift-authentication";

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginError {
    /// No identity provider knows the name with that password.
    #[error("the name or the password is wrong")]
    Unknown,
    /// Another identity has that user (mapping method `claim`).
    #[error("user `{user}` is mapped to another identity")]
    Claimed { user: String },
    /// The cluster did not answer as it should.
    #[error("the cluster cannot be asked")]
    Cluster(#[source] Box<kube::Error>),
    /// The system gives no random bytes.
    #[error("draw a token")]
    Random(#[source] std::io::Error),
}

impl From<kube::Error> for LoginError {
    fn from(error: kube::Error) -> Self {
        Self::Cluster(Box::new(error))
    }
}

/// Logs a user in for an OAuth client; the token is remembered by its digest.
pub(super) async fn log_in(
    client: &Client,
    name: &str,
    password: &str,
    oauth_client: &str,
) -> Result<Token, LoginError> {
    let provider = provider_of(client, name, password).await?.ok_or(LoginError::Unknown)?;
    let user = user(client, &provider, name).await?;
    let token = Token::drawn().map_err(LoginError::Random)?;
    let uid = user.metadata.uid.unwrap_or_default();
    let held = json!({
        "apiVersion": "oauth.openshift.io/v1", "kind": "OAuthAccessToken", "metadata": {"name": token.digest()},
        "clientName": oauth_client, "expiresIn": LIFETIME_SECONDS, "scopes": ["user:full"], "userName": name, "userUID": uid,
    });
    create(
        client,
        ("oauth.openshift.io", "OAuthAccessToken", "oauthaccesstokens"),
        &held,
    )
    .await?;
    Ok(token)
}

/// The name of the first identity provider that knows a user with this password.
async fn provider_of(client: &Client, name: &str, password: &str) -> Result<Option<String>, LoginError> {
    let oauths: Api<DynamicObject> = Api::all_with(client.clone(), &resource("config.openshift.io", "OAuth", "oauths"));
    let Some(oauth) = oauths.get_opt("cluster").await? else {
        return Ok(None);
    };
    let secrets: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), NAMESPACE, &resource("", "Secret", "secrets"));
    let providers = oauth.data["spec"]["identityProviders"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate();
    for (index, provider) in providers.filter(|(_, provider)| provider["type"] == "HTPasswd") {
        let copy = secrets
            .get_opt(&format!("v4-0-config-user-idp-{index}-file-data"))
            .await?;
        let document = copy.as_ref().and_then(|copy| copy.data["data"]["htpasswd"].as_str());
        let document = document
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(document) = document else { continue };
        let (name, password) = (name.to_owned(), password.to_owned());
        // Hashes are made to be slow: others are answered meanwhile.
        let compared = tokio::task::spawn_blocking(move || htpasswd::lets_in(&document, &name, &password)).await;
        if compared.unwrap_or(false) {
            return Ok(provider["name"].as_str().map(str::to_owned));
        }
    }
    Ok(None)
}

/// The User that an identity stands for; both are made at the first login.
async fn user(client: &Client, provider: &str, name: &str) -> Result<DynamicObject, LoginError> {
    let identity = format!("{provider}:{name}");
    let users: Api<DynamicObject> = Api::all_with(client.clone(), &resource("user.openshift.io", "User", "users"));
    let made = json!({
        "apiVersion": "user.openshift.io/v1", "kind": "User", "metadata": {"name": name}, "identities": [identity],
    });
    let user = match users.get_opt(name).await? {
        None => create(client, ("user.openshift.io", "User", "users"), &made).await?,
        Some(mut user) => {
            let identities = user.data["identities"].as_array().map_or(0, Vec::len);
            let is_his = user.data["identities"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| *one == identity));
            if !is_his && identities > 0 {
                return Err(LoginError::Claimed { user: name.to_owned() });
            }
            if is_his {
                user
            } else {
                // A User that was made beforehand is claimed.
                user.data["identities"] = json!([identity]);
                users.replace(name, &PostParams::default(), &user).await?
            }
        }
    };
    let uid = user.metadata.uid.clone().unwrap_or_default();
    let made = json!({
        "apiVersion": "user.openshift.io/v1", "kind": "Identity", "metadata": {"name": identity},
        "providerName": provider, "providerUserName": name, "user": {"name": name, "uid": uid},
    });
    create(client, ("user.openshift.io", "Identity", "identities"), &made).await?;
    Ok(user)
}

/// Creates an object, or returns the one that is there.
async fn create(
    client: &Client,
    (group, kind, plural): (&str, &str, &str),
    object: &Value,
) -> Result<DynamicObject, LoginError> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource(group, kind, plural));
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let object = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
    match api.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(api.get(name).await?),
        created => Ok(created?),
    }
}
