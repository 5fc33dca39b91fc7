//! What is no YAML, and what waits for something that is wrong.

use super::*;
use miette::Diagnostic;
use std::fmt::Write as _;

fn said(text: &str) -> Vec<(String, String)> {
    let errors = read(text).expect_err("something is wrong");
    let hint = |error: &ManifestsError| error.help().map_or_else(String::new, |help| help.to_string());
    errors.iter().map(|error| (error.to_string(), hint(error))).collect()
}

#[test]
fn the_hint_of_what_is_no_yaml_is_about_that_line() {
    for (text, hint) in [
        (
            "kind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
            "this is a template of Helm",
        ),
        (
            "kind: ConfigMap\n{{- if .Values.on }}\nmetadata: {name: x}\n{{- end }}\n",
            "this is a template of Helm",
        ),
        ("kind: ConfigMap\nmetadata:\n\tname: x\n", "indent by blanks"),
        ("kind: ConfigMap\nmetadata: {name: x\n", "look at that line"),
        ("kind: ConfigMap\nkind: Secret\n", "a key stands once in a map"),
    ] {
        let said = said(text);
        assert!(said.iter().all(|(_, told)| told.starts_with(hint)), "{text}: {said:?}");
    }
}

#[test]
fn aliases_of_aliases_are_refused_in_our_words() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let one = format!("*a{}", level - 1);
        let ten = [one.as_str(); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{ten}]").expect("a text takes all");
    }
    let said = said(&text);
    assert!(
        said[0].0.contains("it comes to more than a cluster would take"),
        "{said:?}"
    );
}

#[test]
fn what_waits_for_a_refused_object_is_not_wrong_too() {
    let refused = TWO.replace("{switch: \"on\"}", "{switch: on}");
    let said = said(&refused);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].0.contains("`data.switch` is the boolean true"), "{said:?}");
}
