//! The page of all codes: `docs/lints.md`.

use super::codes::{self, Explanation};
use super::examples::Example;
use std::fmt::Write as _;

/// Returns the page `docs/lints.md`: a heading for each code, which links lead to.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for explanation in codes::explanations() {
        page += &section(explanation);
    }
    page
}

fn section(explanation: &Explanation) -> String {
    let Explanation { code, title, text } = explanation;
    let title = title.strip_suffix(" (warning)").unwrap_or(title);
    let allowed = if explanation.may_be_allowed() {
        ", can be allowed"
    } else {
        ""
    };
    let severity = explanation.severity();
    let mut section = format!("\n## {code}\n\n{title} *({severity}{allowed})*\n\n{text}\n");
    if let Some(Example { beside, wrong, right }) = explanation.example() {
        let around = beside
            .says()
            .map_or_else(String::new, |around| format!(" Beside {around}:"));
        let language = beside.language();
        // Writing into a string cannot fail.
        let _written = write!(
            section,
            "\nWrong:{around}\n\n```{language} example\n{}\n```\n\nRight:\n\n```{language} example\n{}\n```\n",
            wrong.trim_end(),
            right.trim_end()
        );
    }
    section
}

const INTRODUCTION: &str = "# Diagnostics and lints

Written by `cargo xtask docs`; edit `stacks/src/language/codes.rs` and `examples.rs` instead. `stackctl explain CODE` says the
same in a terminal.

Numbers are never given to something else. Below STK050 are errors of a stack file, from there warnings; from STK100 lints,
which look at what a stack would do; from STK200 what the cluster contradicts; from STK300 what is wrong with `[[manifests]]`.
STK200 to STK210, STK320 and STK404 say no line: they are about a cluster, a directory or a file as a whole.

What can be allowed is silenced by [`allow`](stack.md#allow), in `[stack]` for all of it, in one of `[[models]]`, or in one of
`[[manifests]]` for its files, always with a reason. An example shows the tables that matter; `[stack]`, `[cluster]` and `[tls]` are around them.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_a_code_leads_to_its_heading() {
        let page = page();
        for explanation in codes::explanations() {
            let link = explanation.link();
            let (file, anchor) = link.rsplit_once('#').expect("an anchor");
            assert!(file.ends_with("/docs/lints.md"));
            // GitHub makes anchors of headings, in small letters.
            assert!(page.contains(&format!("\n## {}\n", anchor.to_uppercase())), "{link}");
        }
    }
}
