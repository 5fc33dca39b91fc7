//! True CRDs of a directory, which stand in for the condensed ones, and bring kinds that nobody here knows.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::UserMessageFormatter;

/// Where the kinds of aggregated servers are.
const AGGREGATED: &str = "_aggregated";

/// Group and plural.
type Name = (String, String);

/// Where the CRD of a name is.
#[derive(Clone, Debug)]
struct Place {
    file: PathBuf,
    is_aggregated: bool,
}

/// A directory of CRDs, in any layout. Kinds of aggregated servers stand under `_aggregated/`; other folders whose name
/// begins with `_` or `.` are left alone.
///
/// Names are read from paths where they tell (`<group>/<plural>.yaml`, `<group>_<plural>.yaml`, `<plural>.<group>.yaml`),
/// else from the documents: a directory of some hundred files is not parsed before one of them is needed.
#[derive(Clone, Debug)]
pub struct TrueCrds {
    dir: PathBuf,
    places: BTreeMap<Name, Place>,
    /// Files of which nobody knows what they define.
    unreadable: Vec<(PathBuf, String)>,
    /// Files that hold no definition.
    others: Vec<PathBuf>,
}

impl TrueCrds {
    /// Looks what the directory has.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut this = Self {
            dir: std::fs::canonicalize(dir)?,
            places: BTreeMap::new(),
            unreadable: Vec::new(),
            others: Vec::new(),
        };
        this.look(&this.dir.clone(), false)?;
        Ok(this)
    }

    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Files that had to be read to know what they define, and could not be; each with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.unreadable.iter().map(|(file, why)| (file.as_path(), why.as_str()))
    }

    /// Files that hold no definition as far as they were looked at: of other endings, or of other kinds.
    pub fn others(&self) -> &[PathBuf] {
        &self.others
    }

    fn look(&mut self, folder: &Path, is_aggregated: bool) -> io::Result<()> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                let is_aggregated = is_aggregated || name == AGGREGATED;
                if !name.starts_with(['_', '.']) || name == AGGREGATED {
                    self.look(&path, is_aggregated)?;
                }
            } else if matches!(
                path.extension().and_then(|end| end.to_str()),
                Some("yaml" | "yml" | "json")
            ) {
                let names = names_of(&path).unwrap_or_else(|why| {
                    tracing::warn!(error = why, file = %path.display(), "a file of CRDs that cannot be read");
                    self.unreadable.push((path.clone(), why));
                    Vec::new()
                });
                let is_unread = self.unreadable.last().is_some_and(|(file, _)| *file == path);
                if names.is_empty() && !is_unread {
                    self.others.push(path.clone());
                }
                for name in names {
                    let place = Place {
                        file: path.clone(),
                        is_aggregated,
                    };
                    // What a definition of its own says counts before what an aggregated server is said to serve.
                    match self.places.get(&name) {
                        Some(known) if !known.is_aggregated || is_aggregated => {}
                        _ => drop(self.places.insert(name, place)),
                    }
                }
            } else if !name.starts_with('.') {
                self.others.push(path);
            }
        }
        Ok(())
    }

    /// Returns the true CRD of the name of this one, or this one where the directory has none.
    ///
    /// Conversion webhooks are left out: nobody here would answer them, and an object keeps the version it came in.
    pub(crate) fn instead_of(&self, condensed: Value) -> Value {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let spec = &condensed["spec"];
        self.find(&(text(&spec["group"]), text(&spec["names"]["plural"])))
            .unwrap_or(condensed)
    }

    /// The CRDs of groups that are not in `known`: kinds of somebody's own.
    pub(crate) fn of_other_groups(&self, known: impl Fn(&str) -> bool) -> Vec<Value> {
        let others = self.places.iter();
        others
            .filter(|((group, _), place)| !place.is_aggregated && !known(group))
            .filter_map(|(name, _)| self.find(name))
            .collect()
    }

    /// The CRDs of these kinds, by group and kind, each with its file; or why a file that may hold one cannot be read.
    ///
    /// Only files of these groups that name one of the kinds are parsed.
    pub fn of_kinds(&self, wanted: &BTreeSet<(&str, &str)>) -> Vec<(PathBuf, Result<Value, String>)> {
        let mut found = Vec::new();
        for (name, place) in &self.places {
            let kinds: Vec<&str> = wanted
                .iter()
                .filter(|(group, _)| *group == name.0)
                .map(|(_, kind)| *kind)
                .collect();
            if kinds.is_empty() {
                continue;
            }
            let documents = text_of(&place.file).and_then(|text| match kinds.iter().any(|kind| text.contains(kind)) {
                true => parse(&text),
                false => Ok(Vec::new()),
            });
            match documents {
                Ok(documents) => {
                    let crd = documents.into_iter().find_map(|crd| place.take(name, crd));
                    let crd = crd.filter(|crd| kinds.iter().any(|kind| crd["spec"]["names"]["kind"] == *kind));
                    found.extend(crd.map(|crd| (place.file.clone(), Ok(crd))));
                }
                Err(error) => found.push((place.file.clone(), Err(error))),
            }
        }
        found
    }

    fn find(&self, name: &Name) -> Option<Value> {
        let place = self.places.get(name)?;
        let documents = text_of(&place.file)
            .and_then(|text| parse(&text))
            .unwrap_or_else(|error| {
                tracing::warn!(error, file = %place.file.display(), "a file of CRDs that cannot be read");
                Vec::new()
            });
        documents.into_iter().find_map(|crd| place.take(name, crd))
    }
}

