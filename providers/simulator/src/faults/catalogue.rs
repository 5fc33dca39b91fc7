//! Every fault there is, a row each: how it is written, what it does, and which gotcha it stands for.
//!
//! A new fault is a new [`FaultName`], a row here, and the line of the operator or server that asks for it.

/// The name of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultName {
    /// An operator does nothing at all.
    Stopped,
    /// Everything an operator waits for takes ten times as long.
    Slow,
    /// The ClusterServiceVersion of a package ends in phase Failed.
    FailingInstall,
    /// The first look at a Gateway misses that Authorino has TLS, as when a cache is stale
    /// (`reference/serving.md` §1.9, P5): its EnvoyFilter comes with the next changed write or the next start of
    /// odh-model-controller, and not before.
    AuthorinoTlsMissed,
}

/// What stands behind the `@` of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing: the fault is about the cluster.
    None,
    /// The name of an operator.
    Operator,
    /// The name of something in the cluster, and the word for it.
    Named(&'static str),
}

/// A line of the list that `--list-faults` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Which fault it is.
    pub name: FaultName,
    /// How its name is written.
    pub text: &'static str,
    /// What it is about.
    pub target: Target,
    /// What it does, in one line.
    pub effect: &'static str,
}

impl Description {
    /// Returns how the fault is written in full, as in `stopped@OPERATOR`.
    #[must_use]
    pub fn form(&self) -> String {
        match self.target {
            Target::None => self.text.to_owned(),
            Target::Operator => format!("{}@OPERATOR", self.text),
            Target::Named(what) => format!("{}@{what}", self.text),
        }
    }
}

const fn fault(name: FaultName, text: &'static str, target: Target, effect: &'static str) -> Description {
    Description {
        name,
        text,
        target,
        effect,
    }
}

/// Every fault there is, in the order in which they are listed.
pub const FAULTS: &[Description] = &[
    fault(
        FaultName::Stopped,
        "stopped",
        Target::Operator,
        "the operator does nothing: what it should bring never comes",
    ),
    fault(
        FaultName::Slow,
        "slow",
        Target::Operator,
        "everything the operator waits for takes ten times as long",
    ),
    fault(
        FaultName::FailingInstall,
        "failing-install",
        Target::Named("PACKAGE"),
        "the package's ClusterServiceVersion ends in phase Failed",
    ),
    fault(
        FaultName::AuthorinoTlsMissed,
        "authorino-tls-missed",
        Target::Named("GATEWAY"),
        "odh-model-controller misses once that Authorino has TLS: no EnvoyFilter until the Gateway changes",
    ),
];
