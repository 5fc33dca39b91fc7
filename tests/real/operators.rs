//! The simulated operators as a process of their own, ended with this value.

use crate::stage::Stage;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

/// How much faster than real operators they are.
const SPEED: &str = "200";

pub(crate) struct Operators(Child);

/// Starts them, and waits until they say that they act: the cluster is seeded then.
pub(crate) fn start(stage: &Stage) -> Operators {
    let mut command = stage.command(&["simulate", "--operators-only", "--simulate-speed", SPEED]);
    match Stage::crds() {
        Some(crds) => {
            command.arg("--crds").arg(crds);
        }
        None => println!("the condensed CRDs are used: the true ones are not beside the project"),
    }
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut said = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let operators = Operators(child);
    let mut line = String::new();
    said.read_line(&mut line).expect("the operators say where they act");
    assert!(line.contains("act on"), "the operators did not start: {line}");
    operators
}

impl Drop for Operators {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
