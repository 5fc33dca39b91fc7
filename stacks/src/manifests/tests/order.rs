//! Waves, hooks and change groups.

use super::*;

fn object(name: &str, annotations: &[(&str, &str)]) -> String {
    let notes: String = annotations
        .iter()
        .map(|(name, value)| format!("    {name}: \"{value}\"\n"))
        .collect();
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    x: z\n{notes}---\n")
}

const WAVE: &str = "argocd.argoproj.io/sync-wave";

#[test]
fn a_wave_waits_for_all_of_the_wave_before_it_through_one_gate() {
    let text = [
        object("a", &[(WAVE, "-1")]),
        object("b", &[(WAVE, "-1")]),
        object("c", &[]),
        object("d", &[(WAVE, "5")]),
    ]
    .concat();
    let made = made(&set(), &text);
    assert_eq!(
        waits(&made),
        [
            "turn[-1] -> configmap[\"default/a\"] ready",
            "turn[-1] -> configmap[\"default/b\"] ready",
            "turn[0] -> configmap[\"default/c\"] ready",
            "configmap[\"default/c\"] -> turn[-1] ready",
            "configmap[\"default/d\"] -> turn[0] ready",
        ]
    );
    assert_eq!(told(&made), [""; 0]);
}

#[test]
fn a_circle_is_told_by_what_is_written_and_where() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n---\n";
    let text = [namespace.to_owned(), object("a", &[(WAVE, "-1")])].concat();
    let errors = read(&text).expect_err("a circle");
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["objects.yaml:11: these objects wait for each other:\n  \
          ConfigMap default/a waits for Namespace default: lives there (objects.yaml:5)\n  \
          Namespace default waits for ConfigMap default/a: comes after sync wave -1 (objects.yaml:11)"]
    );
    let (group, rule) = ("kapp.k14s.io/change-group", "kapp.k14s.io/change-rule");
    let text = [
        object("a", &[(group, "one"), (rule, "upsert after upserting two")]),
        object("b", &[(group, "two"), (rule, "upsert after upserting one")]),
    ]
    .concat();
    let errors = read(&text).expect_err("a circle");
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["objects.yaml:8: these objects wait for each other:\n  \
          ConfigMap default/a waits for ConfigMap default/b: its change rule: upsert after upserting two (objects.yaml:8, objects.yaml:16)\n  \
          ConfigMap default/b waits for ConfigMap default/a: its change rule: upsert after upserting one (objects.yaml:17, objects.yaml:7)"]
    );
}

#[test]
fn hooks_have_their_turn_or_are_left_out_and_are_told() {
    let helm = "helm.sh/hook";
    let text = [
        object("main", &[]),
        object("check", &[("argocd.argoproj.io/hook", "PreSync,PostSync"), (WAVE, "2")]),
        object(
            "migrate",
            &[(helm, "pre-install,pre-upgrade"), ("helm.sh/hook-weight", "-5")],
        ),
        object("greet", &[(helm, "post-install")]),
        object("try", &[(helm, "test")]),
        object("clean", &[("argocd.argoproj.io/hook", "SyncFail")]),
    ]
    .concat();
    let made = made(&set(), &text);
    assert_eq!(
        waits(&made),
        [
            "turn[\"before/-5\"] -> configmap[\"default/migrate\"] ready",
            "turn[\"before/2\"] -> configmap[\"default/check\"] ready",
            "turn[0] -> configmap[\"default/main\"] ready",
            "configmap[\"default/main\"] -> turn[\"before/2\"] ready",
            "configmap[\"default/check\"] -> turn[\"before/-5\"] ready",
            "configmap[\"default/greet\"] -> turn[0] ready",
        ]
    );
    assert_eq!(
        told(&made),
        [
            "objects.yaml:8: ConfigMap default/check and 2 other hooks are objects of the stack, in the place of the hook",
            "objects.yaml:34: ConfigMap default/try is left out: it is a hook for `test`",
            "objects.yaml:42: ConfigMap default/clean is left out: it is a hook for `SyncFail`",
        ]
    );
}

#[test]
fn change_rules_are_edges_in_both_directions_and_what_is_not_carried_out_is_told() {
    let group = "kapp.k14s.io/change-group";
    let rule = "kapp.k14s.io/change-rule";
    let text = [
        object("db-1", &[(group, "db")]),
        object("db-2", &[(group, "{kind}/db"), ("kapp.k14s.io/change-group.all", "db")]),
        object(
            "app",
            &[
                (rule, "upsert after upserting db"),
                ("kapp.k14s.io/change-rule.down", "delete before deleting db"),
            ],
        ),
        object("first", &[(rule, "upsert before upserting ConfigMap/db")]),
        object("lone", &[(rule, "upsert after upserting nobody")]),
        object("late", &[(rule, "delete before deleting db")]),
        object("odd", &[(rule, "upsert after deleting db")]),
    ]
    .concat();
    let made = made(&set(), &text);
    assert_eq!(
        waits(&made),
        [
            "change-group[db] -> configmap[\"default/db-1\"] ready",
            "change-group[db] -> configmap[\"default/db-2\"] ready",
            "configmap[\"default/db-2\"] -> configmap[\"default/first\"] ready",
            "configmap[\"default/app\"] -> change-group[db] ready",
        ]
    );
    let told = told(&made);
    for (told, says) in told.iter().zip([
        "`upsert after upserting nobody` orders nothing here: no object of the table is in the group",
        "`delete before deleting db` orders nothing here: destroy goes the way of apply",
        "`upsert after deleting db` orders nothing here: of two objects one is applied",
    ]) {
        assert!(told.contains(says), "{told}");
    }
    assert_eq!(told.len(), 3);
}

#[test]
fn a_convention_that_cannot_be_read_is_an_error_with_its_line() {
    let text = [
        object("a", &[(WAVE, "first")]),
        object("b", &[("helm.sh/hook", "pre-instal")]),
        object("c", &[("kapp.k14s.io/change-rule", "apply after db")]),
    ]
    .concat();
    let errors = read(&text).expect_err("three mistakes");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "objects.yaml:7: `argocd.argoproj.io/sync-wave: first` cannot be read",
            "objects.yaml:15: `helm.sh/hook: pre-instal` cannot be read",
            "objects.yaml:23: `kapp.k14s.io/change-rule: apply after db` cannot be read",
        ]
    );
}
