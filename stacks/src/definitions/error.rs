//! What a definition says against an object.

use crate::FileLine;
use miette::Diagnostic;
use stackctl_engine::{Address, ObjectType};
use std::fmt;

/// Where a mistake is: the resource, and the file and line of a manifest of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, and the line of the field.
    pub at: Option<FileLine>,
    /// The resource.
    pub address: Address,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(formatter, "{at}: ")?;
        }
        write!(formatter, "`{}`", self.address)
    }
}

/// One thing that a definition says against an object, or that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum DefinitionFault {
    /// A field that the kind does not have.
    #[error("{place}: {object_type} has no field `{field}`")]
    #[diagnostic(code(STK400))]
    UnknownField {
        /// Where.
        place: Place,
        /// The kind and its version.
        object_type: ObjectType,
        /// The field.
        field: String,
        /// The field that may be meant.
        #[help]
        hint: String,
    },
    /// A value that the kind does not allow, or none where one is required.
    #[error("{place}: `{field}`: {text}")]
    #[diagnostic(
        code(STK401),
        help("{object_type} is defined so; the API server would answer the same")
    )]
    Value {
        /// Where.
        place: Place,
        /// The kind and its version.
        object_type: ObjectType,
        /// The field.
        field: String,
        /// What is wrong, in the words of an API server.
        text: String,
    },
    /// A rule of the kind that does not hold.
    #[error("{place}: `{field}`: {text}")]
    #[diagnostic(
        code(STK402),
        help("it is a rule of {object_type}; the API server would answer the same")
    )]
    Rule {
        /// Where.
        place: Place,
        /// The kind and its version.
        object_type: ObjectType,
        /// The field, or the object as a whole.
        field: String,
        /// The rule's message, in the words of an API server.
        text: String,
    },
    /// A version that the kind does not have.
    #[error("{place}: the definition of {} does not serve {}", object_type.kind, object_type.api_version)]
    #[diagnostic(code(STK403), help("it serves {served}"))]
    Version {
        /// Where.
        place: Place,
        /// The kind and the version that is written.
        object_type: ObjectType,
        /// The versions that it has.
        served: String,
    },
    /// A definition that cannot be read.
    #[error("{file}: the definition cannot be read: {why}")]
    #[diagnostic(
        code(STK404),
        help("each file holds CustomResourceDefinitions, as `kubectl get crd NAME -o yaml` prints them")
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
}

impl DefinitionFault {
    /// Where it is; none for what is wrong with a definition.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownField { place, .. }
            | Self::Value { place, .. }
            | Self::Rule { place, .. }
            | Self::Version { place, .. } => Some(place),
            Self::Unreadable { .. } => None,
        }
    }

    /// The field that it is about, if it is about one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::UnknownField { field, .. } | Self::Value { field, .. } | Self::Rule { field, .. } => Some(field),
            Self::Version { .. } | Self::Unreadable { .. } => None,
        }
    }
}
