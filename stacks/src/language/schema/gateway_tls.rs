//! `[gateway.tls]` and `[maas.gateway.tls]`: what the listener of a gateway presents.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::{GatewayIssuer, GatewayTls, ObjectName};

#[derive(Clone, Copy, Debug)]
enum Mode {
    Platform,
    Secret,
    Generate,
    Plain,
}

const MODES: &[(&str, Mode)] = &[
    ("platform", Mode::Platform),
    ("secret", Mode::Secret),
    ("generate", Mode::Generate),
    ("plain", Mode::Plain),
];

const SELF_SIGNED: &str = "selfsigned";

/// Makes a reader; `title` is what people call the table, and `secret` the Secret of a generated certificate where none is
/// named.
pub(super) fn read(title: &'static str, secret: &str) -> impl Fn(Field<'_>, &mut Problems) -> Option<GatewayTls> {
    move |field, problems| {
        let mut reader = Reader::new(field, title, problems)?;
        let mode = reader.or("mode", Mode::Platform, problems, read::word(MODES));
        let tls = match mode {
            Mode::Platform => {
                let because = "the gateway presents the certificate of `[tls]`";
                reader.ignore(&["secret", "issuer"], because, problems);
                Some(GatewayTls::Platform)
            }
            Mode::Plain => {
                reader.ignore(&["secret", "issuer"], "the listener speaks plain HTTP", problems);
                Some(GatewayTls::Plain)
            }
            Mode::Secret => {
                reader.ignore(&["issuer"], "the Secret is somebody else's", problems);
                reader
                    .required(
                        "secret",
                        "write `secret = \"…\"`: a Secret in openshift-ingress that is there",
                        problems,
                        typed::name(ObjectName::NOUN),
                    )
                    .map(|at| GatewayTls::Secret(at.value))
            }
            Mode::Generate => {
                let usual: ObjectName = format!("{secret}-tls").parse().expect("a name with an ending");
                let secret = reader.or("secret", usual, problems, typed::name(ObjectName::NOUN));
                let issuer = reader.or(
                    "issuer",
                    GatewayIssuer::Cluster(GatewayIssuer::LOCAL_CA),
                    problems,
                    issuer,
                );
                // Its other names are those of certificates of the whole cluster, which would be overwritten.
                if ["ingress-certs", "api-certs", "router-certs-default"].contains(&secret.as_str()) {
                    let place = reader.key_place("secret").unwrap_or(reader.place);
                    let hint = "a certificate of the whole cluster is kept there; give this one a Secret of its own";
                    problems.push(
                        place,
                        Problem::Reserved {
                            what: "Secret",
                            name: secret.to_string(),
                            hint,
                        },
                    );
                }
                Some(GatewayTls::Generated { secret, issuer })
            }
        };
        reader.finish(problems);
        tls
    }
}

fn issuer(field: Field<'_>, problems: &mut Problems) -> Option<GatewayIssuer> {
    let name: ObjectName = typed::name(ObjectName::NOUN)(field, problems)?;
    Some(match name.as_str() {
        GatewayIssuer::LOCAL_CA => GatewayIssuer::Cluster(GatewayIssuer::LOCAL_CA),
        GatewayIssuer::LETSENCRYPT => GatewayIssuer::Cluster(GatewayIssuer::LETSENCRYPT),
        SELF_SIGNED => GatewayIssuer::SelfSigned,
        _ => GatewayIssuer::Existing(name),
    })
}
