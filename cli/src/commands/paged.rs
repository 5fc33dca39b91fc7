//! A result that may be longer than the screen.

use super::runtime::{self, Interrupts};
use crate::{settings::Settings, views};

/// Shows a text: through the pager, where it is longer than the screen and there is one.
pub(super) fn show(settings: &Settings, text: &str) {
    let Some(pager) = settings.pager.as_ref().filter(|_| views::pager::is_too_long(text)) else {
        views::result(text);
        return;
    };
    // Ctrl-C is the pager's while it runs: whoever ends before it leaves the terminal to two programs.
    let page = || {
        let _interrupts = Interrupts::listen();
        views::pager::page(text, pager);
    };
    match tokio::runtime::Handle::try_current() {
        Ok(_) => page(),
        Err(_) => {
            let paged = runtime::block_on(async {
                page();
                Ok(())
            });
            if paged.is_err() {
                views::result(text);
            }
        }
    }
}
