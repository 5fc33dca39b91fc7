//! The comment as a renderer of another make reads it.

use super::{super::testing::step, *};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::json;
use stackctl_engine::{
    FieldPath, ObjectRef,
    plan::{FieldChange, NodeKind, Purpose, Reason, Shown},
    resource::{Consequence, ConsequenceClass},
};

/// What a reader sees of a comment.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    headings: usize,
    tables: usize,
    rows: usize,
    cells: usize,
    fences: usize,
    details_opened: usize,
    details_closed: usize,
}

fn seen(markdown: &str) -> Seen {
    let mut seen = Seen::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { .. }) => seen.headings += 1,
            Event::Start(Tag::Table(_)) => seen.tables += 1,
            Event::Start(Tag::TableRow) => seen.rows += 1,
            Event::Start(Tag::TableCell) => seen.cells += 1,
            Event::End(TagEnd::CodeBlock) => seen.fences += 1,
            Event::Html(text) | Event::InlineHtml(text) => {
                seen.details_opened += text.matches("<details>").count();
                seen.details_closed += text.matches("</details>").count();
            }
            _ => {}
        }
    }
    seen
}

/// What nobody should be able to break the comment with.
const HOSTILE: &str = "a|b</summary></details>\n```\n| x |\n# no heading <!-- `` **";

/// Of every three changes one is told of, and each third of those destroys something.
fn big(n_changes: usize) -> Plan {
    let steps = (0..n_changes).map(|number| {
        let object = ObjectRef::namespaced("v1", "ConfigMap", "demo", &format!("settings-{number}"));
        let at = format!("manifests[big].configmap[\"demo/settings-{number}`|\"]");
        let action = match number % 9 {
            0 => Action::Delete,
            1 | 2 => Action::Create,
            _ => Action::Update,
        };
        let mut step = step(&at, NodeKind::Object, action, Reason::ChangedInStack, Some(object), "");
        step.changes = vec![FieldChange {
            path: FieldPath::of("data.text"),
            before: Shown::Value(json!(format!("{HOSTILE} {number}"))),
            after: Shown::Value(json!(format!("{HOSTILE} {}\n", number + 1))),
            drift: None,
        }];
        if number % 3 == 0 {
            step.consequences = vec![Consequence {
                class: ConsequenceClass::Disruption,
                text: format!("ends {HOSTILE} {number}"),
            }];
        }
        step
    });
    Plan {
        purpose: Purpose::Apply,
        steps: steps.collect(),
        remains: Vec::new(),
        partial: None,
    }
}

fn review() -> Review {
    Review {
        stack: "prod".to_owned(),
        between: Some(("a1b2c3d".to_owned(), HOSTILE.to_owned())),
        asked: "no cluster asked".to_owned(),
        artefact: Some("https://ci.example.com/plan.json".to_owned()),
        ..Review::default()
    }
}

#[test]
fn a_change_of_1500_objects_fits_and_is_read_with_all_of_its_structure() {
    let markdown = plan(&big(1500), &review(), false);
    assert!(markdown.len() <= MOST, "{} bytes", markdown.len());
    let read = seen(&markdown);
    let n_folded = markdown.matches("\n<details><summary>").count() - 1;
    let rows = markdown
        .lines()
        .filter(|line| line.starts_with("| 🟥") || line.starts_with("| 🟧") || line.starts_with("| 🟩"));
    let n_rows = rows.count();
    let whole = Seen {
        headings: 1,
        tables: 1,
        rows: n_rows,
        cells: 3 * (n_rows + 1),
        fences: n_folded,
        details_opened: n_folded + 1,
        details_closed: n_folded + 1,
    };
    assert_eq!(read, whole);
    assert!(n_folded > 50, "{n_folded}");
    // 167 of 1,500 are deletions with a word on them, and the gravest come first.
    assert!(
        markdown.contains("167 destructive, 333 disruptive, 1000 safe"),
        "{}",
        &markdown[..300]
    );
    let left: usize = markdown
        .split_once(" more that do not fit here**")
        .and_then(|(front, _)| front.rsplit_once("**")?.1.parse().ok())
        .expect("the rest is counted");
    let shown = markdown.lines().filter(|line| {
        let line = line.strip_prefix("<details><summary>").unwrap_or(line);
        ["🟥 ", "🟧 ", "🟩 "].iter().any(|mark| line.starts_with(mark))
    });
    assert_eq!(shown.count() + left, 1500);
    assert!(markdown.contains("https://ci.example.com/plan.json"));
}

#[test]
fn a_comment_is_found_again_by_its_first_line_and_no_change_is_said_in_one() {
    let none = Plan {
        steps: Vec::new(),
        ..big(0)
    };
    let review = Review {
        between: Some(("a1b2c3d".to_owned(), "d4e5f6a".to_owned())),
        saved: Some(("change.plan".to_owned(), "sha256:5f0c".to_owned())),
        ..review()
    };
    insta::assert_snapshot!(plan(&none, &review, false), @r"
    <!-- stackctl:prod -->
    ### stackctl: no changes · `prod` · `a1b2c3d` → `d4e5f6a`

    0 unchanged; no cluster asked. The whole: https://ci.example.com/plan.json.

    Plan digest `sha256:5f0c`; apply exactly this: `stackctl apply change.plan --expect sha256:5f0c`
    ");
    assert_eq!(marker("prod-->x"), "<!-- stackctl:prod--x -->");
}

#[test]
fn what_a_stack_says_breaks_nothing_open() {
    let few = plan(&big(3), &review(), false);
    let read = seen(&few);
    // Of what is made, all is new: only the deletion has fields to show.
    assert_eq!((read.headings, read.tables, read.fences), (1, 1, 1));
    assert_eq!((read.details_opened, read.details_closed), (2, 2));
    let long = Review {
        between: Some(("&".repeat(1000), "<".repeat(1000))),
        asked: "&".repeat(1000),
        excess: vec!["&".repeat(1000); 20],
        artefact: Some("&".repeat(1000)),
        saved: Some(("é".repeat(1000), "sha256:5f0c".to_owned())),
        ..review()
    };
    assert!(plan(&big(1500), &long, false).len() <= MOST);
    let compact = seen(&plan(&big(3), &review(), true));
    assert_eq!((compact.fences, compact.details_opened), (0, 1));
}
