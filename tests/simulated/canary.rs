//! A canary through every source of secrets: it is in its Secret, and nowhere else.
//!
//! Every run of the binary is heard (both streams, as loud as they go), every file that it leaves is read, every object of
//! the cluster is looked through, in plain text and in base64, and so are the arguments of every process that was started.
//! What a panic tells is judged beside the words that tell it, in `cli/src/panics.rs`.

use crate::{
    cluster::Served,
    sandbox::{FAST, Ran, Sandbox},
    secrecy::{base64, decoded, forms, gather},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
};

/// Where each is found, and what it is.
const OF_ENVIRONMENT: &str = "canary-of-environment-6f1d0c";
const OF_FILE: &str = "canary-of-file-93be27";
const OF_COMMAND: &str = "canary-of-command-c40a5e";
const OF_SECRET: &str = "canary-of-secret-7d82f9";
/// A password whose hash alone is kept.
const OF_USER: &str = "canary-of-user-58ce13";
/// What was there before anything was drawn.
const GIVEN: [&str; 5] = [OF_ENVIRONMENT, OF_FILE, OF_COMMAND, OF_SECRET, OF_USER];
/// What somebody else writes into a Secret of ours.
const OF_SOMEBODY: &str = "canary-of-somebody-417fa0";
/// What somebody writes into the stack by mistake.
const IN_SIGHT: &str = "canary-in-sight-2ab946";

const STACK: &str = r#"
[stack]
name = "canaries"

[cluster]
platform = "aws"

[tls]
issuer = "existing"

[maas]
enabled = true

[maas.database]
password = { generate = true }

[[maas.external_models]]
name     = "one"
endpoint = "one.example.com"
api_key  = { env = "CANARY" }

[[maas.external_models]]
name     = "two"
endpoint = "two.example.com"
api_key  = { file = "BESIDE/canary.txt" }

[[maas.external_models]]
name     = "three"
endpoint = "three.example.com"
api_key  = { command = ["FOLDER/canary.sh", "of", "three"] }

[[maas.external_models]]
name     = "four"
endpoint = "four.example.com"
api_key  = { secret = "vault/provider", key = "token" }

[[maas.users]]
name     = "alice"
password = { env = "CANARY_OF_USER" }
"#;

/// Says what it was started with, and by whom; then the secret, which it reads from beside itself.
const COMMAND: &str = "#!/bin/sh
cd \"$(dirname \"$0\")\"
tr '\\0' ' ' </proc/$$/cmdline >>arguments
tr '\\0' ' ' </proc/$PPID/cmdline >>arguments
if [ -e broken ]; then cat of-command; exit 3; fi
cat of-command
";

/// The stack, what is outside of it, and all that was heard so far.
struct Stage {
    sandbox: Sandbox,
    outside: tempfile::TempDir,
    heard: Vec<(String, String)>,
}

impl Stage {
    fn new() -> Self {
        let (sandbox, outside) = (
            Sandbox::of("external-models"),
            tempfile::tempdir().expect("a scratch folder"),
        );
        let put = |name: &str, text: &str| {
            let path = outside.path().join(name);
            fs::write(&path, text).expect("writable");
            path
        };
        put("canary.txt", &format!("{OF_FILE}\n"));
        put("of-command", &format!("{OF_COMMAND}\n"));
        let command = put("canary.sh", COMMAND);
        fs::set_permissions(command, fs::Permissions::from_mode(0o755)).expect("it can be made to run");
        // From the stack file on, as people write it: a plan that is saved with it is still true afterwards.
        let name = outside
            .path()
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        assert_eq!(
            outside.path().parent(),
            sandbox.path().parent(),
            "both are beside each other"
        );
        let stack = STACK.replace("BESIDE", &format!("../{name}"));
        sandbox.write(&stack.replace("FOLDER", &outside.path().display().to_string()));
        Self {
            sandbox,
            outside,
            heard: Vec::new(),
        }
    }

    fn hear(&mut self, what: &str, ran: &Ran) {
        self.heard.push((format!("stdout of {what}"), ran.stdout.clone()));
        self.heard.push((format!("stderr of {what}"), ran.stderr.clone()));
    }

