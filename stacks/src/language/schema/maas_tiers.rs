//! `[[maas.tiers]]`: who may use how much, in either generation.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use crate::stack::{GroupName, ModelName, TierMetadata, TierName, UserName, Window};
use std::collections::BTreeMap;

/// The largest limit that the CRD takes (`reference/serving.md` §4).
const MOST_TOKENS: u32 = 1_000_000_000;

/// A tier as written.
#[derive(Debug)]
pub(crate) struct RawTier {
    pub(crate) name: At<TierName>,
    pub(crate) priority: Option<At<u32>>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) users: Option<At<Vec<UserName>>>,
    /// The table itself, for what it lacks.
    pub(crate) place: super::super::place::Place,
    pub(crate) limits: Option<At<Vec<At<RawLimit>>>>,
    pub(crate) billing_per_token: Option<At<String>>,
    pub(crate) metadata: Option<At<TierMetadata>>,
    /// What the older generation counts.
    pub(crate) requests: Option<At<RawRate>>,
    /// What the older generation counts, for all models together.
    pub(crate) tokens: Option<At<RawRate>>,
    /// Which of the latter two are written, right or wrong.
    pub(crate) writes: Writes,
}

/// Which rates of the older generation are written, right or wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writes {
    pub(crate) requests: bool,
    pub(crate) tokens: bool,
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

pub(super) fn tier(field: Field<'_>, problems: &mut Problems) -> Option<RawTier> {
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
    let limits = reader.optional("limits", problems, |field, problems| Some(limits(field, problems)));
    let billing_per_token = reader.optional("billing_per_token", problems, price);
    let metadata = reader.optional("metadata", problems, metadata);
    let requests = reader.optional("requests", problems, rate("`requests` of a tier"));
    let tokens = reader.optional("tokens", problems, rate("`tokens` of a tier"));
    let writes = Writes {
        requests: reader.has("requests"),
        tokens: reader.has("tokens"),
    };
    let place = reader.place;
    reader.finish(problems);
    let name: At<TierName> = name?;
    if is_known && groups.is_empty() && users.as_ref().is_none_or(|users| users.value.is_empty()) {
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
        place,
        limits,
        billing_per_token,
        metadata,
        requests,
        tokens,
        writes,
    })
}

/// Makes a reader of a list of groups or users, each once.
pub(super) fn subjects<T: std::str::FromStr<Err = crate::stack::names::NameError> + PartialEq + std::fmt::Display>(
    noun: &'static str,
) -> impl Fn(Field<'_>, &mut Problems) -> Option<Vec<T>> {
    move |field, problems| {
        let names = read::list("a list of names", typed::name::<T>(noun))(field, problems)?;
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().find(|other| other.value == name.value) {
                let problem = Problem::Duplicate {
                    what: "names in a list",
                    name: name.value.to_string(),
                    hint: Problem::RENAME,
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
    read::tables(field, "maas.tiers.limits", problems, limit)
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

/// Makes a reader of so much in so much time.
fn rate(title: &'static str) -> impl Fn(Field<'_>, &mut Problems) -> Option<RawRate> {
    move |field, problems| {
        let mut reader = Reader::new(field, title, problems)?;
        let tokens = reader.required("limit", "write `limit = 100`", problems, read::integer(1, MOST_TOKENS));
        let window = reader.required("window", "write `window = \"1m\"`", problems, typed::window);
        reader.finish(problems);
        Some(RawRate {
            tokens: tokens?,
            window: window?,
        })
    }
}

/// Reads a price: text, because a binary number would not be what was written.
fn price(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(whole) && is_number(part) {
        return Some(text);
    }
    let hint = "write a decimal number in quotes: \"0.001\"".to_owned();
    let noun = "a price";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

fn metadata(field: Field<'_>, problems: &mut Problems) -> Option<TierMetadata> {
    let mut reader = Reader::new(field, "`metadata` of a tier", problems)?;
    let metadata = TierMetadata {
        organization_id: reader
            .optional("organization_id", problems, read::line)
            .map(|at| at.value),
        cost_center: reader.optional("cost_center", problems, read::line).map(|at| at.value),
        labels: reader.or("labels", BTreeMap::new(), problems, labels),
    };
    reader.finish(problems);
    Some(metadata)
}

fn labels(field: Field<'_>, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let Some(table) = field.node.as_table() else {
        field.wrong_type("a table", problems);
        return None;
    };
    let label = |(key, entry): (&String, &super::super::value::Entry)| {
        let field = Field { key, node: &entry.node };
        Some((key.clone(), read::text(field, problems)?))
    };
    Some(table.entries.iter().filter_map(label).collect())
}
