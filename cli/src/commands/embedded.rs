//! The way to the embedded cluster; holds its place until the simulator offers it.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

#[derive(Debug)]
pub(super) struct Simulator;

#[derive(Debug)]
pub(super) struct SimulatorOptions {
    pub(super) directory: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) speed: f64,
    pub(super) faults: Vec<Fault>,
    pub(super) operators: bool,
}

#[derive(Debug)]
pub(super) struct Fault;

impl FromStr for Fault {
    type Err = io::Error;

    fn from_str(_: &str) -> io::Result<Self> {
        Err(absent())
    }
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) speed: f64,
}

#[derive(Debug)]
pub(super) struct Description {
    pub(super) form: &'static str,
    pub(super) effect: &'static str,
}

pub(super) const FAULTS: &[Description] = &[];

pub(super) fn live_endpoint(_: &Path) -> io::Result<Option<Endpoint>> {
    Ok(None)
}

fn absent() -> io::Error {
    io::Error::other("this build has no embedded cluster yet")
}

impl Simulator {
    pub(super) async fn start(options: SimulatorOptions) -> io::Result<Self> {
        let SimulatorOptions { directory: _, listen: _, speed: _, faults: _, operators: _ } = options;
        Err(absent())
    }

    pub(super) fn url(&self) -> &str {
        ""
    }

    pub(super) fn token(&self) -> &str {
        ""
    }

    pub(super) fn kubeconfig(&self) -> String {
        String::new()
    }

    pub(super) fn pause(&self) {}

    pub(super) async fn stop(self) {}
}
