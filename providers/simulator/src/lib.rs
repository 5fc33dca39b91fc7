//! The embedded OpenShift: an API server, and the simulated operators that act on any API server through kube-rs.

pub mod clock;
pub mod faults;
pub mod operators;
pub mod schemas;
pub mod seed;
