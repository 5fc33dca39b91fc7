//! `version`.

use crate::{exit::Exit, settings::Settings, views};

pub(super) fn run(settings: &Settings) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    views::result(&if settings.json {
        views::json::pretty(&views::json::version(version))
    } else {
        format!("stackctl {version}\n")
    });
    Exit::Done
}
