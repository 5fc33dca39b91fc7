//! What the binary printed as JSON, kept for a judge: with `STACKCTL_TEST_DOCUMENTS` naming a folder, `cargo xtask documents`
//! holds each against its schema.

use serde_json::json;
use std::{
    ffi::OsStr,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

static N_KEPT: AtomicU64 = AtomicU64::new(0);

/// Keeps what a command printed, if it printed JSON and somebody asked for it.
pub(crate) fn keep(command: &Command, stdout: &str) {
    let Some(folder) = std::env::var_os("STACKCTL_TEST_DOCUMENTS") else {
        return;
    };
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).map(ToString::to_string)
    };
    let timeline = after("--timeline").and_then(|name| {
        let folder = command.get_current_dir().unwrap_or(Path::new(""));
        std::fs::read_to_string(folder.join(name)).ok()
    });
    let is_json = arguments.iter().any(|argument| argument == "--json") || after("--format").as_deref() == Some("json");
    if !is_json && timeline.is_none() {
        return;
    }
    let kept = json!({"arguments": arguments, "stdout": if is_json { stdout } else { "" }, "timeline": timeline});
    let name = format!("{}-{}.json", std::process::id(), N_KEPT.fetch_add(1, Ordering::Relaxed));
    std::fs::write(Path::new(&folder).join(name), kept.to_string()).expect("the folder of documents is writable");
}
