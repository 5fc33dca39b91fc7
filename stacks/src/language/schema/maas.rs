//! `[maas]`, `[[maas.groups]]` and `[[maas.users]]`: Models-as-a-Service.

use super::super::place::Place;
use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use super::fate;
use super::maas_external::{self, RawExternalModel};
use super::maas_settings;
use super::maas_tiers::{self, RawTier, subjects};
use crate::stack::{
    Database, Fate, GivenSecret, GroupName, MaasGateway, MaasMonitoring, MaasUser, Members, Oidc, SecretRef,
    TenantTelemetry, TierLookup, Timeout, UserName,
};

/// The tables as written.
#[derive(Debug)]
pub(crate) struct RawMaas {
    pub(crate) enabled: bool,
    pub(crate) enabled_place: Place,
    pub(crate) mode: RawMode,
    pub(crate) mode_place: Place,
    pub(crate) gateway: MaasGateway,
    pub(crate) max_key_days: u16,
    pub(crate) database: Database,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) telemetry: At<bool>,
    pub(crate) exhaustive_telemetry: Option<bool>,
    pub(crate) tenant_telemetry: Option<At<TenantTelemetry>>,
    pub(crate) auth_timeout: Option<Timeout>,
    pub(crate) limitador_redis_url: Option<GivenSecret>,
    pub(crate) monitoring: MaasMonitoring,
    pub(crate) tier_lookup: TierLookup,
    pub(crate) audience: String,
    pub(crate) tiers: Vec<At<RawTier>>,
    pub(crate) has_tiers: bool,
    pub(crate) groups: Vec<At<RawGroup>>,
    pub(crate) users: Vec<At<RawUser>>,
    pub(crate) external_models: Vec<At<RawExternalModel>>,
    /// The names of all of these, those that are wrong in other ways included.
    pub(crate) external_names: Vec<String>,
    /// Where keys stand that only the generation of subscriptions has.
    pub(crate) of_subscriptions: Vec<(&'static str, Place)>,
    /// Where keys stand that only the older generation has.
    pub(crate) of_gateway_policies: Vec<(&'static str, Place)>,
    pub(crate) ready_timeout: Option<Timeout>,
    pub(crate) fate: Fate,
}

/// The generation, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawMode {
    Subscriptions,
    GatewayPolicies,
}

/// A group as written.
#[derive(Debug)]
pub(crate) struct RawGroup {
    pub(crate) name: At<GroupName>,
    pub(crate) members: Members,
}

/// A user as written.
#[derive(Debug)]
pub(crate) struct RawUser {
    pub(crate) name: At<UserName>,
    pub(crate) password: GivenSecret,
}

impl RawUser {
    pub(crate) fn done(self) -> MaasUser {
        MaasUser {
            name: self.name.value,
            password: self.password,
        }
    }
}

const OF_SUBSCRIPTIONS: &[&str] = &[
    "max_key_days",
    "database",
    "oidc",
    "tenant_telemetry",
    "external_models",
];
const OF_GATEWAY_POLICIES: &[&str] = &["tier_lookup", "audience"];

/// Whom the tokens of callers are for in the older generation (`reference/serving.md` §1.11).
const AUDIENCE: &str = "maas-default-gateway-sa";

const MODES: &[(&str, RawMode)] = &[
    ("subscriptions", RawMode::Subscriptions),
    ("gateway-policies", RawMode::GatewayPolicies),
];

#[derive(Clone, Copy, Debug)]
enum DatabaseMode {
    Embedded,
    External,
}

const DATABASE_MODES: &[(&str, DatabaseMode)] = &[
    ("embedded", DatabaseMode::Embedded),
    ("external", DatabaseMode::External),
];

/// The manual's limit on the life of a key (`reference/serving.md` §1.10).
const MAX_KEY_DAYS: u16 = 90;

