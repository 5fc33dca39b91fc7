//! Why a stack cannot be compiled.

use crate::{
    cluster_facts::FactError,
    stack::{Database, MaasMode, ModelSource, OpenShift, SecretRef},
};
use miette::Diagnostic;

/// Why a stack cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CompileError {
    /// A fact is missing or does not fit.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fact(#[from] FactError),
    /// The stack asks for something that the catalogue has no resources for.
    #[error("{what} cannot be made by this version")]
    #[diagnostic(code(STK206), help("{instead}"))]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What can be written instead.
        instead: &'static str,
    },
    /// A secret comes from a place that does not serve this use.
    #[error("the secret of {user} cannot be generated: somebody else decides it")]
    #[diagnostic(code(STK207), help("write `env`, `file`, `command` or `secret` instead"))]
    NotGenerated {
        /// What the secret is for.
        user: String,
    },
}

/// Everything that a stack may say and no component makes yet.
pub(super) fn unsupported(stack: &OpenShift) -> Vec<CompileError> {
    let mut errors = Vec::new();
    let mut refuse = |what: &str, instead| {
        errors.push(CompileError::Unsupported {
            what: what.to_owned(),
            instead,
        });
    };
    if let Some(maas) = &stack.maas {
        if maas.mode == MaasMode::GatewayPolicies {
            refuse(
                "tier policies on the gateway",
                "write `mode = \"subscriptions\"` in `[maas]`",
            );
        }
        if matches!(
            maas.database,
            Database::External {
                url: SecretRef::Generate
            }
        ) {
            errors.push(CompileError::NotGenerated {
                user: "the external database".to_owned(),
            });
        }
    }
    for model in &stack.models {
        if let ModelSource::HuggingFace {
            token: Some(SecretRef::Generate),
            ..
        } = &model.source
        {
            errors.push(CompileError::NotGenerated {
                user: format!("model `{}`", model.name),
            });
        }
    }
    errors
}
