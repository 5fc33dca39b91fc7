//! Names: one type for each grammar that something in the cluster demands.
//!
//! Invariant: a value was parsed by [`FromStr`](std::str::FromStr) and obeys the rule its [`NameError`] states; `Display` and `FromStr` are
//! inverses. There is no other way in, so nobody checks again.

/// The rule that a text does not follow, as a sentence that begins with "a model name".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub(crate) &'static str);

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $noun:literal, $rule:literal, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What such a name is called in a diagnostic, with its article.
            pub const NOUN: &'static str = $noun;

            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::stack::names::NameError;

            fn from_str(text: &str) -> Result<Self, $crate::stack::names::NameError> {
                let is_legal: fn(&str) -> bool = $check;
                if is_legal(text) { Ok(Self(text.to_owned())) } else { Err($crate::stack::names::NameError($rule)) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

pub(super) use names;

names! {
    /// The name of a stack: it is a label value, a field manager (`stackctl/<stack>`) and part of object names.
    StackName: "a stack name",
        "has 1 to 63 lowercase letters, digits and `-`, and starts and ends with a letter or digit",
        |text| is_label(text, 63);

    /// The name of a GPU pool. 15 characters leave room in `<infrastructure name>-<pool>-gpu-worker-<zone>`, a label
    /// value of at most 63: the installer's infrastructure name has up to 27 and a zone up to 15
    /// (`reference/platform.md` §2.5).
    PoolName: "a pool name",
        "has 1 to 15 lowercase letters, digits and `-`, and starts and ends with a letter or digit",
        |text| is_label(text, 15);

    /// The name of a model. 40 characters leave room for `-kserve-router-scheduler` (`reference/serving.md` §6.2); it
    /// starts with a letter because Services are named after it
    /// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names>).
    ModelName: "a model name",
        "has 1 to 40 lowercase letters, digits and `-`, starts with a letter and ends with a letter or digit",
        |text| is_label(text, 40) && text.starts_with(|first: char| first.is_ascii_lowercase());

    /// The name of a tier. 40 characters leave room for `-subscription` and `-auth-policy` (`reference/serving.md` §6.4).
    TierName: "a tier name",
        "has 1 to 40 lowercase letters, digits and `-`, and starts and ends with a letter or digit",
        |text| is_label(text, 40);

    /// The first label of a host name.
    HostLabel: "a host label",
        "has 1 to 63 lowercase letters, digits and `-`, and starts and ends with a letter or digit",
        |text| is_label(text, 63);

    /// The name of a namespace.
    NamespaceName: "a namespace",
        "has 1 to 63 lowercase letters, digits and `-`, and starts and ends with a letter or digit",
        |text| is_label(text, 63);

    /// The name of an object such as a Secret, a PersistentVolumeClaim or a ClusterServiceVersion: a DNS subdomain
    /// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>).
    ObjectName: "an object name",
        "has 1 to 253 lowercase letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit",
        is_subdomain;

    /// A domain name of at least two labels.
    DomainName: "a domain",
        "has two or more labels of lowercase letters, digits and `-` with dots between, and no scheme, port or path",
        |text| is_subdomain(text) && text.contains('.') && text.split('.').all(|label| label.len() <= 63);

    /// The channel of an operator's package.
    ChannelName: "a channel",
        "has 1 to 63 letters, digits, `-`, `_` and `.`",
        |text| (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));

    /// The letter of an availability zone; the region before it is read from the cluster.
    Zone: "a zone",
        "is the one letter after the region: `a`, `b`, `c` and so on",
        |text| text.len() == 1 && text.as_bytes()[0].is_ascii_lowercase();

    /// The name of an environment variable
    /// (<https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/>).
    EnvName: "an environment variable name",
        "has letters, digits, `_`, `-` and `.`, and does not start with a digit",
        |text| !text.is_empty()
            && !text.as_bytes()[0].is_ascii_digit()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));

    /// A group as tokens carry it, `system:authenticated` included. Values in generated rules may hold neither `"` nor
    /// `\` (`reference/serving.md` §1.12).
    GroupName: "a group name",
        "has 1 to 253 characters without blanks, quotes, `\\`, `/` and `%`",
        is_subject;

    /// A user as tokens carry it; service accounts are `system:serviceaccount:<namespace>:<name>`.
    UserName: "a user name",
        "has 1 to 253 characters without blanks, quotes, `\\`, `/` and `%`",
        is_subject;
}

/// Whether `text` is an RFC 1123 label of at most `limit` characters.
fn is_label(text: &str, limit: usize) -> bool {
    let bytes = text.as_bytes();
    let is_edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=limit).contains(&bytes.len())
        && bytes.first().is_some_and(is_edge)
        && bytes.last().is_some_and(is_edge)
        && bytes.iter().all(|byte| is_edge(byte) || *byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| is_label(label, 253))
}

fn is_subject(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "\"'`\\/%".contains(c))
}