/// Groups of the cluster's administrators: who is in them is never ours to say (`reference/serving.md` §6.4).
const RESERVED_GROUPS: &[&str] = &["cluster-admins", "rhods-admins"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawMaas> {
    let mut reader = Reader::new(field, "`[maas]`", problems)?;
    let place = reader.place;
    let enabled = reader.or("enabled", true, problems, read::boolean);
    let mode = reader.or("mode", RawMode::Subscriptions, problems, read::word(MODES));
    let gateway = reader.or(
        "gateway",
        maas_settings::default_gateway(mode),
        problems,
        maas_settings::gateway(mode),
    );
    // Ten years; a larger number is a typo.
    let max_key_days = reader.or("max_key_days", MAX_KEY_DAYS, problems, read::integer(1, 3650));
    let embedded = Database::Embedded {
        password: SecretRef::Generate,
    };
    let database = reader.or("database", embedded, problems, database);
    let oidc = reader.optional("oidc", problems, maas_settings::oidc);
    if let (Some(_), Some(place)) = (&oidc, reader.key_place("oidc")) {
        // `reference/serving.md` §3.1.
        let what = "another identity provider for MaaS";
        problems.push(place, Problem::Preview { what });
    }
    let telemetry = reader.optional("telemetry", problems, read::boolean);
    let exhaustive_telemetry = reader.optional("exhaustive_telemetry", problems, read::boolean);
    let tenant_telemetry = reader.optional("tenant_telemetry", problems, maas_settings::tenant_telemetry);
    let auth_timeout = reader.optional("auth_timeout", problems, typed::timeout);
    let limitador_redis_url = reader.optional("limitador_redis_url", problems, typed::given);
    let monitoring = reader.or(
        "monitoring",
        maas_settings::default_monitoring(),
        problems,
        maas_settings::monitoring,
    );
    let lookup = maas_settings::default_lookup();
    let tier_lookup = reader.or("tier_lookup", lookup, problems, maas_settings::lookup);
    let audience = reader.or("audience", AUDIENCE.to_owned(), problems, read::line);
    let has_tiers = reader.has("tiers");
    let tiers = reader.field("tiers").map_or_else(Vec::new, |field| {
        read::tables(field, "maas.tiers", problems, maas_tiers::tier)
    });
    let groups = reader
        .field("groups")
        .map_or_else(Vec::new, |field| read::tables(field, "maas.groups", problems, group));
    let users = reader
        .field("users")
        .map_or_else(Vec::new, |field| read::tables(field, "maas.users", problems, user));
    let external_models = reader.field("external_models");
    let external_names = external_models.map_or_else(Vec::new, |field| super::names(field.node));
    let external_models = external_models.map_or_else(Vec::new, |field| {
        read::tables(field, "maas.external_models", problems, maas_external::read)
    });
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    let fate = fate::read(&mut reader, problems);
    let places = |keys: &[&'static str]| {
        let place = |key: &&'static str| Some((*key, reader.key_place(key)?));
        keys.iter().filter_map(place).collect()
    };
    let raw = RawMaas {
        enabled,
        enabled_place: reader.key_place("enabled").unwrap_or(place),
        mode,
        mode_place: reader.key_place("mode").unwrap_or(place),
        gateway,
        max_key_days,
        database,
        oidc: oidc.map(|at| at.value),
        telemetry: telemetry.unwrap_or(At { value: false, place }),
        exhaustive_telemetry: exhaustive_telemetry.map(|at| at.value),
        tenant_telemetry,
        auth_timeout: auth_timeout.map(|at| at.value),
        limitador_redis_url: limitador_redis_url.map(|at| at.value),
        monitoring,
        tier_lookup,
        audience,
        tiers,
        has_tiers,
        groups,
        users,
        external_models,
        external_names,
        of_subscriptions: places(OF_SUBSCRIPTIONS),
        of_gateway_policies: places(OF_GATEWAY_POLICIES),
        ready_timeout,
        fate,
    };
    reader.finish(problems);
    Some(raw)
}

fn database(field: Field<'_>, problems: &mut Problems) -> Option<Database> {
    let mut reader = Reader::new(field, "`[maas.database]`", problems)?;
    let mode = reader.or("mode", DatabaseMode::Embedded, problems, read::word(DATABASE_MODES));
    let database = match mode {
        DatabaseMode::Embedded => {
            reader.ignore(&["url"], "only `mode = \"external\"` has a URL", problems);
            Some(Database::Embedded {
                password: reader.or("password", SecretRef::Generate, problems, typed::secret),
            })
        }
        DatabaseMode::External => {
            reader.ignore(
                &["password"],
                "the URL holds the password of an external database",
                problems,
            );
            reader
                .required(
                    "url",
                    "write `url = { env = \"…\" }`: the whole connection URL is a secret",
                    problems,
                    typed::given,
                )
                .map(|at| Database::External { url: at.value })
        }
    };
    reader.finish(problems);
    database
}

/// Reads a user that logs in with a password. The cluster reads its lines, so a name may hold no colon.
fn user(field: Field<'_>, problems: &mut Problems) -> Option<RawUser> {
    let mut reader = Reader::new(field, "`[[maas.users]]`", problems)?;
    let name = reader.required("name", "write `name = \"…\"`", problems, user_name);
    let password = reader.required(
        "password",
        "write `password = { env = \"…\" }`: a secret is never written here, only where it is",
        problems,
        typed::given,
    );
    reader.finish(problems);
    Some(RawUser {
        name: name?,
        password: password?.value,
    })
}

fn user_name(field: Field<'_>, problems: &mut Problems) -> Option<UserName> {
    let name: UserName = typed::name(UserName::NOUN)(field, problems)?;
    if name.as_str().contains(':') {
        let hint = "a user that logs in has no `:` in its name; service accounts have no password".to_owned();
        let (text, noun) = (name.to_string(), "the name of a user that logs in");
        problems.push(field.node.place, Problem::Malformed { text, noun, hint });
        return None;
    }
    Some(name)
}

fn group(field: Field<'_>, problems: &mut Problems) -> Option<RawGroup> {
    let mut reader = Reader::new(field, "`[[maas.groups]]`", problems)?;
    let name = reader.required("name", "write `name = \"…\"`", problems, group_name);
    let members = reader.or("members", Members::Unmanaged, problems, members);
    reader.finish(problems);
    Some(RawGroup { name: name?, members })
}

fn group_name(field: Field<'_>, problems: &mut Problems) -> Option<GroupName> {
    let group: GroupName = typed::name(GroupName::NOUN)(field, problems)?;
    let text = group.as_str();
    if text.contains(':') || RESERVED_GROUPS.contains(&text) {
        let hint = "the cluster itself decides who is in it; name it in a tier, without a `[[maas.groups]]` table";
        problems.push(
            field.node.place,
            Problem::Reserved {
                what: "group",
                name: text.to_owned(),
                hint,
            },
        );
        return None;
    }
    Some(group)
}

fn members(field: Field<'_>, problems: &mut Problems) -> Option<Members> {
    match &field.node.value {
        Value::Text(text) if text == "unmanaged" => Some(Members::Unmanaged),
        Value::Text(text) => {
            let hint = "write \"unmanaged\", or a list of users: [\"bob\"]".to_owned();
            let problem = Problem::UnknownWord {
                key: field.key.to_owned(),
                word: text.clone(),
                hint,
            };
            problems.push(field.node.place, problem);
            None
        }
        _ => subjects::<UserName>(UserName::NOUN)(field, problems).map(Members::Exactly),
    }
}
