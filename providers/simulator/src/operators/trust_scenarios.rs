//! Whom a cluster trusts, on the workbench: issuers and what they sign, the service CA, and users.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::reason;
use crate::certificates::{is_authority, names_in};

const INGRESS: &str = "openshift-ingress";

fn certificate(bench: &mut Bench, namespace: &str, name: &str, spec: &Value) {
    bench.put(CERTIFICATE, object(CERTIFICATE, namespace, name, json!({"spec": spec})));
    bench.settle();
}

/// The authority that the catalogue makes for `local-ca`: reference/platform.md §2.4.
fn local_authority(bench: &mut Bench) {
    bench.subscribe("cert-manager-operator", "openshift-cert-manager-operator", "");
    bench.settle();
    let issuer = |spec: Value| json!({"spec": spec});
    bench.put(
        CLUSTER_ISSUER,
        object(CLUSTER_ISSUER, "", "selfsigned", issuer(json!({"selfSigned": {}}))),
    );
    let ca = json!({"ca": {"secretName": "cert-manager-ca"}});
    bench.put(CLUSTER_ISSUER, object(CLUSTER_ISSUER, "", "local-ca", issuer(ca)));
    bench.settle();
    let waiting = bench.get(CLUSTER_ISSUER, "", "local-ca");
    assert_eq!(reason(waiting, "Ready"), "ErrGetKeyPair", "its Secret is not there");
    certificate(
        bench,
        "cert-manager",
        "cert-manager-ca",
        &json!({
            "isCA": true, "commonName": "cluster authority", "secretName": "cert-manager-ca", "duration": "87600h",
            "issuerRef": {"kind": "ClusterIssuer", "name": "selfsigned"},
        }),
    );
    assert!(is_authority(bench.get(SECRET, "cert-manager", "cert-manager-ca")));
    assert!(bench.get(CLUSTER_ISSUER, "", "local-ca").is("Ready"));
}

#[test]
fn certificates_are_for_the_names_that_were_asked_for_and_carry_their_authority() {
    let mut bench = Bench::new(&[]);
    local_authority(&mut bench);
    certificate(
        &mut bench,
        INGRESS,
        "maas-default-gateway-serving-cert",
        &json!({
            "secretName": "maas-tls", "dnsNames": ["maas.apps.example.com"],
            "issuerRef": {"kind": "ClusterIssuer", "name": "local-ca"},
        }),
    );
    let authority = bench.get(SECRET, "cert-manager", "cert-manager-ca")["data"]["tls.crt"].clone();
    let secret = bench.get(SECRET, INGRESS, "maas-tls").clone();
    assert_eq!(
        names_in(&secret, "tls.crt"),
        Some(vec!["maas.apps.example.com".to_owned()])
    );
    assert_eq!(secret["data"]["ca.crt"], authority);
    assert_eq!(secret.text("/type"), "kubernetes.io/tls");

    // An Issuer of the gateway's namespace, which signs with itself.
    bench.put(
        ISSUER,
        object(
            ISSUER,
            INGRESS,
            "gw-selfsigned-issuer",
            json!({"spec": {"selfSigned": {}}}),
        ),
    );
    bench.settle();
    certificate(
        &mut bench,
        INGRESS,
        "gw-serving-cert",
        &json!({
            "secretName": "gw", "dnsNames": ["gw.apps.example.com", "gw-gw-class.openshift-ingress.svc"],
            "issuerRef": {"kind": "Issuer", "name": "gw-selfsigned-issuer"},
        }),
    );
    let own = bench.get(SECRET, INGRESS, "gw").clone();
    assert_eq!(own["data"]["ca.crt"], own["data"]["tls.crt"]);
    assert!(bench.get(CERTIFICATE, INGRESS, "gw-serving-cert").is("Ready"));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    // Other names are another certificate; a deleted Secret is issued anew.
    let more = json!({"spec": {"dnsNames": ["maas.apps.example.com", "api.apps.example.com"]}});
    bench.set(CERTIFICATE, INGRESS, "maas-default-gateway-serving-cert", more);
    bench.settle();
    let names = |bench: &Bench| names_in(bench.get(SECRET, INGRESS, "maas-tls"), "tls.crt").map(|names| names.len());
    assert_eq!(names(&bench), Some(2));
    bench.delete(SECRET, INGRESS, "maas-tls");
    assert_eq!(names(&bench), Some(2));
}

