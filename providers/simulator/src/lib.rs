//! Under construction.

pub mod schemas;
