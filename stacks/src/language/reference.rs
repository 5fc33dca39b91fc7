//! What every key of the stack language means: the data of `docs/stack.md`.
//!
//! Invariant, tested below: these are exactly the keys that the readers ask for, table by table.

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// As it is written, or what the readers call it.
    pub path: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// An example.
    pub example: &'static str,
    /// Its keys, in the order people write them.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in words.
    pub value: &'static str,
    /// What its absence means.
    pub default: &'static str,
    /// What it does.
    pub text: &'static str,
}

const fn key(name: &'static str, value: &'static str, default: &'static str, text: &'static str) -> Key {
    Key {
        name,
        value,
        default,
        text,
    }
}

const fn switch(name: &'static str, default: &'static str, text: &'static str) -> Key {
    key(name, "true or false", default, text)
}

const TIMEOUT: Key = key(
    "ready_timeout",
    "a time: \"20m\"",
    "the reference's time",
    "How long it may take to be ready.",
);

/// Every table, in the order people write them.
pub const TABLES: &[Table] = &[
    Table {
        path: "the stack file",
        about: "The tables of a stack. A stack of nothing but `[[manifests]]` needs only `[stack]`.",
        example: "",
        keys: &[
            key("stack", "a table", "required", "The stack itself."),
            key("cluster", "a table", "required", "What is said about the cluster."),
            key(
                "tls",
                "a table",
                "required",
                "Where the certificate of the gateways comes from.",
            ),
            key("gpu", "an array of tables", "no pools", "Pools of GPU nodes."),
            key("rhoai", "a table", "the stable profile", "OpenShift AI."),
            key("monitoring", "a table", "enabled", "User-workload monitoring."),
            key("gateway", "a table", "a Route", "The llm-d gateway."),
            key("models", "an array of tables", "no models", "Models to serve."),
            key("maas", "a table", "no MaaS", "Models-as-a-Service."),
            key("manifests", "an array of tables", "none", "Objects of your own."),
            key("state", "a table", "local", "Where what was applied is recorded."),
        ],
    },
    Table {
        path: "[stack]",
        about: "The stack itself.",
        example: "[stack]\nname = \"quickstart\"",
        keys: &[key(
            "name",
            "a name",
            "required",
            "Marks every object of the stack, so choose it once.",
        )],
    },
    Table {
        path: "[cluster]",
        about: "What is said about the cluster; the rest is read from it.",
        example: "[cluster]\nplatform = \"aws\"\nopenshift = \">=4.20\"",
        keys: &[
            key(
                "platform",
                "one of \"aws\", \"none\"",
                "required",
                "\"none\" where no cloud API may be used.",
            ),
            key(
                "openshift",
                "a version requirement",
                "the language's own",
                "The versions of OpenShift that the stack is for.",
            ),
            key("context", "a line of text", "none", "The context of the kubeconfig."),
            key(
                "apps_domain",
                "a domain name",
                "read from the cluster",
                "The domain of applications.",
            ),
        ],
    },
    Table {
        path: "[tls]",
        about: "Where the certificate of the gateways comes from.",
        example: "[tls]\nissuer = \"existing\"",
        keys: &[
            key(
                "issuer",
                "one of \"letsencrypt\", \"local-ca\", \"existing\"",
                "required",
                "\"letsencrypt\" needs `platform = \"aws\"`: its proof is a record in Route53.",
            ),
            key(
                "secret",
                "the name of a Secret",
                "the router's own",
                "Only with \"existing\".",
            ),
            key("email", "a line of text", "none", "Only with \"letsencrypt\"."),
            key(
                "hosted_zone_id",
                "a line of text",
                "none",
                "Only with \"letsencrypt\": the Route53 zone.",
            ),
        ],
    },
    Table {
        path: "[[gpu]]",
        about: "A pool of GPU nodes.",
        example: "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\", \"b\"]",
        keys: &[
            key("name", "a name", "required", "The pool, unique in the stack."),
            key(
                "tier",
                "one of \"a10g\", \"l40s\"",
                "required for MachineSets",
                "The kind of GPU.",
            ),
            key(
                "size",
                "an instance type of the tier",
                "the tier's first",
                "What is bought.",
            ),
            key(
                "provision",
                "one of \"machinesets\", \"existing\"",
                "\"machinesets\" on AWS, else \"existing\"",
                "Whether the stack makes the nodes.",
            ),
            key(
                "zones",
                "a list of zone letters",
                "required for MachineSets",
                "Never guessed: they decide what is bought.",
            ),
            key("nodes_per_zone", "a number from 0 to 1000", "1", "Nodes in each zone."),
            key(
                "root_volume",
                "a table",
                "120 GiB of gp2 (platform.md §2.5)",
                "The root volume of a node.",
            ),
            key(
                "device_plugin_config",
                "a line of text",
                "none",
                "The configuration of NVIDIA's device plugin.",
            ),
            TIMEOUT,
        ],
    },
    Table {
        path: "root_volume",
        about: "In `[[gpu]]`.",
        example: "root_volume = { size_gib = 200, type = \"gp3\", iops = 4000 }",
        keys: &[
            key("size_gib", "a number from 50 to 16384", "120", "Its size in GiB."),
            key(
                "type",
                "one of \"gp2\", \"gp3\", \"io1\", \"io2\"",
                "\"gp2\"",
                "Its type.",
            ),
            key(
                "iops",
                "a number from 0 to 256000",
                "0",
                "0 is the default of the type.",
            ),
        ],
    },
    Table {
        path: "[rhoai]",
        about: "Which release of OpenShift AI.",
        example: "[rhoai]\nprofile = \"stable\"",
        keys: &[
            key(
                "profile",
                "one of \"stable\", \"ea\"",
                "\"stable\"",
                "A channel and a version that fit.",
            ),
            key("channel", "a channel", "the profile's", "With `csv`, or not at all."),
            key(
                "csv",
                "the name of a CSV",
                "the profile's",
                "With `channel`, or not at all.",
            ),
            key(
                "approval",
                "one of \"automatic\", \"manual\"",
                "\"automatic\"",
                "Who approves the operator's install plans.",
            ),
            key("components", "a table", "as below", "Which components run."),
            TIMEOUT,
        ],
    },
    Table {
        path: "[rhoai.components]",
        about: "Which components of OpenShift AI run.",
        example: "[rhoai.components]\ntrustyai = true",
        keys: &[
            switch("dashboard", "true", "The dashboard."),
            switch("pipelines", "true", "AI pipelines."),
            switch("workbenches", "true", "Workbenches."),
            switch("model_registry", "true", "The model registry."),
            switch("mlflow", "true", "MLflow."),
            switch("training_operator", "true", "The training operator."),
            switch("nim", "true", "NVIDIA NIM."),
            switch("llama_stack", "false", "Llama Stack."),
            switch("trustyai", "false", "TrustyAI."),
            switch("feature_store", "false", "The feature store."),
            switch("kueue", "false", "Kueue."),
            switch("distributed_workloads", "false", "Ray and queues; needs `kueue`."),
        ],
    },
    Table {
        path: "[monitoring]",
        about: "User-workload monitoring.",
        example: "[monitoring]\nenabled = true",
        keys: &[switch("enabled", "true", "Models are of little use unseen."), TIMEOUT],
    },
    Table {
        path: "[gateway]",
        about: "The llm-d gateway, for models that are not published to MaaS.",
        example: "[gateway]\nexposure = \"route\"",
        keys: &[
            key(
                "name",
                "an object name",
                "\"openshift-ai-inference\" (serving.md §6.1)",
                "The name of the gateway.",
            ),
            key(
                "exposure",
                "one of \"route\", \"loadbalancer\"",
                "\"route\"",
                "How it is reached from outside.",
            ),
            key(
                "subdomain",
                "a DNS label",
                "\"inference\"",
                "Only with \"loadbalancer\".",
            ),
            TIMEOUT,
        ],
    },
    Table {
        path: "[[models]]",
        about: "A model to serve.",
        example: "[[models]]\nname = \"qwen3-8b\"\nnamespace = \"llm-d-demo\"\nsource = \"hf://Qwen/Qwen3-8B\"",
        keys: &[
            key(
                "name",
                "a name",
                "required",
                "The name of the service, unique in the stack.",
            ),
            key(
                "model_name",
                "a line of text",
                "`name`",
                "What clients write into the field `model`.",
            ),
            key(
                "namespace",
                "a namespace",
                "required",
                "A project for models; never one of the platform's own.",
            ),
            key(
                "source",
                "an `oci://`, `hf://` or `pvc://` URI",
                "required",
                "Where its weights come from.",
            ),
            key("hf_token", "a secret reference", "none", "Only with `hf://`."),
            key("replicas", "a number from 0 to 1000", "1", "Copies; 0 parks it."),
            key("gpus", "a number from 0 to 8", "1", "GPUs of one copy."),
            key(
                "cpu",
                "an amount of CPU",
                "1 (serving.md §6.2)",
                "The limit of one copy.",
            ),
            key(
                "memory",
                "an amount of memory",
                "\"8Gi\" (serving.md §6.2)",
                "The limit of one copy.",
            ),
            key("requests", "a table", "the limits", "What one copy asks for."),
            key(
                "hardware_profile",
                "an object name",
                "\"gpu-profile\"; required with `gpus = 0`",
                "A profile of the platform.",
            ),
            key(
                "runtime_version",
                "a line of text",
                "\"v0.18.0\" (serving.md §1.3.1)",
                "An annotation, nothing else.",
            ),
            key("image", "a line of text", "the platform's", "The image to run."),
            key("vllm", "a table", "as below", "How vLLM is called."),
            key("env", "a table of texts", "none", "Environment variables, no secrets."),
            switch("maas", "false", "Whether it is published to MaaS."),
            switch(
                "auth",
                "false",
                "Whether callers need a token; MaaS always asks for a key.",
            ),
            switch("monitoring", "as `[monitoring]`", "Whether its metrics are scraped."),
            switch(
                "simple_scheduler",
                "false",
                "The platform's scheduling defaults instead of the manual's weights.",
            ),
            key("display", "a table", "none", "What people read about it."),
            TIMEOUT,
        ],
    },
    Table {
        path: "requests",
        about: "In `[[models]]`; never above the limits.",
        example: "requests = { cpu = \"500m\", memory = \"8Gi\" }",
        keys: &[
            key("cpu", "an amount of CPU", "the limit", "CPU asked for."),
            key("memory", "an amount of memory", "the limit", "Memory asked for."),
        ],
    },
    Table {
        path: "vllm",
        about: "In `[[models]]`.",
        example: "vllm = { prefix_caching = \"auto\", args = [\"--tool-call-parser=hermes\"] }",
        keys: &[
            key(
                "prefix_caching",
                "\"auto\", true or false",
                "\"auto\"",
                "Whether it keeps computed prefixes.",
            ),
            key("args", "a list of strings", "none", "Further arguments."),
        ],
    },
    Table {
        path: "display",
        about: "In `[[models]]`.",
        example: "display = { description = \"A small model\", use_case = \"chat\" }",
        keys: &[
            key("description", "a line of text", "none", "A sentence about it."),
            key("use_case", "a line of text", "none", "What it is for."),
            key("context_window", "a line of text", "none", "As people read it."),
        ],
    },
    Table {
        path: "[maas]",
        about: "Models-as-a-Service.",
        example: "[maas]\nenabled = true",
        keys: &[
            switch("enabled", "true", "A table that is off is still checked."),
            key(
                "mode",
                "one of \"subscriptions\", \"gateway-policies\"",
                "\"subscriptions\"",
                "How limits are written; the second is for releases up to 3.3.",
            ),
            key(
                "max_key_days",
                "a number from 1 to 3650",
                "90 (serving.md §1.10)",
                "How long an API key may live.",
            ),
            key("database", "a table", "embedded", "Where API keys are kept."),
            switch(
                "telemetry",
                "false",
                "Whether the platform's telemetry policies are made.",
            ),
            key("tiers", "an array of tables", "none", "Who may use how much."),
            key("groups", "an array of tables", "none", "Groups that the stack makes."),
            TIMEOUT,
        ],
    },
    Table {
        path: "[maas.database]",
        about: "Where API keys are kept.",
        example: "[maas.database]\nmode = \"external\"\nurl = { env = \"MAAS_DATABASE_URL\" }",
        keys: &[
            key(
                "mode",
                "one of \"embedded\", \"external\"",
                "\"embedded\"",
                "The embedded one forgets its keys when its pod goes.",
            ),
            key("password", "a secret reference", "generated", "Only with \"embedded\"."),
            key(
                "url",
                "a secret reference",
                "required with \"external\"",
                "The connection URL, password included.",
            ),
        ],
    },
    Table {
        path: "[[maas.tiers]]",
        about: "Who may use which models, and how much. Groups and users together are at least one.",
        example: "[[maas.tiers]]\nname = \"pro\"\npriority = 2\ngroups = [\"pro-users\"]\nlimits = [{ model = \"qwen3-8b\", tokens = 3_000, window = \"5m\" }]",
        keys: &[
            key("name", "a name", "required", "Unique in the stack."),
            key(
                "priority",
                "a number from 0 to 2147483647",
                "required",
                "A caller in several tiers gets the highest.",
            ),
            key("groups", "a list of names", "none", "The groups in it."),
            key(
                "users",
                "a list of names",
                "none",
                "The users in it, meant for service accounts.",
            ),
            key("limits", "a list of rows", "required", "One row a model and window."),
        ],
    },
    Table {
        path: "a row of limits",
        about: "In `[[maas.tiers]]`.",
        example: "",
        keys: &[
            key(
                "model",
                "the name of a model",
                "required",
                "A model with `maas = true`.",
            ),
            key(
                "tokens",
                "a number from 1 to 1000000000",
                "required",
                "Tokens per user.",
            ),
            key(
                "window",
                "a number and s, m or h; at most \"8784h\"",
                "required",
                "When the count starts again.",
            ),
        ],
    },
    Table {
        path: "[[maas.groups]]",
        about: "A group that the stack makes.",
        example: "[[maas.groups]]\nname = \"pro-users\"\nmembers = \"unmanaged\"",
        keys: &[
            key(
                "name",
                "a name",
                "required",
                "Never a group of the cluster's administrators.",
            ),
            key(
                "members",
                "\"unmanaged\", or a list of users",
                "\"unmanaged\"",
                "Who decides who is in it.",
            ),
        ],
    },
    Table {
        path: "a secret reference",
        about: "Where a secret is: exactly one place. A secret itself is never written in a stack.",
        example: "hf_token = { secret = \"models/hf-token\", key = \"token\" }",
        keys: &[
            key("env", "a line of text", "–", "An environment variable."),
            key("file", "a path", "–", "A file, beside the stack's."),
            key("command", "a list of strings", "–", "A program that prints it."),
            switch("generate", "–", "Made once by stackctl."),
            key(
                "secret",
                "\"namespace/name\"",
                "–",
                "A Secret of the cluster; needs `key`.",
            ),
            key("key", "a line of text", "–", "The entry of that Secret."),
        ],
    },
    Table {
        path: "[[manifests]]",
        about: "Objects of your own.",
        example: "[[manifests]]\nname = \"extras\"\npath = \"manifests\"",
        keys: &[
            key(
                "name",
                "an object name",
                "required",
                "It begins the address of each object.",
            ),
            key("path", "a path", "required", "A file, or a directory of files."),
            key("depends_on", "a list of addresses", "none", "What they wait for."),
            key("ready", "a table", "by kind", "When an object is ready."),
        ],
    },
    Table {
        path: "ready",
        about: "In `[[manifests]]`: a condition, or a path.",
        example: "ready = { jsonpath = \".status.phase\", equals = \"Active\" }",
        keys: &[
            key(
                "condition",
                "a line of text",
                "–",
                "A status condition that must be true.",
            ),
            key("jsonpath", "a path", "–", "A field that must be there."),
            key(
                "equals",
                "a text, a whole number or a boolean",
                "anything that is not empty",
                "What the field must be.",
            ),
        ],
    },
    Table {
        path: "[state]",
        about: "Where what was applied is recorded.",
        example: "[state]\nbackend = \"local\"",
        keys: &[key(
            "backend",
            "one of \"local\"",
            "\"local\"",
            "In `.stackctl/` beside the stack.",
        )],
    },
];

