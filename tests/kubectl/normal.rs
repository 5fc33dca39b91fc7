//! What differs from run to run, replaced by names.

use regex::Regex;

/// Replaces the namespace and the folder of a case, and then whatever no two runs share.
pub(crate) fn normal(text: &str, namespace: &str, folder: &str) -> String {
    let mut text = text.replace(namespace, "NS").replace(folder, "DIR");
    for (pattern, name) in PATTERNS {
        let pattern = Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, *name).into_owned();
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

const PATTERNS: &[(&str, &str)] = &[
    // What the client logs of its own timing (klog).
    (r"(?m)^[IW]\d{4} \d\d:\d\d:\d\d\.\d+ .*\n", ""),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( \+0000)?( UTC)?", "TIME"),
    (r"https?://127\.0\.0\.1:\d+", "SERVER"),
    (r"127\.0\.0\.1:\d{4,}", "SERVER"),
    (r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", "IP"),
    (r#"("?resourceVersion"?: )"\d+""#, "${1}\"RV\""),
    (r"\bv1\.3\d\.\d+[-+a-z0-9.]*", "VERSION"),
    // Random folders of `kubectl diff` and `kubectl edit`; before the names below, which some of their numbers look like.
    (r"/tmp/(LIVE|MERGED)-\d+", "/tmp/$1"),
    (r"/tmp/kubectl-edit-\d+\.yaml", "/tmp/EDIT"),
    // Names of ReplicaSets and their pods: letters without vowels (`rand.SafeEncodeString`).
    (
        r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "-HASH-POD",
    ),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b", "-HASH"),
    (
        r"(pod-template-hash[=:] ?)[bcdfghjklmnpqrstvwxz2456789]{8,10}\b",
        "${1}HASH",
    ),
    // Ages.
    (r"(^|\s)(\d+[dhms]){1,2}(\s|$)", "${1}AGE${3}"),
    (r"(?m)(\S)   +(\S)", "${1}   ${2}"),
    (r"(?m)(\S)   +(\S)", "${1}   ${2}"),
];

#[test]
fn no_random_number_is_taken_for_a_name() {
    for number in ["1234567890", "264597248", "24567892"] {
        let shown = normal(
            &format!("--- /tmp/LIVE-{number}/v1.c\n+++ /tmp/MERGED-{number}/v1.c\n/tmp/kubectl-edit-{number}.yaml"),
            "namespace",
            "folder",
        );
        assert_eq!(shown, "--- /tmp/LIVE/v1.c\n+++ /tmp/MERGED/v1.c\n/tmp/EDIT", "{number}");
    }
}
