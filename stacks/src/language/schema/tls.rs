//! `[tls]`: where the certificate of the gateways comes from.

use super::super::problem::Problems;
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::{ObjectName, Tls};

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

const ACME_KEYS: &[&str] = &["email", "hosted_zone_id"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Tls> {
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
            Some(Tls::LetsEncrypt {
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
            Some(Tls::LocalCa)
        }
        Some(Issuer::Existing) => {
            reader.ignore(ACME_KEYS, "only `issuer = \"letsencrypt\"` uses it", problems);
            let secret = reader.optional("secret", problems, typed::name(ObjectName::NOUN));
            Some(Tls::Existing {
                secret: secret.map(|at| at.value),
            })
        }
        None => {
            reader.accept(&["secret", "email", "hosted_zone_id"]);
            None
        }
    };
    reader.finish(problems);
    tls
}
