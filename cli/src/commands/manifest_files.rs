//! The files that a `[[manifests]]` table names: one, those of a directory, or those of a pattern.

use crate::{error::Problem, files::Files};
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
pub(super) fn read(of: &Files, path: &Path) -> Result<Vec<ManifestFile>, Problem> {
    let unreadable = |error: &io::Error| {
        Problem::new(format!("the manifests at `{}` cannot be read", path.display()))
            .caused_by(error)
            .hint("`path` starts from the directory of the stack file that it is written in")
    };
    let paths = if of.is_dir(path) {
        let paths = of_directory(of, path).map_err(|error| unreadable(&error))?;
        if paths.is_empty() {
            return Err(
                Problem::new(format!("the directory `{}` holds no manifests", path.display())).hint(
                    "files that end in .yaml, .yml or .json are read; `DIR/**/*.yaml` reads those of folders below too",
                ),
            );
        }
        paths
    } else if !of.exists(path) && is_pattern(path) {
        of_pattern(of, path)?
    } else {
        vec![path.to_owned()]
    };
    let file = |path: &PathBuf| match of.read_to_string(path) {
        Ok(text) => Ok(ManifestFile {
            name: path.display().to_string(),
            text,
        }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(no_text(path)),
        Err(error) => Err(unreadable(&error)),
    };
    paths.iter().map(file).collect()
}

/// Why a file is no manifest, whatever it is.
fn no_text(path: &Path) -> Problem {
    let mut problem = Problem::new(format!("{}: it is no text in UTF-8", path.display())).hint(
        "save it as UTF-8 (some editors write UTF-16), or name the files that are manifests: `path = \"DIR/*.yaml\"`",
    );
    problem.code = Some("STK300".to_owned());
    problem
}

fn of_directory(of: &Files, path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = of.files_in(path)?;
    paths.retain(|path| {
        // Kustomize knows one of its names without an ending.
        path.extension().map_or_else(
            || path.ends_with("Kustomization"),
            |end| ENDINGS.iter().any(|known| end == *known),
        )
    });
    paths.sort();
    Ok(paths)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn of_pattern(of: &Files, path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let pattern = path.to_string_lossy();
    let mut paths = of.matching(path).map_err(|why| {
        Problem::new(format!("the pattern `{pattern}` cannot be used"))
            .caused_by(&why)
            .hint("`*` stands for a part of a name, `**` for folders: `deploy/**/*.yaml`")
    })?;
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
        let files = read(&Files::HERE, &of.join(pattern)).map_err(|problem| problem.what)?;
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
