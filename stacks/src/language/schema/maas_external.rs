//! `[[maas.external_models]]`: models that run elsewhere.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::models;
use crate::stack::{Display, DomainName, ExternalModel, GivenSecret, ModelName, NamespaceName, ObjectName, Provider};

/// An external model as written.
#[derive(Debug)]
pub(crate) struct RawExternalModel {
    pub(crate) name: At<ModelName>,
    pub(crate) namespace: NamespaceName,
    pub(crate) provider: Provider,
    pub(crate) endpoint: DomainName,
    pub(crate) target_model: Option<At<String>>,
    pub(crate) secret: Option<ObjectName>,
    pub(crate) api_key: GivenSecret,
    pub(crate) tls: bool,
    pub(crate) port: u16,
    pub(crate) display: Display,
}

const PROVIDERS: &[(&str, Provider)] = &[
    ("openai", Provider::OpenAi),
    ("anthropic", Provider::Anthropic),
    ("azure-openai", Provider::AzureOpenAi),
    ("vertex", Provider::Vertex),
    ("bedrock-openai", Provider::BedrockOpenAi),
];

/// The namespace of external models that name none.
const NAMESPACE: &str = "external-models";

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawExternalModel> {
    let mut reader = Reader::new(field, "`[[maas.external_models]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: its URL ends with it",
        problems,
        typed::name(ModelName::NOUN),
    );
    let usual = NAMESPACE.parse().expect("a constant that is a namespace");
    let namespace = reader.or("namespace", usual, problems, models::namespace);
    let provider = reader.or("provider", Provider::OpenAi, problems, read::word(PROVIDERS));
    let endpoint = reader.required(
        "endpoint",
        "write `endpoint = \"llm.example.com\"`: a host and nothing else",
        problems,
        endpoint,
    );
    let target_model = reader.optional("target_model", problems, target);
    let secret = reader.optional("secret_name", problems, typed::name(ObjectName::NOUN));
    let api_key = reader.required(
        "api_key",
        "write `api_key = { env = \"…\" }`: where the provider's key is",
        problems,
        typed::given,
    );
    let tls = reader.or("tls", true, problems, read::boolean);
    let port = reader.or("port", 443, problems, read::integer(1, 65_535));
    let display = reader.or("display", Display::default(), problems, models::display);
    reader.finish(problems);
    Some(RawExternalModel {
        name: name?,
        namespace,
        provider,
        endpoint: endpoint?.value,
        target_model,
        secret: secret.map(|at| at.value),
        api_key: api_key?.value,
        tls,
        port,
        display,
    })
}

/// Reads a host, and knows what people write instead (`reference/serving.md` §5.3 E3).
fn endpoint(field: Field<'_>, problems: &mut Problems) -> Option<DomainName> {
    let text = read::text(field, problems)?;
    if let Ok(host) = text.parse() {
        return Some(host);
    }
    let bare = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host: String = bare.chars().take_while(|c| !matches!(c, '/' | ':' | '?')).collect();
    let hint = match host.to_lowercase().parse::<DomainName>() {
        Ok(host) => format!("write \"{host}\" alone; a port has a key of its own, and the path is the provider's"),
        Err(rule) => format!("{} {rule}", DomainName::NOUN),
    };
    let noun = "a host";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

fn target(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if text.len() <= 253 {
        return Some(text);
    }
    let hint = "it has at most 253 characters".to_owned();
    let noun = "a model of a provider";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

impl RawExternalModel {
    pub(crate) fn done(self) -> ExternalModel {
        let secret = self.secret.unwrap_or_else(|| {
            let name = format!("{}-credentials", self.name.value);
            name.parse().expect("a model's name with an ending is an object name")
        });
        ExternalModel {
            target_model: self
                .target_model
                .map_or_else(|| self.name.value.to_string(), |at| at.value),
            name: self.name.value,
            namespace: self.namespace,
            provider: self.provider,
            endpoint: self.endpoint,
            secret,
            api_key: self.api_key,
            tls: self.tls,
            port: self.port,
            display: self.display,
        }
    }
}
