//! The text of a first stack file.

use super::{Gpus, Starter};
use std::fmt::Write as _;

/// Writes it; `cluster` is what people call the cluster that was asked, nothing where none was.
pub fn text(decided: &Starter, cluster: Option<&str>) -> String {
    let mut text = String::new();
    head(&mut text, decided, cluster);
    gpu(&mut text, &decided.gpus);
    platform(&mut text, decided);
    model(&mut text, decided);
    text.push_str(END);
    text
}

fn head(text: &mut String, decided: &Starter, cluster: Option<&str>) {
    let for_whom = match cluster {
        Some(cluster) => format!("for the cluster {}", one_line(cluster)),
        None => "for a cluster on AWS; no cluster was asked".to_owned(),
    };
    let _ = write!(
        text,
        "# A first stack, {for_whom}:\n\
         # OpenShift AI, and one model behind Models-as-a-Service.\n\
         #\n\
         #   stackctl plan              what would be done, and why\n\
         #   stackctl apply             do it\n\
         #   stackctl plan --simulate   the same on an embedded cluster, to try it out\n\
         #\n\
         # A key that is not written here has a safe default; a key that does not exist is an error.\n\n\
         [stack]\n\
         name = \"{}\"{}# marks every object of this stack; choose it once\n\n\
         [cluster]\n",
        decided.name,
        " ".repeat(22_usize.saturating_sub(decided.name.len()).max(1))
    );
    if decided.on_aws {
        text.push_str("platform  = \"aws\"              # machines may be made through its API\n");
    } else {
        text.push_str("platform  = \"none\"             # no cloud API is used: machines are yours\n");
    }
    text.push_str("openshift = \">=4.20\"           # the first version with the gateway that models need\n\n[tls]\n");
    if decided.keeps_certificate {
        text.push_str("issuer = \"existing\"            # the router's own certificate, read from the cluster\n");
        if decided.on_aws {
            text.push_str(
                "# issuer = \"letsencrypt\"       # a public one instead, proved by a record in Route53\n\
                 # email  = \"ops@example.com\"\n",
            );
        }
    } else {
        text.push_str(
            "issuer = \"local-ca\"            # an authority that cert-manager makes; clients import it once\n\
             # issuer = \"existing\"          # the router's certificate instead, once it has one that clients trust\n",
        );
    }
    text.push('\n');
}

fn gpu(text: &mut String, gpus: &Gpus) {
    match gpus {
        Gpus::There(tier) => {
            text.push_str("# Nodes with GPUs that are in the cluster.\n[[gpu]]\n");
            if let Some(tier) = tier {
                let _ = write!(
                    text,
                    "name      = \"{0}\"\n\
                     tier      = \"{0}\"             # {1}, {2} GiB each: there is a hardware profile for them\n",
                    tier.name, tier.product, tier.vram_gib
                );
            } else {
                text.push_str(
                    "name      = \"gpu\"\n\
                     # tier    = \"l40s\"            # the kind of GPU, where it is one of: a10g, l40s, a100, a100-80gb, h100, h200\n",
                );
            }
            text.push_str("provision = \"existing\"\n\n");
        }
        Gpus::Bought { tier, zones } => {
            let size = tier.sizes.first().map_or("", |size| size.name);
            let sizes: Vec<_> = tier.sizes.iter().skip(1).map(|size| size.name).collect();
            let listed: Vec<_> = zones.iter().map(|zone| format!("\"{zone}\"")).collect();
            let _ = write!(
                text,
                "# The nodes that the model runs on. This buys {count} × {size} ({product}, {vram} GiB each), one in each zone.\n\
                 # They cost money while they are there; `stackctl destroy` gives them back.\n\
                 [[gpu]]\n\
                 name  = \"{tier}\"\n\
                 tier  = \"{tier}\"                 # the kind of GPU: a10g, l40s, a100, a100-80gb, h100, h200\n\
                 size  = \"{size}\"          # or {sizes}\n\
                 zones = [{zones}]             # letters after the region; they decide what is bought\n\
                 nodes_per_zone = 1\n\n",
                count = zones.len(),
                product = tier.product,
                vram = tier.vram_gib,
                tier = tier.name,
                sizes = sizes.join(", "),
                zones = listed.join(", "),
            );
        }
        Gpus::Nowhere => text.push_str(
            "# No node has a GPU yet. Once some have:\n\
             # [[gpu]]\n\
             # name      = \"gpu\"\n\
             # tier      = \"l40s\"            # the kind of GPU: a10g, l40s, a100, a100-80gb, h100, h200\n\
             # provision = \"existing\"\n\n",
        ),
        Gpus::Unseen => text.push_str(
            "# Whether nodes have GPUs could not be seen: Node Feature Discovery labels them, and is not there yet. If some have,\n\
             # take the comments away: the stack installs it then, and waits until GPUs are counted.\n\
             # [[gpu]]\n\
             # name      = \"gpu\"\n\
             # tier      = \"l40s\"            # the kind of GPU: a10g, l40s, a100, a100-80gb, h100, h200\n\
             # provision = \"existing\"\n\n",
        ),
    }
}

