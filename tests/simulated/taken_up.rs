//! What a killed run had written where others have something, taken up by the next run: from all that it left behind, or from
//! the state of before it.

use crate::{
    audit::Entry,
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use serde_json::{Value, json};
use std::{fs, process::Stdio, thread};

const MONITORING: &str = "/api/v1/namespaces/openshift-monitoring/configmaps/cluster-monitoring-config";
const BUNDLE: &str = "/api/v1/namespaces/openshift-config/configmaps/user-ca-bundle";
const PROXY: &str = "/apis/config.openshift.io/v1/proxies/cluster";

const CONFIG: &str =
    "/apis/opendatahub.io/v1alpha/namespaces/redhat-ods-applications/odhdashboardconfigs/odh-dashboard-config";

/// A gate that nobody opens, so that an apply is at work until it is killed.
const SHUT: &str = r#"
[[manifests]]
name = "gate"
path = "gate.yaml"
ready = { jsonpath = ".data.open", equals = "yes" }
"#;
const GATE: &str = "manifests[gate]";

/// An authority of its own, which the cluster is told to trust.
const AUTHORITY: &str = r#"
[stack]
name = "quickstart"

[cluster]
platform = "aws"

[tls]
issuer = "local-ca"
attach = ["ingress"]
"#;

/// A setting of the dashboard, in an object that OpenShift AI makes.
const DASHBOARD: &str = r#"
[stack]
name = "quickstart"

[cluster]
platform = "aws"

[tls]
issuer = "existing"

[rhoai]
profile = "stable"

[rhoai.dashboard]
notebook_volume = "20Gi"
"#;

/// A stack of which a part is applied, with a gate in it.
struct Begun {
    sandbox: Sandbox,
    served: Served,
}

impl Begun {
    fn of(sandbox: Sandbox) -> Self {
        let stack = fs::read_to_string(sandbox.path().join("stack.toml")).expect("readable");
        sandbox.write(&format!("{stack}{SHUT}"));
        let gate = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gate, namespace: default}\n";
        fs::write(sandbox.path().join("gate.yaml"), gate).expect("writable");
        let served = Served::start(&sandbox);
        Self { sandbox, served }
    }

    fn make(&self, path: &str, data: &Value) {
        let (all, name) = path.rsplit_once('/').expect("a path");
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
        self.served.make(all, &map);
    }

    fn data(&self, path: &str) -> Value {
        self.served.get(path)["data"].clone()
    }

    fn apply(&self, address: &str) {
        let apply = ["apply", "stack.toml", "--yes", "--target", address];
        self.sandbox.simulate(&apply).expect(0);
    }

    /// Applies until an object was written by us, and kills it then.
    fn killed_after(&self, address: &str, kind: &str, name: &str) {
        let apply = ["apply", "stack.toml", "--yes", "--target", GATE, "--target", address];
        let simulated = ["--simulate", "--simulate-speed", FAST];
        let so_far = self.sandbox.audit().len();
        let mut child = self
            .sandbox
            .command(&[&apply[..], &simulated].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let is_it = |entry: &Entry| entry.is_our_write() && entry.is(kind, name);
        while !self.sandbox.audit().iter().skip(so_far).any(is_it) {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended without the write");
            thread::yield_now();
        }
        child.kill().expect("it was still at work");
        child.wait().expect("a child");
    }

    fn destroy(&self, arguments: &[&str]) {
        let destroy = ["destroy", "stack.toml", "--yes"];
        self.sandbox.simulate(&[&destroy[..], arguments].concat()).expect(0);
    }
}

#[test]
fn the_state_of_before_a_killed_run_takes_nothing_of_that_run_for_what_was_there() {
    let begun = Begun::of(Sandbox::new());
    begun.make(
        MONITORING,
        &json!({"config.yaml": "enableUserWorkload: false\nprometheusK8s:\n  retention: 1d\n"}),
    );
    let before = begun.data(MONITORING);
    begun.apply("cert-manager.namespace");
    let kept = begun.sandbox.state_files();
    let address = "monitoring.user-workload";
    begun.killed_after(address, "ConfigMap", "cluster-monitoring-config");
    assert_ne!(begun.data(MONITORING), before, "it was written");

    begun.sandbox.put_back(&kept);
    begun.apply(address);
    assert_ne!(begun.data(MONITORING), before, "it stays written");
    begun.destroy(&["--target", address]);
    assert_eq!(begun.data(MONITORING), before);
}

#[test]
fn fields_and_texts_that_were_known_late_are_given_back_from_whichever_state_with_an_apply_between_or_without() {
    let corporate = "-----BEGIN CERTIFICATE-----\nYWxsIG9mIHVz\n-----END CERTIFICATE-----\n";
    for (is_whole, is_applied) in [(true, false), (true, true), (false, false), (false, true)] {
        let sandbox = Sandbox::new();
        sandbox.write(AUTHORITY);
        let begun = Begun::of(sandbox);
        begun.make(BUNDLE, &json!({"ca-bundle.crt": corporate}));
        let trusted = || begun.served.get(PROXY)["spec"]["trustedCA"].clone();
        let (bundle, trust) = (begun.data(BUNDLE), trusted());
        begun.apply("cert-manager.namespace");
        let kept = begun.sandbox.state_files();
        // The certificate is there only once cert-manager is: a plan knows nothing of it.
        begun.killed_after("tls.proxy", "Proxy", "cluster");
        assert_ne!((begun.data(BUNDLE), trusted()), (bundle.clone(), trust.clone()));

        if !is_whole {
            begun.sandbox.put_back(&kept);
        }
        if is_applied {
            begun.apply("tls.proxy");
        }
        begun.destroy(&[]);
        let case = format!("whole state: {is_whole}, applied: {is_applied}");
        assert_eq!((begun.data(BUNDLE), trusted()), (bundle, trust), "{case}");
    }
}

#[test]
fn a_value_that_a_killed_run_changed_is_given_back_from_the_state_of_before() {
    let sandbox = Sandbox::new();
    sandbox.write(DASHBOARD);
    let begun = Begun::of(sandbox);
    let address = "rhoai.dashboard-settings";
    begun.apply(address);
    let kept = begun.sandbox.state_files();
    begun.sandbox.edit("20Gi", "30Gi");
    begun.killed_after(address, "OdhDashboardConfig", "odh-dashboard-config");
    let volume = || begun.served.get(CONFIG)["spec"]["notebookController"]["pvcSize"].clone();
    assert_eq!(volume(), "30Gi");
    begun.sandbox.put_back(&kept);
    begun.destroy(&["--target", address]);
    assert_eq!(volume(), Value::Null);
}
