//! The objects that every peer works on and the engine is measured with, as each of them reads them.

use crate::error::TaskError;
use serde_json::{Value, json};
use std::{
    cell::Cell,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// How many namespaces the objects are spread over.
pub(super) const N_NAMESPACES: usize = 10;
/// How many layers a layered graph has.
const N_LAYERS: usize = 20;

/// Whether objects wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Independent,
    Layered,
}

/// ConfigMaps in a folder of their own: `objects.yaml`, `stack.toml` and `main.tf`.
#[derive(Debug)]
pub(crate) struct Objects {
    folder: PathBuf,
    pub(super) number: usize,
    layout: Layout,
    /// What the first object says; another text is one change.
    word: Cell<&'static str>,
}

impl Objects {
    /// Writes the files into a fresh folder.
    pub(crate) fn write(number: usize, layout: Layout) -> Result<Self, TaskError> {
        let folder = std::env::temp_dir().join(format!("stackctl-peers-{}-{layout:?}-{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|cause| failed(&folder, cause))?;
        let this = Self {
            folder,
            number,
            layout,
            word: Cell::new("x"),
        };
        let stack = "[stack]\nname = \"peers\"\n\n[[manifests]]\nname = \"objects\"\npath = \"objects.yaml\"\n";
        this.put("stack.toml", stack)?;
        this.put("main.tf", &this.terraform())?;
        this.put_objects()?;
        Ok(this)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn change_one(&self) -> Result<(), TaskError> {
        self.word.set("changed");
        self.put_objects()
    }

    pub(super) fn change_back(&self) -> Result<(), TaskError> {
        self.word.set("x");
        self.put_objects()
    }

    /// The namespaces, which are made before anything is measured.
    pub(crate) fn namespaces() -> impl Iterator<Item = String> {
        (0..N_NAMESPACES).map(|index| format!("peers-{index}"))
    }

    /// One object, as a bare client sends it.
    pub(super) fn object(&self, index: usize) -> (String, String, Value) {
        let (namespace, name) = (format!("peers-{}", index % N_NAMESPACES), format!("c{index}"));
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "labels": {"team": "peers", "part": "measured"}},
            "data": {"name": name, "a": format!("x{index}"), "b": "a second value"},
        });
        (namespace, name, body)
    }

    /// What an object waits for: two of the layer below, spread evenly.
    fn below(&self, index: usize) -> Vec<usize> {
        let width = (self.number / N_LAYERS).max(1);
        if self.layout == Layout::Independent || index < width {
            return Vec::new();
        }
        let (layer, place) = (index / width - 1, index % width);
        let mut below = vec![layer * width + place, layer * width + (place * 7 + 3) % width];
        below.dedup();
        below
    }

    fn put_objects(&self) -> Result<(), TaskError> {
        let mut text = String::new();
        for index in 0..self.number {
            let word = if index == 0 { self.word.get() } else { "x" };
            let waits: Vec<_> = self
                .below(index)
                .into_iter()
                .map(|other| format!("/namespaces/peers-{}/ConfigMap/c{other}", other % N_NAMESPACES))
                .collect();
            let note = if waits.is_empty() {
                String::new()
            } else {
                format!(
                    "  annotations: {{config.kubernetes.io/depends-on: \"{}\"}}\n",
                    waits.join(",")
                )
            };
            let _ = write!(
                text,
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{index}\n  namespace: peers-{}\n  \
                 labels: {{team: peers, part: measured}}\n{note}data:\n  name: c{index}\n  a: {word}{index}\n  \
                 b: a second value\n---\n",
                index % N_NAMESPACES
            );
        }
        self.put("objects.yaml", &text)
    }

    fn terraform(&self) -> String {
        let mut text = String::new();
        for index in 0..self.number {
            let waits: Vec<_> = self
                .below(index)
                .into_iter()
                .map(|other| format!("terraform_data.r{other}"))
                .collect();
            let _ = writeln!(
                text,
                "resource \"terraform_data\" \"r{index}\" {{\n  input = {{ name = \"c{index}\", a = \"x{index}\" }}\n  \
                 depends_on = [{}]\n}}",
                waits.join(", ")
            );
        }
        text
    }

    fn put(&self, name: &str, text: &str) -> Result<(), TaskError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|cause| failed(&path, cause))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Best effort: what stays lies in the folder for temporary files.
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn failed(path: &Path, cause: std::io::Error) -> TaskError {
    TaskError::Write {
        path: path.to_owned(),
        cause,
    }
}