fn platform(text: &mut String, decided: &Starter) {
    if !decided.on_aws {
        text.push_str(
            "# Gateways need an address each. Where nothing in the cluster hands them out, name some of your network:\n\
             # [metallb]\n\
             # addresses = [\"192.0.2.200-192.0.2.250\"]\n\
             # nodes     = [\"worker-0\", \"worker-1\"]        # which nodes announce them\n\n",
        );
    }
    let _ = write!(
        text,
        "[rhoai]\n\
         profile = {:21}# \"stable\" is OpenShift AI 3.4; \"ea\" is early access\n\n\
         [monitoring]\n\
         enabled = true                 # user-workload monitoring, which scrapes the model\n\n",
        format!("\"{}\"", decided.profile)
    );
}

/// The model, Models-as-a-Service and its tiers; as comments where nothing can run it.
fn model(text: &mut String, decided: &Starter) {
    let profile = match &decided.gpus {
        Gpus::There(Some(tier)) => format!("hardware_profile = \"nvidia-{}-profile\"\n", tier.name),
        Gpus::There(None) | Gpus::Bought { .. } | Gpus::Nowhere | Gpus::Unseen => String::new(),
    };
    let written = format!(
        "[[models]]\n\
         name       = \"qwen3-8b\"\n\
         model_name = \"alibaba/qwen3-8b\" # what clients write into the field `model` of a request\n\
         namespace  = \"llm-d-demo\"\n\
         source     = \"oci://registry.redhat.io/rhelai1/modelcar-qwen3-8b-fp8-dynamic:1.5\"\n\
         replicas   = {}\n\
         gpus       = 1                 # 8.2 B parameters of 1 byte: 7.6 GiB, and at least 4 GiB beside them\n\
         cpu        = 4\n\
         memory     = \"16Gi\"\n\
         requests   = {{ cpu = 1, memory = \"8Gi\" }}\n\
         {profile}\
         maas       = true              # reached through MaaS, with an API key of a tier\n\n\
         {TIERS}",
        decided.replicas.max(1)
    );
    if decided.replicas > 0 {
        text.push_str(&written);
        return;
    }
    text.push_str("# The first model, once there is a GPU with 13 GiB or more:\n");
    for line in written.lines() {
        let line = format!("# {line}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
}

const TIERS: &str = r#"[maas]
enabled      = true
max_key_days = 90              # no API key lives longer

# Keys are kept in a small PostgreSQL that forgets them when its pod goes. For anything but a trial, name your own:
# [maas.database]
# mode = "external"
# url  = { env = "MAAS_DATABASE_URL" }       # a secret is never written here, only where it is

# Who may use how much. A caller in several groups gets the tier with the highest priority.
[[maas.tiers]]
name     = "freemium"
priority = 1
groups   = ["freemium-users"]
limits   = [{ model = "qwen3-8b", tokens = 300, window = "5m" }]

[[maas.tiers]]
name     = "pro"
priority = 2
groups   = ["pro-users"]
limits   = [{ model = "qwen3-8b", tokens = 3_000, window = "5m" }]

# The groups are made; who is in them stays yours: `oc adm groups add-users pro-users bob`.
[[maas.groups]]
name    = "freemium-users"
members = "unmanaged"

[[maas.groups]]
name    = "pro-users"
members = "unmanaged"

"#;

const END: &str = r#"[state]
backend = "local"              # what was applied is recorded in `.stackctl/` beside this file
"#;

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
