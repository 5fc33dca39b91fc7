//! What each input of the guide's serving phases is in the stack language (`reference/serving.md` §6, row by row).

use super::knobs::{Knob, Standing, knob};

/// Every input of the guide's serving phases, in its order.
pub const SERVING_KNOBS: &[Knob] = &[
    knob("cluster.apps_domain", Standing::Keys(&["[cluster] apps_domain"])),
    knob("rhoai.profile", Standing::Keys(&["[rhoai] profile"])),
    knob("llmd.gateway.name", Standing::Keys(&["[gateway] name"])),
    knob(
        "llmd.gateway.namespace",
        Standing::NotExposed(
            "the gateway controller of OpenShift, KServe's default gateway and every certificate are in `openshift-ingress`",
        ),
    ),
    knob("llmd.gateway.subdomain", Standing::Keys(&["[gateway] subdomain"])),
    knob("llmd.gateway.exposure", Standing::Keys(&["[gateway] exposure"])),
    knob(
        "llmd.gateway.tls.secret",
        Standing::Keys(&["[gateway.tls] mode", "[gateway.tls] secret"]),
    ),
    knob("llmd.gateway.tls.generate", Standing::Keys(&["[gateway.tls] mode"])),
    knob("llmd.gateway.tls.issuer", Standing::Keys(&["[gateway.tls] issuer"])),
    knob("name", Standing::Keys(&["[[models]] name"])),
    knob("namespace", Standing::Keys(&["[[models]] namespace"])),
    knob("deployment", Standing::Keys(&["[[models]] deployment"])),
    knob("simple_scheduler", Standing::Keys(&["[[models]] simple_scheduler"])),
    knob("model_name", Standing::Keys(&["[[models]] model_name"])),
    knob("storage.type", Standing::Derived("the scheme of `source`")),
    knob("storage.uri", Standing::Keys(&["[[models]] source"])),
    knob(
        "storage.pvc.{size,access_mode,storage_class}",
        Standing::Keys(&["volume size", "volume access_mode", "volume storage_class"]),
    ),
    knob("hf_token_ref", Standing::Keys(&["[[models]] hf_token"])),
    knob("replicas", Standing::Keys(&["[[models]] replicas"])),
    knob(
        "resources.{limits,requests}.{cpu,memory,gpu}",
        Standing::Keys(&[
            "[[models]] cpu",
            "[[models]] memory",
            "[[models]] gpus",
            "[[models]] requests",
        ]),
    ),
    knob("hardware_profile", Standing::Keys(&["[[models]] hardware_profile"])),
    knob("image_override", Standing::Keys(&["[[models]] image"])),
    knob("runtime_version", Standing::Keys(&["[[models]] runtime_version"])),
    knob("vllm.prefix_caching", Standing::Keys(&["vllm prefix_caching"])),
    knob("vllm.extra_args", Standing::Keys(&["vllm args"])),
    knob("env", Standing::Keys(&["[[models]] env"])),
    knob(
        "cpu.kv_cache_gib / cpu.skip_warmup",
        Standing::Keys(&["cpu_inference kv_cache_gib", "cpu_inference skip_warmup"]),
    ),
    knob(
        "scheduler.{hash_block_size,max_prefix_blocks,lru_capacity}",
        Standing::Keys(&[
            "scheduler hash_block_size",
            "scheduler max_prefix_blocks",
            "scheduler lru_capacity",
        ]),
    ),
    knob(
        "scheduler.tls.{enabled,secret,mount_path}",
        Standing::Keys(&["scheduler tls", "scheduler.tls secret", "scheduler.tls mount_path"]),
    ),
    knob(
        "prefill.{replicas,resources}",
        Standing::Keys(&[
            "prefill replicas",
            "prefill gpus",
            "prefill cpu",
            "prefill memory",
            "prefill requests",
        ]),
    ),
    knob(
        "pd.{threshold,max_endpoints}",
        Standing::Keys(&["pd threshold", "pd max_endpoints"]),
    ),
    knob(
        "kv.{block_size,abort_timeout,log_level,args_order,env_order}",
        Standing::Keys(&[
            "kv_transfer block_size",
            "kv_transfer abort_timeout_ms",
            "kv_transfer log_level",
            "kv_transfer first_argument",
        ]),
    ),
    knob(
        "probes.use_startup + numbers",
        Standing::Keys(&["probes startup", "probes liveness"]),
    ),
    knob(
        "monitoring.{enabled,interval,scrape_timeout}",
        Standing::Keys(&[
            "[[models]] monitoring",
            "monitoring of a model interval",
            "monitoring of a model scrape_timeout",
        ]),
    ),
    knob("auth", Standing::Keys(&["[[models]] auth"])),
    knob("maas", Standing::Keys(&["[[models]] maas"])),
    knob(
        "maas_gateway.{name,namespace}",
        Standing::NotExposed("the dashboard, the tenant and the policies know the gateway of MaaS by its one name"),
    ),
    knob(
        "display.{description,use_case,context_window}",
        Standing::Keys(&["display description", "display use_case", "display context_window"]),
    ),
    knob(
        "canary.{of,weight,phase}",
        Standing::Keys(&["canary of", "canary weight"]),
    ),
    knob("maas.enabled", Standing::Keys(&["[maas] enabled"])),
    knob("maas.generation", Standing::Keys(&["[maas] mode"])),
    knob("maas.gateway.exposure", Standing::Keys(&["[maas.gateway] exposure"])),
    knob(
        "maas.gateway.subdomain",
        Standing::NotExposed("the dashboard computes `maas.<apps domain>` and no other host"),
    ),
    knob(
        "maas.gateway.class",
        Standing::NotExposed("the class is shared with other gateways of the cluster under its one name"),
    ),
    knob(
        "maas.gateway.tls.{secret,generate,issuer}",
        Standing::Keys(&[
            "[maas.gateway.tls] mode",
            "[maas.gateway.tls] secret",
            "[maas.gateway.tls] issuer",
        ]),
    ),
    knob(
        "maas.gateway.route_termination",
        Standing::Keys(&["[maas.gateway] termination"]),
    ),
    knob(
        "maas.gateway.model_namespaces",
        Standing::Derived("the namespaces of every published and every external model"),
    ),
    knob(
        "maas.gateway.telemetry / exhaustive",
        Standing::Keys(&["[maas] telemetry", "[maas] exhaustive_telemetry"]),
    ),
    knob("maas.db.mode", Standing::Keys(&["[maas.database] mode"])),
    knob("maas.db.password", Standing::Keys(&["[maas.database] password"])),
    knob("maas.db.url", Standing::Keys(&["[maas.database] url"])),
    knob(
        "maas.tenant.max_expiration_days",
        Standing::Keys(&["[maas] max_key_days"]),
    ),
    knob("maas.tenant.gateway_ref", Standing::Derived("the gateway of MaaS")),
    knob(
        "maas.tenant.oidc.{issuer_url,client_id,ttl}",
        Standing::Keys(&[
            "[maas.oidc] issuer_url",
            "[maas.oidc] client_id",
            "[maas.oidc] ttl_seconds",
        ]),
    ),
    knob(
        "maas.tenant.telemetry.*",
        Standing::Keys(&[
            "[maas.tenant_telemetry] organization",
            "[maas.tenant_telemetry] user",
            "[maas.tenant_telemetry] group",
            "[maas.tenant_telemetry] model_usage",
        ]),
    ),
    knob(
        "maas.dashboard.flags",
        Standing::Derived("all on with MaaS; a page that is hidden would only be missed"),
    ),
    knob(
        "maas.authorino.namespace",
        Standing::NotExposed("maas-api lets Authorino in from `kuadrant-system`, where Kuadrant is installed"),
    ),
    knob(
        "maas.limitador.redis_secret",
        Standing::Keys(&["[maas] limitador_redis_url"]),
    ),
    knob("maas.ca_bundle", Standing::Keys(&["[tls] trusted_ca"])),
    knob("tiers[].name", Standing::Keys(&["[[maas.tiers]] name"])),
    knob(
        "tiers[].groups / users",
        Standing::Keys(&["[[maas.tiers]] groups", "[[maas.tiers]] users"]),
    ),
    knob("tiers[].priority", Standing::Keys(&["[[maas.tiers]] priority"])),
    knob("tiers[].limits[].model", Standing::Keys(&["a row of limits model"])),
    knob(
        "tiers[].limits[].rates[]",
        Standing::Keys(&["a row of limits tokens", "a row of limits window"]),
    ),
    knob(
        "tiers[].billing_per_token",
        Standing::Keys(&["[[maas.tiers]] billing_per_token"]),
    ),
    knob(
        "tiers[].metadata.{organization_id,cost_center,labels}",
        Standing::Keys(&[
            "metadata of a tier organization_id",
            "metadata of a tier cost_center",
            "metadata of a tier labels",
        ]),
    ),
    knob(
        "groups[].{name,members}",
        Standing::Keys(&["[[maas.groups]] name", "[[maas.groups]] members"]),
    ),
    knob(
        "users[].{name,password_ref}",
        Standing::Keys(&["[[maas.users]] name", "[[maas.users]] password"]),
    ),
    knob(
        "external[].name,namespace",
        Standing::Keys(&["[[maas.external_models]] name", "[[maas.external_models]] namespace"]),
    ),
    knob(
        "external[].provider",
        Standing::Keys(&["[[maas.external_models]] provider"]),
    ),
    knob(
        "external[].endpoint",
        Standing::Keys(&["[[maas.external_models]] endpoint"]),
    ),
    knob(
        "external[].target_model",
        Standing::Keys(&["[[maas.external_models]] target_model"]),
    ),
    knob(
        "external[].credential.{secret_name,value_ref}",
        Standing::Keys(&[
            "[[maas.external_models]] secret_name",
            "[[maas.external_models]] api_key",
        ]),
    ),
    knob(
        "external[].tls / port",
        Standing::Keys(&["[[maas.external_models]] tls", "[[maas.external_models]] port"]),
    ),
];