/// Returns the page `docs/stack.md`.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in TABLES {
        page.extend([format!("\n## {}\n\n{}\n", shown(table.path), table.about)]);
        if !table.example.is_empty() {
            page.extend([format!("\n```toml\n{}\n```\n", table.example)]);
        }
        page += "\n| Key | Takes | Without it | |\n|---|---|---|---|\n";
        for key in table.keys {
            page.extend([format!(
                "| `{}` | {} | {} | {} |\n",
                key.name, key.value, key.default, key.text
            )]);
        }
    }
    page
}

fn shown(path: &str) -> String {
    match path.split_once(' ') {
        Some(_) => path.to_owned(),
        None => format!("`{path}`"),
    }
}

const INTRODUCTION: &str = "# The stack language

Written by `cargo xtask docs`; edit `stacks/src/language/reference.rs` instead.

A stack is TOML, in one file or several layers. Layers are merged left to right, and `--set` comes last: tables deeply,
arrays of tables by `name`, everything else by replacing. A path of `--set` is keys joined by dots, with `[name]` after an
array of tables: `--set 'models[qwen3-8b].replicas=2'`. A key that does not exist is an error.
";

#[cfg(test)]
mod tests {
    use super::super::{Source, parse, read};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_keys_of_the_page_are_those_that_the_readers_ask_for() {
        let manifests =
            "[stack]\nname = \"m\"\n[[manifests]]\nname = \"m\"\npath = \"m\"\nready = { condition = \"Ready\" }\n";
        for text in [include_str!("../../../tests/configs/valid/everything.toml"), manifests] {
            let source = Source {
                name: "stack.toml".to_owned(),
                text: text.to_owned(),
            };
            parse(&[source], &[]).expect("a valid stack");
        }
        let written: BTreeSet<(String, &str)> = TABLES
            .iter()
            .flat_map(|table| table.keys.iter().map(|key| (table.path.to_owned(), key.name)))
            .collect();
        let asked = read::asked();
        let missing: Vec<_> = asked.difference(&written).collect();
        let unread: Vec<_> = written.difference(&asked).collect();
        assert!(missing.is_empty(), "keys without a row: {missing:?}");
        assert!(unread.is_empty(), "rows without a key: {unread:?}");
    }
}