impl Place {
    /// The CRD as it is used, if it is that of the name.
    fn take(&self, name: &Name, mut crd: Value) -> Option<Value> {
        if name_of(&crd).as_ref() != Some(name) {
            return None;
        }
        crd["spec"].as_object_mut()?.remove("conversion");
        if self.is_aggregated {
            demand_nothing(&mut crd["spec"]);
        }
        Some(crd)
    }
}

/// The names of the CRDs of a file, by its path if that tells them; or why it cannot be read.
fn names_of(path: &Path) -> Result<Vec<Name>, String> {
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
    let (stem, parent) = (text(path.file_stem()), text(path.parent().and_then(Path::file_name)));
    if let Some((group, plural)) = stem.split_once('_').filter(|(group, _)| group.contains('.')) {
        return Ok(vec![(group.to_owned(), plural.to_owned())]);
    }
    if let Some((plural, group)) = stem.split_once('.').filter(|(_, group)| group.contains('.')) {
        return Ok(vec![(group.to_owned(), plural.to_owned())]);
    }
    if parent.contains('.') && !stem.contains('.') {
        return Ok(vec![(parent, stem)]);
    }
    let documents = text_of(path).and_then(|text| parse(&text))?;
    Ok(documents.iter().filter_map(name_of).collect())
}

fn name_of(crd: &Value) -> Option<Name> {
    let spec = &crd["spec"];
    Some((
        spec["group"].as_str()?.to_owned(),
        spec["names"]["plural"].as_str()?.to_owned(),
    ))
}

fn text_of(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn parse(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(text).map_err(|error| {
        let text = error.without_snippet().render_with_formatter(&UserMessageFormatter);
        text.lines().next().unwrap_or_default().to_owned()
    })
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
        let truth = TrueCrds::open(dir.path()).expect("readable").instead_of(condensed);
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
        let crds = TrueCrds::open(dir.path()).expect("readable");
        let condensed = |plural: &str| json!({"spec": {"group": "x.io", "names": {"plural": plural}}});
        let truth = crds.instead_of(condensed("things"));
        assert_eq!(
            truth["spec"],
            json!({"group": "x.io", "names": {"plural": "things"}, "scope": "Cluster"})
        );
        assert_eq!(crds.instead_of(condensed("others")), condensed("others"));
    }

    #[test]
    fn any_layout_is_read_and_kinds_of_other_groups_are_somebodys_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let crd = |group: &str, plural: &str| {
            format!("kind: CustomResourceDefinition\nspec: {{group: {group}, names: {{plural: {plural}}}}}\n")
        };
        let put = |file: &str, text: String| {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        };
        put(
            "deep/er/all.yaml",
            format!("{}---\n{}", crd("a.io", "ones"), crd("b.io", "twos")),
        );
        put("c.io_threes.yaml", crd("c.io", "threes"));
        put("fours.d.io.yaml", crd("d.io", "fours"));
        put("_next/e.io/fives.yaml", crd("e.io", "fives"));
        let crds = TrueCrds::open(dir.path()).expect("readable");
        let others: Vec<_> = crds
            .of_other_groups(|group| group == "a.io")
            .iter()
            .filter_map(name_of)
            .map(|(group, plural)| format!("{plural}.{group}"))
            .collect();
        assert_eq!(others, ["twos.b.io", "threes.c.io", "fours.d.io"]);
        assert!(crds.find(&("a.io".to_owned(), "ones".to_owned())).is_some());
        put(
            "g.io/sixes.yaml",
            "kind: CustomResourceDefinition\nspec: {group: g.io, names: {plural: sixes, kind: Six}}\n".to_owned(),
        );
        put("g.io/broken.yaml", "kind: [Six\n".to_owned());
        put("g.io/sevens.yaml", "kind: [Seven\n".to_owned());
        let crds = TrueCrds::open(dir.path()).expect("readable");
        let of_six = crds.of_kinds(&[("g.io", "Six"), ("a.io", "Nothing")].into());
        let told: Vec<_> = of_six
            .iter()
            .map(|(file, crd)| {
                (
                    file.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
                    crd.is_ok(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("broken.yaml", false), ("sixes.yaml", true)],
            "what names another kind is not read"
        );
    }
}
