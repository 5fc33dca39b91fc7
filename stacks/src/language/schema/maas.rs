//! `[maas]`, `[[maas.tiers]]` and `[[maas.groups]]`: Models-as-a-Service.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use crate::stack::{Database, GroupName, MaasMode, Members, ModelName, SecretRef, TierName, Timeout, UserName, Window};

/// The tables as written.
#[derive(Debug)]
pub(crate) struct RawMaas {
    pub(crate) enabled: bool,
    pub(crate) enabled_place: super::super::place::Place,
    pub(crate) mode: MaasMode,
    pub(crate) max_key_days: u16,
    pub(crate) database: Database,
    pub(crate) telemetry: bool,
    pub(crate) tiers: Vec<At<RawTier>>,
    pub(crate) groups: Vec<At<RawGroup>>,
    pub(crate) ready_timeout: Option<Timeout>,
}

/// A tier as written.
#[derive(Debug)]
pub(crate) struct RawTier {
    pub(crate) name: At<TierName>,
    pub(crate) priority: Option<At<u32>>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) users: Vec<UserName>,
    pub(crate) limits: Vec<At<RawLimit>>,
}

/// A row of limits as written.
#[derive(Debug)]
pub(crate) struct RawLimit {
    pub(crate) model: At<ModelName>,
    /// Absent where it is wrong, so that the model is still checked.
    pub(crate) rate: Option<RawRate>,
}

/// So many tokens in so much time, as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRate {
    pub(crate) tokens: At<u32>,
    pub(crate) window: At<Window>,
}

/// A group as written.
#[derive(Debug)]
pub(crate) struct RawGroup {
    pub(crate) name: At<GroupName>,
    pub(crate) members: Members,
}

const MODES: &[(&str, MaasMode)] = &[
    ("subscriptions", MaasMode::Subscriptions),
    ("gateway-policies", MaasMode::GatewayPolicies),
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

/// The largest limit that the CRD takes (`reference/serving.md` §4).
const MOST_TOKENS: u32 = 1_000_000_000;

/// Groups of the cluster's administrators: who is in them is never ours to say (`reference/serving.md` §6.4).
const RESERVED_GROUPS: &[&str] = &["cluster-admins", "rhods-admins"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawMaas> {
    let mut reader = Reader::new(field, "`[maas]`", problems)?;
    let enabled = reader.or("enabled", true, problems, read::boolean);
    let enabled_place = reader.key_place("enabled").unwrap_or(reader.place);
    let mode = reader.or("mode", MaasMode::Subscriptions, problems, read::word(MODES));
    // Ten years; a larger number is a typo.
    let max_key_days = reader.or("max_key_days", MAX_KEY_DAYS, problems, read::integer(1, 3650));
    let embedded = Database::Embedded {
        password: SecretRef::Generate,
    };
    let database = reader.or("database", embedded, problems, database);
    let telemetry = reader.or("telemetry", false, problems, read::boolean);
    let tiers = reader
        .field("tiers")
        .map_or_else(Vec::new, |field| read::tables(field, problems, tier));
    let groups = reader
        .field("groups")
        .map_or_else(Vec::new, |field| read::tables(field, problems, group));
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    reader.finish(problems);
    Some(RawMaas {
        enabled,
        enabled_place,
        mode,
        max_key_days,
        database,
        telemetry,
        tiers,
        groups,
        ready_timeout,
    })
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
                    url,
                )
                .map(|at| Database::External { url: at.value })
        }
    };
    reader.finish(problems);
    database
}

fn url(field: Field<'_>, problems: &mut Problems) -> Option<SecretRef> {
    let url = typed::secret(field, problems)?;
    if url == SecretRef::Generate {
        let fault = "the URL of a database that is there cannot be made up";
        problems.push(
            field.node.place,
            Problem::SecretReference {
                key: field.key.to_owned(),
                fault,
            },
        );
        return None;
    }
    Some(url)
}

fn tier(field: Field<'_>, problems: &mut Problems) -> Option<RawTier> {
    let mut reader = Reader::new(field, "`[[maas.tiers]]`", problems)?;
    let name = reader.required("name", "write `name = \"…\"`", problems, typed::name(TierName::NOUN));
    let priority = reader.required(
        "priority",
        "write `priority = 1`: a caller in several tiers gets the highest",
        problems,
        read::integer(0, i32::MAX.unsigned_abs()),
    );
    let groups = reader.optional("groups", problems, subjects::<GroupName>(GroupName::NOUN));
    let users = reader.optional("users", problems, subjects::<UserName>(UserName::NOUN));
    // A list that is wrong is reported already, and may well have somebody in it.
    let is_known = groups.is_some() == reader.has("groups") && users.is_some() == reader.has("users");
    let groups = groups.map_or_else(Vec::new, |at| at.value);
    let users = users.map_or_else(Vec::new, |at| at.value);
    let limits = reader.required(
        "limits",
        "write `limits = [{ model = \"…\", tokens = 3000, window = \"5m\" }]`",
        problems,
        |field, problems| Some(limits(field, problems)),
    );
    let place = reader.place;
    reader.finish(problems);
    let name: At<TierName> = name?;
    if is_known && groups.is_empty() && users.is_empty() {
        problems.push(
            place,
            Problem::NobodyInTier {
                tier: name.value.to_string(),
            },
        );
    }
    Some(RawTier {
        name,
        priority,
        groups,
        users,
        limits: limits?.value,
    })
}

/// Makes a reader of a list of groups or users, each once.
fn subjects<T: std::str::FromStr<Err = crate::stack::names::NameError> + PartialEq + std::fmt::Display>(
    noun: &'static str,
) -> impl Fn(Field<'_>, &mut Problems) -> Option<Vec<T>> {
    move |field, problems| {
        let names = read::list("a list of names", typed::name::<T>(noun))(field, problems)?;
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().find(|other| other.value == name.value) {
                let problem = Problem::Duplicate {
                    what: "names in a list",
                    name: name.value.to_string(),
                };
                problems.push_beside(name.place, problem, first.place, "first here");
            }
        }
        Some(names.into_iter().map(|at| at.value).collect())
    }
}

fn limits(field: Field<'_>, problems: &mut Problems) -> Vec<At<RawLimit>> {
    if let Value::List(rows) = &field.node.value
        && rows.is_empty()
    {
        let hint = "write a row for each model: { model = \"…\", tokens = 3000, window = \"5m\" }";
        problems.push(
            field.node.place,
            Problem::Empty {
                key: field.key.to_owned(),
                hint,
            },
        );
    }
    read::tables(field, problems, limit)
}

fn limit(field: Field<'_>, problems: &mut Problems) -> Option<RawLimit> {
    let mut reader = Reader::new(field, "a row of `limits`", problems)?;
    let model = reader.required(
        "model",
        "write `model = \"…\"`, the name of a model",
        problems,
        typed::name(ModelName::NOUN),
    );
    let tokens = reader.required(
        "tokens",
        "write `tokens = 3000`",
        problems,
        read::integer(1, MOST_TOKENS),
    );
    let window = reader.required("window", "write `window = \"5m\"`", problems, typed::window);
    reader.finish(problems);
    let rate = tokens.zip(window).map(|(tokens, window)| RawRate { tokens, window });
    Some(RawLimit { model: model?, rate })
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
