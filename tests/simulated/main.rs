//! Whole runs of the binary on the embedded cluster.
//!
//! Nothing here uses the engine: order, creations and leftovers are judged from the audit log and from the server's own
//! answers, so that the tool and its test cannot share a mistake.

#![allow(
    clippy::print_stdout,
    reason = "a test prints its seed, and says loudly what it did not try"
)]

#[path = "../acts/mod.rs"]
mod acts;
mod audit;
mod belongs;
mod canary;
mod cluster;
mod converge;
mod crash;
mod destroy;
#[path = "../documents.rs"]
mod documents;
mod drift;
mod every_fault;
mod examples;
mod faults;
mod foreign;
mod gates;
mod guards;
mod hosts;
mod interrupted;
mod killed;
mod look;
mod maas;
mod manifests;
#[path = "../missing_rights.rs"]
mod missing_rights;
mod model_diagnoses;
mod moves;
mod normal;
#[path = "../not_run.rs"]
mod not_run;
mod others;
mod platform_faults;
mod platform_life;
mod preflight;
mod rebuild;
mod recipe;
mod rehearsal;
mod rights;
mod said;
mod sandbox;
mod saved_plan;
mod schedules;
mod scope;
#[path = "../secrecy.rs"]
mod secrecy;
mod seen_definitions;
mod serving_diagnoses;
mod serving_ends;
mod taken_up;
mod true_crds;
#[path = "../widgets.rs"]
mod widgets;