    /// Runs the binary as loud as it goes, and keeps what it says.
    #[track_caller]
    fn run(&mut self, arguments: &[&str], code: i32) -> Ran {
        self.run_with(arguments, &[("CANARY", OF_ENVIRONMENT)], code)
    }

    /// Saves a plan and applies just that one. Operators that are still at work make a plan untrue, which is said and
    /// changes nothing: then there is another one, as a person would make it.
    fn apply_saved(&mut self, plan: &str) {
        for _ in 0..20 {
            self.run(&["plan", "--adopt", "-o", plan], 0);
            let arguments = ["apply", plan, "--yes", "--timeline", "first.json"];
            let ran = self.ran(&arguments, &[("CANARY", OF_ENVIRONMENT)]);
            if ran.code == 0 {
                return;
            }
            assert!(ran.stderr.contains("is no longer true"), "{}", ran.shown());
        }
        panic!("operators never rest");
    }

    #[track_caller]
    fn run_with(&mut self, arguments: &[&str], variables: &[(&str, &str)], code: i32) -> Ran {
        self.ran(arguments, variables).expect(code)
    }

    fn ran(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut all = arguments.to_vec();
        all.push("-vvv");
        // These know of no cluster.
        let knows_none = ["validate", "show"].contains(&arguments[0]) || arguments.contains(&"--from");
        if !knows_none {
            all.extend(["--simulate", "--simulate-speed", FAST]);
        }
        let mut command = self.sandbox.command(&all);
        command.env("CANARY_OF_USER", OF_USER).env("STACKCTL_LOG", "trace");
        command.envs(variables.iter().copied());
        let ran = Ran::of(command);
        self.hear(&arguments.join(" "), &ran);
        ran
    }

    /// The same with JSON on stdout.
    #[track_caller]
    fn run_json(&mut self, arguments: &[&str], code: i32) -> Ran {
        let mut all = arguments.to_vec();
        all.push("--json");
        self.run(&all, code)
    }

    /// Every text in which nothing may be found: what was heard, and the files, but for the stores of the cluster itself.
    fn texts(&self) -> Vec<(String, String)> {
        let mut all = self.heard.clone();
        let mut files = Vec::new();
        gather(self.sandbox.path(), &mut files);
        files.retain(|file| !file.starts_with(self.sandbox.path().join(".stackctl/simulator/objects")));
        assert!(
            files.iter().any(|file| file.ends_with("canaries.state.json")),
            "{files:?}"
        );
        files.push(self.outside.path().join("arguments"));
        for file in files {
            let bytes = fs::read(&file).unwrap_or_default();
            all.push((file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        all
    }

    /// Nothing that was heard or written has any of these.
    #[track_caller]
    fn is_silent_about(&self, secrets: &[&str]) {
        let texts = self.texts();
        for secret in secrets {
            let forms = forms(secret);
            for (what, text) in &texts {
                let found = forms.iter().find(|form| text.contains(form.as_str()));
                assert!(found.is_none(), "`{secret}` is in {what}");
            }
        }
    }
}

/// The objects in which a secret is.
fn holders(objects: &BTreeMap<String, Value>, secret: &str) -> BTreeSet<String> {
    let forms = forms(secret);
    let holds = |object: &Value| {
        let text = object.to_string();
        forms.iter().any(|form| text.contains(form.as_str()))
    };
    objects
        .iter()
        .filter(|(_, object)| holds(object))
        .map(|(key, _)| key.clone())
        .collect()
}

fn text_of(secret: &Value, key: &str) -> String {
    let encoded = secret["data"][key].as_str().expect("a value");
    decoded(encoded).expect("text")
}

#[test]
fn a_secret_of_any_source_is_in_its_secret_and_nowhere_else() {
    let mut stage = Stage::new();
    let served = Served::start(&stage.sandbox);
    served.make(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vault"}}),
    );
    served.make(
        "/api/v1/namespaces/vault/secrets",
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "provider", "namespace": "vault"},
                "data": {"token": base64(OF_SECRET.as_bytes())}}),
    );
    let before = served.snapshot();

