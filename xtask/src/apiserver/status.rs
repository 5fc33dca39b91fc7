//! Telling about a server.

use serde_json::Value;

use super::{
    ApiserverError,
    credentials::CA,
    folder::Folder,
    process::Process,
    program::Program,
    ready::{self, Question},
};

/// Whether every process of a server that once was ready still runs.
///
/// # Errors
/// When a record cannot be read.
pub(super) fn is_up(folder: &Folder) -> Result<bool, ApiserverError> {
    // The kubeconfig is written last.
    if !folder.kubeconfig().exists() {
        return Ok(false);
    }
    let mut up = true;
    for program in Program::ALL {
        up &= Process::recorded(program, folder)?.is_some_and(|process| process.is_alive());
    }
    Ok(up)
}

/// The path of the kubeconfig.
///
/// # Errors
/// When no server is up.
pub(super) fn kubeconfig(folder: &Folder) -> Result<String, ApiserverError> {
    if is_up(folder)? {
        Ok(folder.kubeconfig().display().to_string())
    } else {
        Err(not_up(folder))
    }
}

/// Version, and for each process its pid, memory and address.
///
/// # Errors
/// When no process is recorded: then there is nothing to tell.
pub(super) fn run(folder: &Folder) -> Result<String, ApiserverError> {
    let mut lines = Vec::new();
    for program in Program::ALL {
        if let Some(process) = Process::recorded(program, folder)? {
            lines.push(line(&process));
            if program == Program::Apiserver {
                lines.push(format!("{:24} {}", "version", version(folder, &process)?));
            }
        }
    }
    if lines.is_empty() {
        return Err(not_up(folder));
    }
    lines.push(format!("{:24} {}", "folder", folder.path().display()));
    Ok(lines.join("\n"))
}

fn line(process: &Process) -> String {
    let memory = match process.memory() {
        Some(mebibytes) if process.is_alive() => format!("{mebibytes} MiB"),
        _ => "has ended".to_owned(),
    };
    let (name, pid, address) = (process.program().name(), process.pid(), process.address());
    format!("{name:24} pid {pid}, {memory}  {address}")
        .trim_end()
        .to_owned()
}

/// What the server itself says; everybody may ask that.
fn version(folder: &Folder, apiserver: &Process) -> Result<String, ApiserverError> {
    let url = format!("{}/version", apiserver.address());
    let answer = ready::ask(&folder.file(CA), Question { url: &url, token: "" })?;
    let version = answer
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .and_then(|version| version["gitVersion"].as_str().map(ToOwned::to_owned));
    Ok(version.unwrap_or_else(|| "it does not answer".to_owned()))
}

fn not_up(folder: &Folder) -> ApiserverError {
    ApiserverError::NotUp {
        folder: folder.path().to_owned(),
    }
}
