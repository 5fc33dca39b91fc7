//! What people add to the platform, manifests of their own, and the state.

use super::super::{Table, Takes};
use super::{ADOPT, ALLOW, DELETE_ADOPTED, KEEP, SECRET, key, switch};

pub(super) const TABLES: &[Table] = &[
    Table {
        path: "[operators]",
        about: "Operators that nothing else here needs, pinned versions, and where packages come from.",
        example: "[operators]\ngrafana = true",
        keys: &[
            switch("grafana", "false", "The Grafana operator, of the community."),
            switch("pipelines", "false", "OpenShift Pipelines."),
            key(
                "service_mesh",
                Takes::Word(&["stable", "stable-3.0", "stable-3.1", "candidates"]),
                "no mesh of its own",
                "Service Mesh 3, by its channel; only Llama Stack uses it.",
            ),
            key(
                "pins",
                Takes::Table("[operators.pins]"),
                "as below",
                "Versions that only stackctl approves.",
            ),
            key(
                "catalogs",
                Takes::Table("[operators.catalogs]"),
                "as below",
                "Where packages come from.",
            ),
        ],
    },
    Table {
        path: "[operators.pins]",
        about: "Versions that only stackctl approves, because newer ones are known to break the platform.",
        example: "[operators.pins]\nconnectivity_link = \"rhcl-operator.v1.3.4\"",
        keys: &[
            key(
                "connectivity_link",
                Takes::Text("the name of a CSV"),
                "\"rhcl-operator.v1.3.4\"",
                "1.4.0 is refused: its gateways answer 500.",
            ),
            key(
                "cluster_observability",
                Takes::Text("the name of a CSV"),
                "\"cluster-observability-operator.v1.4.0\"",
                "1.5.0 is refused: it breaks the dashboard of OpenShift AI.",
            ),
        ],
    },
    Table {
        path: "[operators.catalogs]",
        about: "CatalogSources, for clusters that mirror them.",
        example: "[operators.catalogs]\nredhat = \"cs-redhat-operator-index\"",
        keys: &[
            key(
                "namespace",
                Takes::Text("a namespace"),
                "\"openshift-marketplace\"",
                "Where they are.",
            ),
            key(
                "redhat",
                Takes::Text("an object name"),
                "\"redhat-operators\"",
                "Red Hat's operators.",
            ),
            key(
                "certified",
                Takes::Text("an object name"),
                "\"certified-operators\"",
                "Operators of partners.",
            ),
            key(
                "community",
                Takes::Text("an object name"),
                "\"community-operators\"",
                "The community's operators.",
            ),
        ],
    },
    Table {
        path: "[kueue]",
        about: "The queues of Kueue, which `kueue = true` in `[rhoai.components]` brings.",
        example: "[kueue]\ngpus = 8\nqueues = [{ namespace = \"team-a\" }]",
        keys: &[
            key(
                "cluster_queue",
                Takes::Text("an object name"),
                "\"cluster-queue\"",
                "The ClusterQueue; `default` is OpenShift AI's own.",
            ),
            key(
                "flavor",
                Takes::Text("an object name"),
                "\"default-flavor\"",
                "The ResourceFlavor of its quotas.",
            ),
            key(
                "cpu",
                Takes::Amount("an amount of CPU"),
                "9",
                "How many CPUs all its workloads may have.",
            ),
            key(
                "memory",
                Takes::Amount("an amount of memory"),
                "\"36Gi\"",
                "How much memory.",
            ),
            key("gpus", Takes::Number(0, 100000), "5", "How many GPUs."),
            key(
                "queues",
                Takes::Rows("a list of tables", "queues"),
                "none",
                "A LocalQueue each.",
            ),
        ],
    },
    Table {
        path: "queues",
        about: "In `[kueue]`: a queue of one namespace, which is made if it is no project of a model.",
        example: "queues = [{ namespace = \"team-a\", name = \"default\" }]",
        keys: &[
            key("namespace", Takes::Text("a namespace"), "required", "The namespace."),
            key(
                "name",
                Takes::Text("an object name"),
                "\"default\"",
                "What workloads name.",
            ),
        ],
    },
    Table {
        path: "[[model_registries]]",
        about: "Model registries, each with a database of its own.",
        example: "[[model_registries]]\nname = \"registry\"",
        keys: &[
            key(
                "name",
                Takes::Text("an object name"),
                "required",
                "How the dashboard lists it.",
            ),
            key("password", SECRET, "generated", "The password of its database."),
            key(
                "volume",
                Takes::Text("an amount of storage"),
                "\"10Gi\"",
                "The volume of its database.",
            ),
            key(
                "image",
                Takes::Text("a line of text"),
                "\"mysql:8.0.3\"",
                "The image of its database.",
            ),
            key(
                "rest_port",
                Takes::Number(1, 65535),
                "8080",
                "The port of its REST interface.",
            ),
            switch("rest_route", "false", "Whether a Route leads to it."),
            key(
                "grpc_port",
                Takes::Number(1, 65535),
                "9090",
                "The port of its gRPC interface.",
            ),
        ],
    },
    Table {
        path: "[gitops]",
        about: "OpenShift GitOps, and Applications of the guide's repository.",
        example: "[gitops]\napplications = [\"cert-manager-operator\"]",
        keys: &[
            key(
                "channel",
                Takes::Text("a channel"),
                "\"latest\"",
                "The channel of its operator.",
            ),
            key(
                "repository",
                Takes::Text("a line of text"),
                "the guide's",
                "Where the Applications are.",
            ),
            key(
                "revision",
                Takes::Text("a line of text"),
                "\"main\"",
                "The branch, tag or commit.",
            ),
            key(
                "applications",
                Takes::Words(&["cert-manager-operator", "cert-manager-route53"]),
                "none",
                "Which Applications. Argo CD then writes the same objects as stackctl.",
            ),
        ],
    },
    Table {
        path: "[metallb]",
        about: "Addresses for load balancers, on bare metal.",
        example: "[metallb]\naddresses = [\"192.0.2.200-192.0.2.250\"]",
        keys: &[
            key(
                "addresses",
                Takes::Texts("a list of ranges: \"first-last\" or CIDR"),
                "required",
                "Free addresses of your network.",
            ),
            key(
                "pool",
                Takes::Text("an object name"),
                "\"local-pool\"",
                "The IPAddressPool.",
            ),
            key(
                "advertisement",
                Takes::Text("an object name"),
                "\"local-advert\"",
                "The L2Advertisement.",
            ),
            key(
                "nodes",
                Takes::Texts("a list of nodes"),
                "those that carry the label",
                "Which nodes announce them; they get the label `node-role.llm-d/inference`.",
            ),
        ],
    },
    Table {
        path: "a secret reference",
        about: "Where a secret is: exactly one place. A secret itself is never written in a stack.",
        example: "hf_token = { secret = \"models/hf-token\", key = \"token\" }",
        keys: &[
            key("env", Takes::Text("a line of text"), "–", "An environment variable."),
            key("file", Takes::Text("a path"), "–", "A file, beside the stack's."),
            key(
                "command",
                Takes::Texts("a list of strings"),
                "–",
                "A program that prints it, within a minute.",
            ),
            switch("generate", "–", "Made once by stackctl."),
            key(
                "secret",
                Takes::Text("\"namespace/name\""),
                "–",
                "A Secret of the cluster; needs `key`.",
            ),
            key("key", Takes::Text("a line of text"), "–", "The entry of that Secret."),
        ],
    },
    Table {
        path: "[[manifests]]",
        about: "Objects of your own. Beside what the stack makes itself, objects of these files are checked too, with file and line: for credentials that the gateway does not look at, namespaces that it does not admit, second policies on it, and so on; `stackctl explain STK304` and the codes after it say each.",
        example: "[[manifests]]\nname = \"extras\"\npath = \"manifests\"",
        keys: &[
            key(
                "name",
                Takes::Text("an object name"),
                "required",
                "It begins the address of each object.",
            ),
            key(
                "path",
                Takes::Text("a path"),
                "required",
                "A file, a directory of files, or a pattern of files as `deploy/**/*.yaml`; what `kustomize build` or `helm template` wrote is such a file.",
            ),
            key(
                "namespace",
                Takes::Text("an object name"),
                "\"default\"",
                "Where objects live that name no namespace and need one, as `kubectl apply -n` has it.",
            ),
            key(
                "depends_on",
                Takes::Texts("a list of addresses"),
                "none",
                "What they wait for until it is ready; that has to be known of its kind, or be said by `ready` (STK324).",
            ),
            key(
                "ready",
                Takes::Either(
                    "a table, or a list of tables",
                    &[Takes::Table("ready"), Takes::Rows("a list of tables", "ready")],
                ),
                "by kind",
                "When an object is ready; of several tables the first whose `kind` it has counts.",
            ),
            KEEP,
            ADOPT,
            DELETE_ADOPTED,
            switch(
                "delete_crds",
                "false",
                "Its CustomResourceDefinitions are deleted by a destroy, and when they leave the stack, like all else. Without this they stay, since every object of their kinds goes with them, whoever made it; and with it they stay as long as there are objects of their kinds that are not of the stack.",
            ),
            key(
                "ignore_fields",
                Takes::Texts("a list of paths"),
                "none",
                "What others may move, as an autoscaler does: `spec.replicas`. Such a field is written when its object is made; once somebody else has written it, it is theirs, and no change and no drift.",
            ),
            ALLOW,
        ],
    },
    Table {
        path: "ready",
        about: "In `[[manifests]]`: a condition, a path, or an expression in CEL. A status of an older generation does not count.",
        example: "ready = [\n    { kind = \"Widget\", jsonpath = \".status.phase\", equals = \"Active\" },\n    { kind = \"Gadget.example.com\", cel = \"self.status.nodes >= self.spec.nodes\", failed = \"self.status.phase == 'Broken'\" },\n]",
        keys: &[
            key(
                "kind",
                Takes::Text("a kind, with its group where needed"),
                "all objects of the table",
                "Which objects it is about. Without it what reads a status passes over kinds that have none, as ConfigMaps: they are ready once they are there.",
            ),
            key(
                "condition",
                Takes::Text("a line of text"),
                "–",
                "A status condition that must be true.",
            ),
            key("jsonpath", Takes::Text("a path"), "–", "A field that must be there."),
            key(
                "equals",
                Takes::Either(
                    "a text, a whole number or a boolean",
                    &[Takes::Text("a text"), Takes::Number(i64::MIN, i64::MAX), Takes::Switch],
                ),
                "anything that is not empty",
                "What the field must be.",
            ),
            key(
                "cel",
                Takes::Text("an expression"),
                "–",
                "What must hold; `self` is the object, and `metadata`, `spec`, `status` and `data` are its fields. A field that is not there yet is not ready.",
            ),
            key(
                "failed",
                Takes::Text("an expression"),
                "nothing",
                "What ends the wait: it will not become ready.",
            ),
        ],
    },
    Table {
        path: "[[moved]]",
        about: "An address that the stack has under another name now. What is recorded is renamed, and the cluster hears nothing of it; objects keep the mark of the former address until they are written for another reason. A move that was carried out may stay.",
        example: "[[moved]]\nfrom = \"manifests[extras]\"\nto = \"manifests[team]\"",
        keys: &[
            key(
                "from",
                Takes::Text("an address, or its beginning"),
                "required",
                "What it was; everything that begins so moves.",
            ),
            key(
                "to",
                Takes::Text("an address, or its beginning"),
                "required",
                "What it is. Nothing may be recorded there yet, and no move goes on from there.",
            ),
        ],
    },
    Table {
        path: "[[removed]]",
        about: "What is in the stack no more and is to be left as it is: its record and its marks go with the next apply or destroy, and nothing is deleted.",
        example: "[[removed]]\naddress = 'manifests[extras].configmap[\"demo/settings\"]'",
        keys: &[key(
            "address",
            Takes::Text("an address, or its beginning"),
            "required",
            "What it was; everything that begins so is left.",
        )],
    },
    Table {
        path: "[state]",
        about: "Where what was applied is recorded.",
        example: "[state]\nbackend = \"local\"",
        keys: &[key(
            "backend",
            Takes::Word(&["local"]),
            "\"local\"",
            "In `.stackctl/` beside the stack.",
        )],
    },
];