    // What goes wrong before anything is applied.
    stage.run_with(&["plan"], &[], 1);
    fs::write(stage.outside.path().join("broken"), "").expect("writable");
    stage.run(&["plan"], 1);
    fs::remove_file(stage.outside.path().join("broken")).expect("it is there");
    // A name in the way, which the server refuses to be written to.
    served.make(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "external-models"}}),
    );
    let taken = "/api/v1/namespaces/external-models/secrets";
    served.make(
        taken,
        &json!({"apiVersion": "v1", "kind": "Secret", "immutable": true, "data": {"api-key": ""},
                "metadata": {"name": "one-credentials", "namespace": "external-models"}}),
    );
    stage.run(&["validate"], 0);
    let refused = stage.run(&["apply", "--yes", "--adopt"], 1);
    assert!(refused.stderr.contains("immutable"), "{}", refused.shown());
    served.remove(&format!("{taken}/one-credentials"));

    // A run that is killed leaves its journal, and intents in the cluster.
    let mut killed = stage
        .sandbox
        .command(&["apply", "--yes", "--adopt", "--simulate", "--simulate-speed", FAST]);
    killed.env("CANARY", OF_ENVIRONMENT).env("CANARY_OF_USER", OF_USER);
    let mut killed = killed
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    while served.find(&format!("{taken}/one-credentials")).is_none() {
        assert!(
            killed.try_wait().expect("it can be asked").is_none(),
            "it ended too early"
        );
        std::thread::yield_now();
    }
    killed.kill().expect("it can be killed");
    killed.wait().expect("it is gone");
    assert!(stage.texts().iter().any(|(what, _)| what.ends_with(".journal")));
    stage.is_silent_about(&GIVEN);

    // All that is done with a stack.
    stage.apply_saved("first.plan");
    let objects = served.settled();
    stage.run_json(&["plan", "--detailed-exitcode"], 0);
    stage.run_json(&["drift"], 0);
    for arguments in [
        &["show", "first.plan"][..],
        &["output"],
        &["state", "list"],
        &["state", "pull"],
        &["state", "show", "maas.database.secret"],
        &["state", "show", "maas.external[one].credential"],
    ] {
        stage.run(arguments, 0);
        stage.run_json(arguments, 0);
    }
    stage.run(&["render", "-o", "manifests"], 0);
    stage.run_json(&["graph"], 0);
    for arguments in [
        &["status", "--all"][..],
        &["logs", "rhoai.subscription"],
        &["preflight"],
    ] {
        stage.run(arguments, 0);
    }
    // Another version of it, in which each secret is another one.
    let older = stage.sandbox.path().join("older");
    let stack = fs::read_to_string(stage.sandbox.path().join("stack.toml")).expect("readable");
    fs::create_dir(&older).expect("writable");
    fs::write(
        older.join("stack.toml"),
        stack.replace("CANARY", "OLDER").replace("canary.", "older."),
    )
    .expect("writable");
    for form in ["markdown", "junit"] {
        let differs = stage.run(&["diff", "--from", "older", "--format", form], 0);
        assert!(differs.stdout.contains("maas.users"), "{}", differs.shown());
    }
    // Somebody changes one; that is seen in every form, recorded as it is, and mended.
    let one = format!("{taken}/one-credentials");
    served.patch(&one, &json!({"data": {"api-key": base64(OF_SOMEBODY.as_bytes())}}));
    stage.run(&["drift"], 2);
    // Who has not the key of the state cannot say that it is as recorded.
    let key = stage.sandbox.path().join(".stackctl/simulator/state/canaries.key");
    fs::rename(&key, key.with_extension("away")).expect("there is a key");
    let keyless = stage.run_json(&["drift"], 0).json();
    fs::rename(key.with_extension("away"), &key).expect("it is put back");
    assert!(
        keyless["unknown"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("maas.external[one].credential"))),
        "{keyless}"
    );
    let planned = stage.run_json(&["plan", "--detailed-exitcode"], 2).json();
    let changes = planned["resource_changes"].as_array().expect("changes");
    let changed = changes
        .iter()
        .find(|one| one["address"] == "maas.external[one].credential");
    let changed = changed.expect("it is in the plan").to_string();
    assert!(
        !changed.contains("kept-by"),
        "it is taken back, and not left: {changed}"
    );
    stage.run_json(&["diff", "--live"], 0);
    for form in ["markdown", "junit"] {
        stage.run(&["plan", "--format", form], 0);
    }
    stage.run(&["plan", "--refresh-only"], 0);
    stage.run(&["apply", "--refresh-only", "--yes"], 0);
    stage.run_json(&["apply", "--yes", "--timeline", "second.json"], 0);
    // The copy of the state is read back, which is deflated in the cluster.
    fs::remove_dir_all(stage.sandbox.path().join(".stackctl/simulator/state")).expect("there is a state");
    stage.run(&["state", "rebuild"], 0);
    stage.run(&["plan", "--detailed-exitcode"], 0);
    // One is let go, and taken on again as it is.
    let address = "maas.external[one].credential";
    stage.run(&["state", "rm", address], 0);
    stage.run(&["import", address, "Secret", "external-models/one-credentials"], 0);
    // What was written into the stack itself is hidden where it is refused.
    let stack = fs::read_to_string(stage.sandbox.path().join("stack.toml")).expect("readable");
    stage.sandbox.edit("{ env = \"CANARY\" }", &format!("\"{IN_SIGHT}\""));
    for command in ["validate", "plan", "apply"] {
        stage.run(&[command], 1);
        stage.run_json(&[command], 1);
    }
    stage.sandbox.write(&stack);

    // Each is where it belongs, which says that it would be found elsewhere; and nowhere else in the cluster.
    let password = text_of(
        &served.get("/api/v1/namespaces/redhat-ods-applications/secrets/maas-db-config"),
        "password",
    );
    assert!(password.len() >= 24, "it was drawn");
    let found = |secret: &str| holders(&objects, secret).into_iter().collect::<Vec<_>>();
    let credentials = |model: &str| format!("Secret external-models/{model}-credentials");
    assert_eq!(found(OF_ENVIRONMENT), [credentials("one")]);
    assert_eq!(found(OF_FILE), [credentials("two")]);
    assert_eq!(found(OF_COMMAND), [credentials("three")]);
    assert_eq!(
        found(OF_SECRET),
        [credentials("four"), "Secret vault/provider".to_owned()]
    );
    assert_eq!(found(&password), ["Secret redhat-ods-applications/maas-db-config"]);
    assert_eq!(
        found(OF_USER),
        Vec::<String>::new(),
        "its hash is kept, not the password"
    );
    let arguments = fs::read_to_string(stage.outside.path().join("arguments")).expect("the command was run");
    assert!(arguments.contains("canary.sh of three"), "{arguments}");

    // What is no secret is found wherever it is looked for.
    let texts = stage.texts();
    for place in [
        "stdout of state list",
        "stderr of plan",
        "state.json",
        "first.plan",
        "first.json",
        "audit.ndjson",
    ] {
        let said = |(what, text): &&(String, String)| what.contains(place) && text.contains("one-credentials");
        assert!(texts.iter().any(|one| said(&one)), "{place} was not looked at");
    }
    let ours = [&GIVEN[..], &[IN_SIGHT, OF_SOMEBODY, &password]].concat();
    stage.is_silent_about(&ours);
    stage.run(&["destroy", "--yes"], 0);
    stage.is_silent_about(&ours);
    // Nor is anything said of what was secret in the cluster before us.
    let others = secrets_of(&before);
    assert!(others.len() > 2, "the cluster has secrets of its own");
    stage.is_silent_about(&others.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The values of every Secret of the cluster as it was found, as they stand there and as they read.
fn secrets_of(objects: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let secrets = objects.iter().filter(|(key, _)| key.starts_with("Secret "));
    let entries = secrets.flat_map(|(_, secret)| secret["data"].as_object().into_iter().flatten());
    let mut all = BTreeSet::new();
    for (key, value) in entries {
        let value = value.as_str().unwrap_or_default();
        // Short ones are words; certificates are for everybody to see.
        if value.len() > 16 && !key.ends_with(".crt") {
            all.insert(value.to_owned());
            // Texts of several lines are escaped where they stand in JSON.
            let text = decoded(value).unwrap_or_default();
            let lines = text
                .lines()
                .filter(|line| line.len() > 16 && !line.starts_with("-----"));
            all.extend(lines.map(str::to_owned));
        }
    }
    all
}
