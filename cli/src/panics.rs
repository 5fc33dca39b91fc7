//! What is said when `stackctl` meets a mistake of its own and stops where it stands.
//!
//! Invariant: no value is told. Words that were put together for a panic may hold whatever was at hand, a secret among it:
//! of those only the place in the sources is told. Words that stand in the sources as they are hold nothing of anybody's.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::Write as _,
    panic::{self, Location, PanicHookInfo},
};

/// From now on a panic of any thread is told in these words, on stderr.
pub fn tell() {
    panic::set_hook(Box::new(|panicked| {
        let backtrace = Backtrace::capture();
        let mut text = text(words(panicked), panicked.location());
        if backtrace.status() == BacktraceStatus::Captured {
            text += &backtrace.to_string();
        }
        // In one piece, so that two threads do not mix theirs; with stderr gone there is nobody to tell.
        let _nobody_listens = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

/// What was said, if it stands in the sources as it is.
fn words<'a>(panicked: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    panicked.payload().downcast_ref::<&'static str>().copied()
}

fn text(words: Option<&str>, place: Option<&Location<'_>>) -> String {
    let words = words.unwrap_or("its words are not shown, since a value of yours may be among them");
    let place = place.map(|place| format!("\n  --> {place}")).unwrap_or_default();
    format!(
        "error: a mistake of stackctl's own stopped it: {words}{place}\n  \
         = help: what was done up to here is recorded: run the same command again, and it goes on from there\n  \
         = help: report the two lines above with `stackctl version`; `RUST_BACKTRACE=1` shows the way that led there\n"
    )
}

#[cfg(test)]
mod tests {
    use super::tell;
    use std::process::Command;

    const CANARY: &str = "canary-of-panic-0b7c61";
    const OF_CHILD: &str = "STACKCTL_TEST_PANIC";

    /// Runs itself once more with the hook, since a process has only one; what it says on stderr.
    fn said_by(child: &str) -> String {
        let ran = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", &format!("panics::tests::{child}"), "--nocapture"])
            .env(OF_CHILD, CANARY)
            .env("RUST_BACKTRACE", "1")
            .output()
            .expect("it starts");
        assert_eq!(ran.status.code(), Some(101), "it did panic");
        String::from_utf8(ran.stderr).expect("text")
    }

    #[test]
    fn words_that_were_put_together_are_held_back() {
        if let Some(secret) = std::env::var_os(OF_CHILD) {
            tell();
            panic!("a value in an error: {secret:?}");
        }
        let said = said_by("words_that_were_put_together_are_held_back");
        assert!(!said.contains(CANARY), "{said}");
        assert!(said.contains("its words are not shown"), "{said}");
        assert!(said.contains("--> cli/src/panics.rs:"), "{said}");
        assert!(said.contains("run the same command again"), "{said}");
        assert!(said.contains("panics::tests::words_that"), "no way is shown: {said}");
    }

    #[test]
    fn words_of_the_sources_are_told() {
        if std::env::var_os(OF_CHILD).is_some() {
            tell();
            panic!("two and two are five");
        }
        let said = said_by("words_of_the_sources_are_told");
        assert!(said.contains("stopped it: two and two are five\n"), "{said}");
    }
}
