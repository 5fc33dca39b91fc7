//! True CRDs of a directory, which stand in for the condensed ones on an API server that checks more than ours does.

use std::path::PathBuf;

use serde_json::Value;

/// Where the kinds of aggregated servers are.
const AGGREGATED: &str = "_aggregated";

/// A directory of CRDs, `<group>/<plural>.yaml`, kinds of aggregated servers under `_aggregated/`.
#[derive(Clone, Debug)]
pub struct TrueCrds {
    dir: PathBuf,
}

impl TrueCrds {
    /// Names the directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Returns the true CRD of the name of this one, or this one where the directory has none.
    ///
    /// Conversion webhooks are left out: nobody here would answer them, and an object keeps the version it came in.
    pub(crate) fn instead_of(&self, condensed: Value) -> Value {
        self.find(&condensed).unwrap_or(condensed)
    }

    fn find(&self, condensed: &Value) -> Option<Value> {
        let group = condensed["spec"]["group"].as_str()?;
        let file = format!("{}.yaml", condensed["spec"]["names"]["plural"].as_str()?);
        let read = |place: PathBuf| std::fs::read_to_string(place.join(&file)).ok();
        let own = read(self.dir.join(group));
        let is_aggregated = own.is_none();
        let text = own.or_else(|| read(self.dir.join(AGGREGATED).join(group)))?;
        match serde_saphyr::from_str::<Value>(&text) {
            Ok(mut crd) => {
                crd["spec"].as_object_mut()?.remove("conversion");
                if is_aggregated {
                    demand_nothing(&mut crd["spec"]);
                }
                Some(crd)
            }
            Err(error) => {
                tracing::warn!(%error, group, file, "a CRD that cannot be read; the condensed one is used");
                None
            }
        }
    }
}

/// An aggregated server reads an object into a Go struct: what its schema calls required may be absent all the same.
fn demand_nothing(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|name, value| !(name == "required" && value.is_array()));
            map.values_mut().for_each(demand_nothing);
        }
        Value::Array(list) => list.iter_mut().for_each(demand_nothing),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_of_an_aggregated_server_demands_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(dir.path().join("_aggregated/x.io")).expect("a directory");
        let text = "spec: {group: x.io, names: {plural: things}, versions: [{schema: {required: [users], properties: {required: {type: string}}}}]}\n";
        std::fs::write(dir.path().join("_aggregated/x.io/things.yaml"), text).expect("a file");
        let condensed = json!({"spec": {"group": "x.io", "names": {"plural": "things"}}});
        let truth = TrueCrds::new(dir.path()).instead_of(condensed);
        assert_eq!(
            truth["spec"]["versions"][0]["schema"],
            json!({"properties": {"required": {"type": "string"}}})
        );
    }

    #[test]
    fn a_true_crd_comes_without_its_webhook_and_a_missing_one_stays_condensed() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("x.io")).expect("a directory");
        let text = "spec: {group: x.io, names: {plural: things}, conversion: {strategy: Webhook}, scope: Cluster}\n";
        std::fs::write(dir.path().join("x.io/things.yaml"), text).expect("a file");
        let crds = TrueCrds::new(dir.path());
        let condensed = |plural: &str| json!({"spec": {"group": "x.io", "names": {"plural": plural}}});
        let truth = crds.instead_of(condensed("things"));
        assert_eq!(
            truth["spec"],
            json!({"group": "x.io", "names": {"plural": "things"}, "scope": "Cluster"})
        );
        assert_eq!(crds.instead_of(condensed("others")), condensed("others"));
    }
}
