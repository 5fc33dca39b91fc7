//! The provider against a server that says what a test wrote down: what is sent, and what each answer becomes.

mod beside;
mod stub;
mod verbs;
mod watch;
