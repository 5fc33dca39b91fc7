//! `[tls]`: where the certificate of the gateways comes from.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use crate::stack::{Attach, GeneratedFor, ObjectName, Tls, TrustedCa};

/// The table as written.
#[derive(Debug)]
pub(crate) struct RawTls {
    pub(crate) tls: Tls,
    pub(crate) trusted_ca: Option<At<TrustedCa>>,
}

const GATEWAYS: &[(&str, GeneratedFor)] = &[("llm-d", GeneratedFor::LlmD), ("maas", GeneratedFor::Maas)];

#[derive(Clone, Copy, Debug)]
enum Issuer {
    LetsEncrypt,
    LocalCa,
    Existing,
}

const ISSUERS: &[(&str, Issuer)] = &[
    ("letsencrypt", Issuer::LetsEncrypt),
    ("local-ca", Issuer::LocalCa),
    ("existing", Issuer::Existing),
];

/// What presents a certificate beside the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Api,
    Ingress,
}

const ENDPOINTS: &[(&str, Endpoint)] = &[("api", Endpoint::Api), ("ingress", Endpoint::Ingress)];

const ACME_KEYS: &[&str] = &["email", "hosted_zone_id"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawTls> {
    let mut reader = Reader::new(field, "`[tls]`", problems)?;
    let issuer = reader.required(
        "issuer",
        "write `issuer = \"existing\"` for a certificate that is there, or \"letsencrypt\", or \"local-ca\"",
        problems,
        read::word(ISSUERS),
    );
    let tls = match issuer.map(|issuer| issuer.value) {
        Some(Issuer::LetsEncrypt) => {
            reader.ignore(
                &["secret"],
                "only `issuer = \"existing\"` takes a Secret that is there",
                problems,
            );
            // Everybody trusts it, so everything presents it (`reference/platform.md` §2.3).
            let attach = attach(&mut reader, true, problems);
            Some(Tls::LetsEncrypt {
                attach,
                email: reader.optional("email", problems, read::line).map(|at| at.value),
                hosted_zone_id: reader
                    .optional("hosted_zone_id", problems, read::line)
                    .map(|at| at.value),
            })
        }
        Some(Issuer::LocalCa) => {
            reader.ignore(
                &["secret"],
                "only `issuer = \"existing\"` takes a Secret that is there",
                problems,
            );
            reader.ignore(ACME_KEYS, "only `issuer = \"letsencrypt\"` uses it", problems);
            // Clients that do not know the authority would be turned away, so only if asked (§7 row D27).
            let attach = attach(&mut reader, false, problems);
            Some(Tls::LocalCa { attach })
        }
        Some(Issuer::Existing) => {
            reader.ignore(ACME_KEYS, "only `issuer = \"letsencrypt\"` uses it", problems);
            reader.ignore(
                &["attach"],
                "a certificate that is there is not the stack's to hand out",
                problems,
            );
            let secret = reader.optional("secret", problems, typed::name(ObjectName::NOUN));
            Some(Tls::Existing {
                secret: secret.map(|at| at.value),
            })
        }
        None => {
            reader.accept(&["secret", "email", "hosted_zone_id", "attach"]);
            None
        }
    };
    let trusted_ca = reader.optional("trusted_ca", problems, trusted_ca);
    reader.finish(problems);
    Some(RawTls { tls: tls?, trusted_ca })
}

/// Reads an authority: in a file, or of the certificate that is generated for a gateway.
fn trusted_ca(field: Field<'_>, problems: &mut Problems) -> Option<TrustedCa> {
    let mut reader = Reader::new(field, "`trusted_ca`", problems)?;
    let file = reader.optional("file", problems, read::line);
    let gateway = reader.optional("gateway", problems, read::word(GATEWAYS));
    let n_before = problems.len();
    let place = reader.place;
    let is_said = reader.has("file") || reader.has("gateway");
    let is_twice = reader.has("file") && reader.has("gateway");
    reader.finish(problems);
    if is_twice {
        let problem = Problem::Excludes {
            this: "file",
            other: "gateway",
            hint: "the authority is in a file, or beside the generated certificate of a gateway: keep one",
        };
        problems.push(place, problem);
        return None;
    }
    if !is_said {
        if problems.len() == n_before {
            let hint = "write `{ file = \"ca.pem\" }`, or `{ gateway = \"maas\" }` for its generated certificate";
            problems.push(
                place,
                Problem::Missing {
                    key: "file".to_owned(),
                    table: "`trusted_ca`".to_owned(),
                    hint,
                },
            );
        }
        return None;
    }
    match (file, gateway) {
        (Some(file), _) => Some(TrustedCa::File(problems.file(file.place, &file.value))),
        (None, Some(gateway)) => Some(TrustedCa::OfGateway(gateway.value)),
        (None, None) => None,
    }
}

/// Which endpoints present the certificates: the router's and the API server's, or those that are named.
fn attach(reader: &mut Reader<'_>, default: bool, problems: &mut Problems) -> Attach {
    let all = Attach {
        api: default,
        ingress: default,
    };
    let named = reader.optional(
        "attach",
        problems,
        read::list("a list of \"api\" and \"ingress\"", read::word(ENDPOINTS)),
    );
    named.map_or(all, |named| Attach {
        api: named.value.iter().any(|one| one.value == Endpoint::Api),
        ingress: named.value.iter().any(|one| one.value == Endpoint::Ingress),
    })
}
