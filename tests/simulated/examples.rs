//! Every example from an empty cluster to nothing again, judged as the quickstart is.

use crate::{
    cluster::Served,
    destroy::left_as_announced,
    sandbox::{FAST, Sandbox},
};

/// Applies, plans and destroys an example on a cluster of its platform.
fn lives_and_goes(example: &str, platform: &str, text: Option<&str>) {
    let sandbox = Sandbox::of(example);
    if let Some(text) = text {
        sandbox.write(text);
    }
    let of_platform: &[&str] = if platform == "aws" {
        &[]
    } else {
        &["--simulate-platform", platform]
    };
    let on = |arguments: &[&str]| sandbox.simulate(&[arguments, of_platform].concat());
    let serve = || {
        let arguments = ["simulate", "--simulate-speed", FAST];
        Served::start_with(&sandbox, &[&arguments[..], of_platform].concat())
    };
    let before = serve().snapshot();
    on(&["apply", "stack.toml", "--yes"]).expect(0);
    on(&["plan", "stack.toml", "--detailed-exitcode"]).expect(0);
    on(&["drift", "stack.toml"]).expect(0);
    let audit = sandbox.audit();
    let mistakes: Vec<_> = audit
        .iter()
        .filter(|entry| entry.is_operator_mistake())
        .map(|entry| format!("{} {} {}", entry.user, entry.key(), entry.code))
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let made: Vec<_> = audit
        .iter()
        .filter(|entry| entry.is_our_write() && entry.created)
        .map(|e| e.key())
        .collect();
    let mut once = made.clone();
    once.sort();
    once.dedup();
    assert!(made.len() > 50 && once.len() == made.len(), "made twice: {made:?}");
    let planned = on(&["plan", "--destroy", "stack.toml", "--json"]).expect(0).json();
    on(&["destroy", "stack.toml", "--yes"]).expect(0);
    left_as_announced(&before, &serve().settled(), &planned);
}

#[test]
fn aws_production() {
    lives_and_goes("aws-production", "aws", None);
}

#[test]
fn bare_metal() {
    lives_and_goes("bare-metal", "none", None);
}

#[test]
fn everything_that_people_may_add() {
    let text = include_str!("../../stacks/src/components/tests/additions.toml");
    lives_and_goes("aws-production", "aws", Some(text));
}
