//! `render`: the manifests, in the order in which they are applied.

use super::{
    cluster::{Cluster, Use},
    definitions::{self, Written},
    load,
    prepare::{self, Desired},
    runtime,
};
use crate::{
    cli::{RenderCommand, SchemaArgs},
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::Settings,
    views,
};
use stackctl_engine::facts::Facts;
use stackctl_stacks::{Stack, cluster_facts};
use std::path::Path;

pub(super) fn run(command: &RenderCommand, settings: &Settings) -> Result<Exit, Error> {
    let (stack, desired) = desired(command.facts.as_deref(), settings, &command.schema)?;
    let given = definitions::given(settings.crds(&command.schema).as_deref(), &desired.resources)?;
    definitions::check(
        &given,
        Written::here(&stack, &desired.scopes),
        &desired.resources,
        settings,
    )?;
    let documents = views::manifests::documents(&desired.resources, &desired.graph);
    match &command.out {
        None => views::result(&views::manifests::stream(&documents)),
        Some(directory) => {
            let problem = |path: &Path, error: &std::io::Error| {
                Problem::new(format!("`{}` cannot be written", path.display())).caused_by(error)
            };
            std::fs::create_dir_all(directory).map_err(|error| problem(directory, &error))?;
            for document in &documents {
                let path = directory.join(&document.file);
                std::fs::write(&path, &document.yaml).map_err(|error| problem(&path, &error))?;
            }
            views::tell(&format!("{} files in {}\n", documents.len(), directory.display()));
        }
    }
    Ok(Exit::Done)
}

/// A stack and what it comes to, with facts of a file or of the cluster.
pub(super) fn desired(
    from: Option<&Path>,
    settings: &Settings,
    schema: &SchemaArgs,
) -> Result<(Stack, Desired), Error> {
    let (stack, _) = load::stack(settings)?;
    let desired = match from {
        Some(path) => prepare::compiled(&stack, facts::from_file(path)?, settings, schema),
        // A stack of nothing but manifests asks a cluster nothing.
        None if cluster_facts::wanted(&stack).is_empty() => {
            prepare::compiled(&stack, Facts::default(), settings, schema)
        }
        None => runtime::block_on(async {
            let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
            let desired = prepare::desired(&cluster, &stack, None, false, settings, schema, prepare::Aim::Look).await;
            cluster.close().await;
            desired
        }),
    }?;
    load::show_notices(&desired.notices, settings);
    Ok((stack, desired))
}
