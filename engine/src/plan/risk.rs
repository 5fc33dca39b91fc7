//! A verdict of three over a change: destructive, disruptive or safe.
//!
//! Invariants:
//! - What a step does and what is told of it decide, and nothing else: equal plans get equal verdicts.
//! - A step is as grave as the gravest of what is told of it; one of which nothing is told is safe.
//! - What people use and a step takes away is destructive, as lost data is: it does not come back by itself.

use super::{Action, NodeKind, Plan, Step};
use crate::{
    address::Address,
    resource::{Consequence, ConsequenceClass},
};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How grave a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nobody notices who does not look.
    Safe,
    /// Somebody notices, or ought to act.
    Disruptive,
    /// Something is lost: data, or what people use.
    Destructive,
}

impl Risk {
    /// All of them, the gravest first.
    pub const ALL: [Self; 3] = [Self::Destructive, Self::Disruptive, Self::Safe];

    /// The word, for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Destructive => "destructive",
            Self::Disruptive => "disruptive",
            Self::Safe => "safe",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// There is no such risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `destructive`, `disruptive` or `safe`")]
pub struct NoRisk;

impl FromStr for Risk {
    type Err = NoRisk;

    fn from_str(text: &str) -> Result<Self, NoRisk> {
        Self::ALL.into_iter().find(|risk| risk.word() == text).ok_or(NoRisk)
    }
}

/// How grave it is that an action has a consequence of this class.
pub fn risk(action: Action, class: ConsequenceClass) -> Risk {
    match (class, action) {
        (ConsequenceClass::DataLoss, _) | (ConsequenceClass::Disruption, Action::Delete) => Risk::Destructive,
        (ConsequenceClass::Disruption | ConsequenceClass::Access, _) => Risk::Disruptive,
        (
            ConsequenceClass::Approval
            | ConsequenceClass::Cost
            | ConsequenceClass::ClusterRights
            | ConsequenceClass::TakesFields
            | ConsequenceClass::Notice,
            _,
        ) => Risk::Safe,
    }
}

/// One thing that a plan does to those who use the platform, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// How grave it is.
    pub risk: Risk,
    /// What it is.
    pub consequence: &'a Consequence,
    /// The addresses that it is told at, in the order of the plan.
    pub at: Vec<&'a Address>,
}

/// How many changes are how grave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risks {
    /// Changes that lose something.
    pub destructive: usize,
    /// Changes that somebody notices.
    pub disruptive: usize,
    /// All other changes.
    pub safe: usize,
}

impl Step {
    /// How grave it is; nothing where it changes nothing. What was only waited for, or ran, leaves nothing behind: that its
    /// record goes is no change.
    pub fn risk(&self) -> Option<Risk> {
        let writes = matches!(self.node, NodeKind::Object | NodeKind::Overlay);
        let is_change = self.action.is_change() && (writes || self.action != Action::Forget);
        let told = self.consequences.iter().map(|told| risk(self.action, told.class));
        is_change.then(|| told.max().unwrap_or(Risk::Safe))
    }
}

impl Plan {
    /// How grave it is as a whole; nothing where it changes nothing.
    pub fn risk(&self) -> Option<Risk> {
        self.steps.iter().filter_map(Step::risk).max()
    }

    /// Counts its changes by how grave they are.
    pub fn risks(&self) -> Risks {
        let mut risks = Risks::default();
        for risk in self.steps.iter().filter_map(Step::risk) {
            *match risk {
                Risk::Destructive => &mut risks.destructive,
                Risk::Disruptive => &mut risks.disruptive,
                Risk::Safe => &mut risks.safe,
            } += 1;
        }
        risks
    }

    /// What it does to those who use the platform, each thing once: the gravest first, then in order of class.
    pub fn told(&self) -> Vec<Told<'_>> {
        let mut all: BTreeMap<&Consequence, Told<'_>> = BTreeMap::new();
        for step in self.steps.iter().filter(|step| step.action.is_change()) {
            for consequence in &step.consequences {
                let risk = risk(step.action, consequence.class);
                let told = all.entry(consequence).or_insert_with(|| Told {
                    risk,
                    consequence,
                    at: Vec::new(),
                });
                told.risk = told.risk.max(risk);
                told.at.push(&step.address);
            }
        }
        let mut told: Vec<_> = all.into_values().collect();
        // The order of classes stays among equals.
        told.sort_by_key(|told| std::cmp::Reverse(told.risk));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Purpose, Reason};

    fn step(name: &str, action: Action, told: &[(ConsequenceClass, &str)]) -> Step {
        let consequence = |(class, text): &(ConsequenceClass, &str)| Consequence {
            class: *class,
            text: (*text).to_owned(),
        };
        Step {
            address: name.parse().expect("an address"),
            node: NodeKind::Object,
            action,
            reasons: vec![Reason::Missing],
            object: None,
            changes: Vec::new(),
            note: String::new(),
            waits_for: Vec::new(),
            readiness: None,
            consequences: told.iter().map(consequence).collect(),
        }
    }

    #[test]
    fn the_gravest_comes_first_each_thing_is_said_once_and_every_change_is_counted() {
        use ConsequenceClass::{Access, Cost, DataLoss, Disruption};
        let plan = Plan {
            purpose: Purpose::Apply,
            steps: vec![
                step("a.b", Action::Create, &[(Cost, "buys 2")]),
                step("a.c", Action::Update, &[(Cost, "buys 2"), (Access, "leaves keys")]),
                step("a.d", Action::Delete, &[(Disruption, "ends a URL")]),
                step("a.e", Action::Update, &[(Disruption, "restarts pods")]),
                step("a.f", Action::Replace, &[(DataLoss, "loses rows")]),
                step("a.g", Action::Update, &[]),
                step("a.h", Action::NoOp, &[]),
            ],
            remains: Vec::new(),
            partial: None,
        };
        let told: Vec<_> = plan
            .told()
            .iter()
            .map(|told| format!("{}: {} ({})", told.risk, told.consequence.text, told.at.len()))
            .collect();
        assert_eq!(
            told,
            [
                "destructive: loses rows (1)",
                "destructive: ends a URL (1)",
                "disruptive: restarts pods (1)",
                "disruptive: leaves keys (1)",
                "safe: buys 2 (2)",
            ]
        );
        let counted = Risks {
            destructive: 2,
            disruptive: 2,
            safe: 2,
        };
        assert_eq!(plan.risks(), counted);
        assert_eq!(plan.risk(), Some(Risk::Destructive));
    }

    #[test]
    fn a_risk_is_read_back_from_its_word() {
        for risk in Risk::ALL {
            assert_eq!(risk.word().parse(), Ok(risk));
        }
        assert_eq!("grave".parse::<Risk>(), Err(NoRisk));
    }

    #[test]
    fn that_the_record_of_what_only_ran_or_waited_goes_is_no_change() {
        let of = |node: NodeKind, action: Action| {
            let mut step = step("a.b", action, &[]);
            step.node = node;
            step.risk()
        };
        for writes in [NodeKind::Object, NodeKind::Overlay] {
            assert_eq!(of(writes, Action::Forget), Some(Risk::Safe));
        }
        for runs in [NodeKind::Gate, NodeKind::Action, NodeKind::Check] {
            assert_eq!(of(runs, Action::Forget), None);
        }
        assert_eq!(of(NodeKind::Action, Action::Run), Some(Risk::Safe));
        assert_eq!(of(NodeKind::Gate, Action::Wait), None);
    }
}