#[test]
fn the_service_ca_overwrites_a_listeners_certificate_until_it_is_asked_for_no_more() {
    let mut bench = Bench::new(&[]);
    local_authority(&mut bench);
    certificate(
        &mut bench,
        INGRESS,
        "ocp-ingress",
        &json!({
            "secretName": "ingress-certs", "dnsNames": ["*.apps.example.com"],
            "issuerRef": {"kind": "ClusterIssuer", "name": "local-ca"},
        }),
    );
    let names =
        |bench: &Bench| names_in(bench.get(SECRET, INGRESS, "ingress-certs"), "tls.crt").expect("a certificate");
    assert_eq!(names(&bench), ["*.apps.example.com"]);
    let asks = |name: Value| json!({"metadata": {"annotations": {"service.beta.openshift.io/serving-cert-secret-name": name}}});
    bench.put(SERVICE, object(SERVICE, INGRESS, "proxy", asks(json!("ingress-certs"))));
    bench.settle();
    let inside = [
        "proxy.openshift-ingress.svc",
        "proxy.openshift-ingress.svc.cluster.local",
    ];
    assert_eq!(names(&bench), inside);
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
    bench.delete(SECRET, INGRESS, "ingress-certs");
    assert_eq!(names(&bench), inside, "as long as the Service asks");

    bench.delete(SERVICE, INGRESS, "proxy");
    assert_eq!(
        names(&bench),
        ["*.apps.example.com"],
        "it went with the Service and was issued anew"
    );
}

#[test]
fn new_users_are_taken_over_and_the_cluster_says_so_meanwhile() {
    let mut bench = Bench::new(&[]);
    let users = |text: &str| json!({"data": {"htpasswd": text}});
    bench.put(
        SECRET,
        object(SECRET, "openshift-config", "htpass-secret", users("YWRtaW4=")),
    );
    let copy = "v4-0-config-user-idp-0-file-data";
    bench.put(
        SECRET,
        object(SECRET, "openshift-authentication", copy, users("YWRtaW4=")),
    );
    let providers =
        json!([{"name": "htpasswd", "type": "HTPasswd", "htpasswd": {"fileData": {"name": "htpass-secret"}}}]);
    bench.put(
        OAUTH,
        object(OAUTH, "", "cluster", json!({"spec": {"identityProviders": providers}})),
    );
    let conditions = json!([{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "False"},
        {"type": "Degraded", "status": "False"}]);
    let status = json!({"status": {"conditions": conditions}});
    bench.put(CLUSTER_OPERATOR, object(CLUSTER_OPERATOR, "", "authentication", status));
    bench.settle();
    assert!(
        bench
            .audit
            .iter()
            .all(|(_, operator, _, _)| *operator != "authentication")
    );

    bench.set(SECRET, "openshift-config", "htpass-secret", users("YWRtaW4KYWxpY2U="));
    bench.look();
    let operator = |bench: &Bench| bench.get(CLUSTER_OPERATOR, "", "authentication").clone();
    assert!(operator(&bench).is("Progressing") && operator(&bench).is("Available"));
    let written: Vec<_> = bench.audit.iter().map(|(_, _, _, kind)| *kind).collect();
    assert_eq!(written, ["ClusterOperator", "Secret"], "it says so before it copies");
    bench.settle();
    assert!(!operator(&bench).is("Progressing") && operator(&bench).is("Available"));
    let copied = bench.get(SECRET, "openshift-authentication", copy);
    assert_eq!(copied["data"]["htpasswd"], "YWRtaW4KYWxpY2U=");
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
}
