//! The files that a `[[manifests]]` table names: one, those of a directory, or those of a pattern.

use crate::error::Problem;
use stackctl_stacks::manifests::ManifestFile;
use std::{
    io,
    path::{Path, PathBuf},
};

/// How the names of files end that hold manifests.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads them in the order of their names.
///
/// # Errors
/// When one cannot be read, or there is none.
pub(super) fn read(path: &Path) -> Result<Vec<ManifestFile>, Problem> {
    let unreadable = |error: &io::Error| {
        Problem::new(format!("the manifests at `{}` cannot be read", path.display()))
            .caused_by(error)
            .hint("`path` starts from the directory of the stack file that it is written in")
    };
    let paths = if path.is_dir() {
        let paths = of_directory(path).map_err(|error| unreadable(&error))?;
        if paths.is_empty() {
            return Err(
                Problem::new(format!("the directory `{}` holds no manifests", path.display())).hint(
                    "files that end in .yaml, .yml or .json are read; `DIR/**/*.yaml` reads those of folders below too",
                ),
            );
        }
        paths
    } else if !path.exists() && is_pattern(path) {
        of_pattern(path)?
    } else {
        vec![path.to_owned()]
    };
    let file = |path: &PathBuf| {
        std::fs::read_to_string(path).map(|text| ManifestFile {
            name: path.display().to_string(),
            text,
        })
    };
    paths
        .iter()
        .map(file)
        .collect::<io::Result<_>>()
        .map_err(|error| unreadable(&error))
}

fn of_directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        // Kustomize knows one of its names without an ending.
        let is_manifest = path.extension().map_or_else(
            || path.ends_with("Kustomization"),
            |end| ENDINGS.iter().any(|known| end == *known),
        );
        if is_manifest && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn of_pattern(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let pattern = path.to_string_lossy();
    let wrong = |why: &dyn std::error::Error| {
        Problem::new(format!("the pattern `{pattern}` cannot be used"))
            .caused_by(why)
            .hint("`*` stands for a part of a name, `**` for folders: `deploy/**/*.yaml`")
    };
    let mut paths = Vec::new();
    for found in glob::glob(&pattern).map_err(|error| wrong(&error))? {
        let path = found.map_err(|error| wrong(&error))?;
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Problem::new(format!("the pattern `{pattern}` fits no file"))
            .hint("`path` starts from the directory of the stack file that it is written in"));
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &Path, pattern: &str) -> Result<Vec<String>, String> {
        let files = read(&of.join(pattern)).map_err(|problem| problem.what)?;
        let shown = |file: ManifestFile| {
            let name = Path::new(&file.name)
                .strip_prefix(of)
                .expect("below the folder")
                .to_owned();
            name.display().to_string()
        };
        Ok(files.into_iter().map(shown).collect())
    }

    #[test]
    fn a_file_a_directory_and_a_pattern_name_files_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in [
            "b.yaml",
            "a.yml",
            "note.md",
            "deep/er/c.yaml",
            "deep/d.json",
            "odd[1].yaml",
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "{}").expect("a file");
        }
        assert_eq!(
            names(root, "."),
            Ok(["a.yml", "b.yaml", "odd[1].yaml"].map(str::to_owned).to_vec())
        );
        assert_eq!(names(root, "b.yaml"), Ok(vec!["b.yaml".to_owned()]));
        assert_eq!(names(root, "odd[1].yaml"), Ok(vec!["odd[1].yaml".to_owned()]));
        assert_eq!(
            names(root, "**/*.yaml"),
            Ok(["b.yaml", "deep/er/c.yaml", "odd[1].yaml"].map(str::to_owned).to_vec())
        );
        let none = names(root, "deep/*.yaml").expect_err("no such file");
        assert!(none.ends_with("deep/*.yaml` fits no file"), "{none}");
        let missing = names(root, "missing").expect_err("no such file");
        assert!(missing.ends_with("missing` cannot be read"), "{missing}");
    }
}
