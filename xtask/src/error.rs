//! What can go wrong in a task.

use std::{io, path::PathBuf};

/// Why a task did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskError {
    /// The real API server did not do as it was told.
    #[error(transparent)]
    Apiserver(#[from] crate::apiserver::ApiserverError),
    /// A file could not be read.
    #[error("{path} could not be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file could not be written.
    #[error("{path} could not be written", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A program ended with an error.
    #[error("`{program}` failed{hint}\n{told}")]
    Failed {
        /// The program with its arguments.
        program: String,
        /// What it said.
        told: String,
        /// What may mend it, or nothing.
        hint: String,
    },
    /// A file that should be YAML is not.
    #[error("{path}: {text}", path = path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        text: String,
    },
    /// A file that should be TOML of a certain form is not.
    #[error("{path} is not as the other entries of it are\n{text}", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        text: String,
    },
    /// A file that should be JSON is not.
    #[error("{path}: {text}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        text: String,
    },
    /// Our objects are not those of the manual, and nothing says why.
    #[error(
        "{n} things are wrong with the golden cases; mend the stack in tests/golden or the component, or add a row to \
         tests/golden/deviations.toml that cites the reference\n{}\n{figure}",
        problems.join("\n"),
        n = problems.len()
    )]
    Goldens {
        /// Each of them.
        problems: Vec<String>,
        /// How many are right.
        figure: String,
    },
    /// A CRD lacks what every CRD has.
    #[error("{path}: {text}", path = path.display())]
    Crd {
        /// The file.
        path: PathBuf,
        /// What is missing.
        text: String,
    },
    /// An editor's judge thinks otherwise than `validate`.
    #[error("by our JSON Schema (stacks/src/language/reference/json_schema.rs)\n{told}")]
    Judged {
        /// A line a stack.
        told: String,
    },
    /// A document is not as its schema says, or has none.
    #[error("a JSON document is not as its schema says (cli/src/views/schemas.rs)\n{told}")]
    Document {
        /// What is wrong with which.
        told: String,
    },
    /// A reader of Terraform plans finds other changes in a plan of ours.
    #[error("a plan {plan} is misread (cli/src/views/terraform.rs)\nours:   {ours}\ntheirs: {theirs}")]
    Misread {
        /// Which plan.
        plan: String,
        /// What our words say.
        ours: String,
        /// What the reader finds.
        theirs: String,
    },
    /// A listed CRD has no file.
    #[error("there is no CRD `{name}` in {folder}", folder = folder.display())]
    NoCrd {
        /// As `<plural>.<group>`.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The simulator's schemas are not what the CRDs say.
    #[error("the condensed schemas differ from the CRDs (`cargo xtask schemas` writes them): {}", places.join(", "))]
    StaleSchemas {
        /// Each file with the line of its first difference.
        places: Vec<String>,
    },
    /// A generated page is not what the code says.
    #[error("{page} is stale (`cargo xtask docs` writes it)")]
    StaleDocs {
        /// Its path.
        page: &'static str,
    },
}
