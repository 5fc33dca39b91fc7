//! `version`.

use crate::{exit::Exit, settings::Settings, views};
use serde_json::json;

pub(super) fn run(settings: &Settings) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    views::result(&if settings.json {
        views::json::pretty(&json!({"format_version": views::json::FORMAT_VERSION, "version": version}))
    } else {
        format!("stackctl {version}\n")
    });
    Exit::Done
}
