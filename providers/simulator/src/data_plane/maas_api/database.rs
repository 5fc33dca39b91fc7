//! Where maas-api keeps keys: in the pod of a database, in its claim, or in a database elsewhere.
//!
//! Source: reference/serving.md §1.7 (the embedded database keeps nothing over its pod; its password counts once; tables are
//! made when maas-api starts), §1.10 (the URL is read once), P4, P8, P9.
//!
//! Invariants:
//! - Keys are as durable as what they are in: a pod's own files end with the pod, a claim's with the claim.
//! - maas-api knows the URL that its Secret held when its pod started, and no later one.
//! - A database without tables, or that does not know the password, answers nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::endpoints;
use super::keys::Key;
use crate::operators::kinds::SERVICE;
use crate::operators::object::Read;
use crate::operators::world::World;

/// What a maas-api pod knows since its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Target {
    host: String,
    database: String,
    /// A digest: the password itself is nobody's to keep.
    password: String,
}

/// Where the files of a database are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a pod (its uid).
    Pod(String),
    /// In a claim (namespace, name).
    Claim(String, String),
    /// Outside the cluster.
    Elsewhere(String),
}

/// One database with its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tables {
    password: String,
    keys: Vec<Key>,
}

/// Every database, and who knows which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::data_plane) struct Databases {
    tables: BTreeMap<String, Tables>,
    /// By the uid of a maas-api pod; none for one that started without a URL.
    known: BTreeMap<String, Option<Target>>,
}

impl Target {
    /// Reads `postgres://user:password@host:port/database?...`.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (credentials, rest) = rest.rsplit_once('@')?;
        let password = credentials.split_once(':').map_or("", |(_, password)| password);
        let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
        let digest: String = Sha256::digest(password.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(Self {
            host: host.split(':').next().unwrap_or(host).to_owned(),
            database: database.split('?').next().unwrap_or(database).to_owned(),
            password: digest,
        })
    }

    /// Returns where its files are now; none while its pod is not Ready.
    pub(super) fn place(&self, world: &World) -> Option<Place> {
        let mut labels = self.host.split('.');
        let (Some(service), Some(namespace), Some("svc")) = (labels.next(), labels.next(), labels.next()) else {
            return Some(Place::Elsewhere(format!("{}/{}", self.host, self.database)));
        };
        let service = world.get(SERVICE, namespace, service)?;
        let pod = endpoints::ready(world, service).first().map(|pod| (**pod).clone())?;
        let claims = pod
            .list("/spec/volumes")
            .iter()
            .map(|volume| volume.text("/persistentVolumeClaim/claimName"));
        let claim = claims.into_iter().find(|name| !name.is_empty());
        Some(match claim {
            Some(claim) => Place::Claim(namespace.to_owned(), claim.to_owned()),
            None => Place::Pod(pod.uid().to_owned()),
        })
    }
}

impl Databases {
    /// Returns what a pod knows since its start; none if it has not been seen to start.
    pub(super) fn known(&self, pod: &str) -> Option<&Option<Target>> {
        self.known.get(pod)
    }

    /// Lets a pod start: it knows this database from now on, and makes its tables if it has none.
    pub(super) fn start(&mut self, pod: &str, target: Option<(Target, String)>) {
        if let Some((target, storage)) = &target {
            self.tables.entry(storage.clone()).or_insert_with(|| Tables {
                password: target.password.clone(),
                keys: Vec::new(),
            });
        }
        self.known.insert(pod.to_owned(), target.map(|(target, _)| target));
    }

    /// Forgets pods that are gone.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.known.retain(|pod, _| is_there(pod));
    }

    /// Returns the keys of a database; none if it has no tables or does not know the password.
    pub(super) fn keys(&mut self, target: &Target, storage: &str) -> Option<&mut Vec<Key>> {
        let tables = self.tables.get_mut(storage)?;
        (tables.password == target.password).then_some(&mut tables.keys)
    }
}

/// Returns the URL that the Secret of maas-api holds.
pub(super) fn url_in(secret: &Value) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(secret.text("/data/DB_CONNECTION_URL")).ok()?;
    String::from_utf8(bytes).ok().filter(|url| !url.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_database_and_password() {
        let target = Target::parse("postgres://maas:abc@maas-db.redhat-ods-applications.svc:5432/maas?sslmode=disable")
            .expect("a URL");
        assert_eq!(
            (target.host.as_str(), target.database.as_str()),
            ("maas-db.redhat-ods-applications.svc", "maas")
        );
        assert!(!format!("{target:?}").contains("abc"));
        assert_ne!(
            target.password,
            Target::parse("postgres://maas:abd@h/maas").expect("a URL").password
        );
        assert_eq!(Target::parse("nonsense"), None);
    }

    #[test]
    fn a_database_answers_only_with_its_tables_and_its_first_password() {
        let target = |password: &str| Target::parse(&format!("postgres://maas:{password}@db/maas")).expect("a URL");
        let mut databases = Databases::default();
        assert_eq!(databases.known("pod"), None);
        databases.start("pod", Some((target("one"), "s1".to_owned())));
        assert!(databases.keys(&target("one"), "s1").is_some());
        assert!(
            databases.keys(&target("one"), "s2").is_none(),
            "no tables until maas-api starts again"
        );
        assert!(
            databases.keys(&target("two"), "s1").is_none(),
            "the password that it was made with counts"
        );
        databases.start("bare", None);
        assert_eq!(databases.known("bare"), Some(&None));
        databases.retain(|pod| pod == "bare");
        assert_eq!(databases.known("pod"), None);
    }
}
