//! The embedded API server over HTTP, against what a real kube-apiserver was seen to answer
//! (`reference/ssa-semantics.md`; each module names its sections).

mod access;
mod admission;
mod apply;
mod definitions;
mod deletion;
mod harness;
mod immutable;
mod kubectl;
mod listing;
mod patches;
mod pods;
mod removal;
mod requests;
mod restart;
mod watching;
