//! `simulate`: serves the embedded cluster until Ctrl-C.

use super::{
    cluster::{self, Asked, Start},
    runtime::{self, Interrupts},
};
use crate::{
    cli::SimulateCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::{ClusterChoice, Settings},
    views,
};
use stackctl_simulator::{
    Guest, GuestOptions, OperatorsMode, Simulator,
    faults::{FAULTS, Group},
    schemas::TrueCrds,
    seed::ADMIN_USER,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The stack file that a directory may have, whose cluster is beside it; a file is itself.
pub(super) fn stack_in(named: &Path) -> PathBuf {
    if named.is_dir() {
        named.join("stack.toml")
    } else {
        named.to_owned()
    }
}

pub(super) fn run(command: &SimulateCommand, settings: &Settings) -> Result<Exit, Error> {
    if command.list_faults {
        let groups = [Group::Cluster, Group::People, Group::ApiServer].map(shown);
        views::result(&views::simulator::faults(&groups, settings.json));
        return Ok(Exit::Done);
    }
    if let Some(named) = command.file.as_deref().filter(|named| !named.exists()) {
        return Err(Problem::new(format!("there is no `{}`", named.display()))
            .hint("name a directory, or a stack file in it: its cluster is kept in `.stackctl/simulator` there")
            .into());
    }
    let ClusterChoice::Simulated {
        directory,
        speed,
        platform,
        faults,
    } = &settings.cluster
    else {
        return Err(Problem::new("there is nothing to simulate").into());
    };
    let crds = command.crds.as_deref().map(true_crds).transpose()?;
    let start = Start {
        speed: *speed,
        platform: *platform,
        faults,
        data_plane_port: command.data_plane_port,
        crds,
    };
    if command.operators_only {
        return runtime::block_on(guest(settings, start));
    }
    runtime::block_on(async {
        let interrupts = Interrupts::listen();
        let mut listen = cluster::LOOPBACK;
        listen.set_port(command.port.unwrap_or(0));
        if let Some(address) = command.listen {
            listen.set_ip(address);
        }
        let simulator = cluster::start(directory, listen, start, OperatorsMode::Running).await?;
        if !listen.ip().is_loopback() {
            views::tell(&views::simulator::open(listen.ip(), ADMIN_USER));
        }
        let kubeconfig = simulator.kubeconfig();
        views::result(&if settings.json {
            views::json::line(&views::simulator::SimulateJson::serving(
                simulator.url(),
                kubeconfig,
                simulator.data_plane().address(),
            ))
        } else {
            views::simulator::serving(
                simulator.url(),
                kubeconfig,
                simulator.data_plane().address(),
                *speed,
                &settings.out,
            )
        });
        tokio::select! {
            () = tell_unjudged(&simulator, settings) => {}
            () = interrupts.asked(1) => {}
        }
        views::tell("stopping; the cluster keeps what it holds\n");
        simulator.stop().await;
        Ok(Exit::Done)
    })
}

/// The faults of a group, as they are shown.
fn shown(group: Group) -> views::simulator::FaultGroup {
    let (name, heading) = match group {
        Group::Cluster => ("cluster", "The cluster"),
        Group::People => ("people", "People beside us"),
        Group::ApiServer => ("api-server", "The API server, and the way to it (operators are spared)"),
    };
    let of = FAULTS.iter().filter(|fault| fault.group == group);
    let faults = of.map(|fault| views::simulator::Fault {
        form: fault.form(),
        effect: fault.effect,
        gotchas: fault.gotchas,
    });
    views::simulator::FaultGroup {
        name,
        heading,
        faults: faults.collect(),
    }
}

/// Tells, as definitions come, which of their rules are not judged; until there can be no more.
async fn tell_unjudged(simulator: &Simulator, settings: &Settings) {
    let mut count = simulator.server().watch_unjudged();
    let mut told = BTreeSet::new();
    loop {
        for one in simulator.server().unjudged() {
            if !told.insert(one.definition.clone()) {
                continue;
            }
            if settings.json {
                let event = views::simulator::unjudged_json(&one.definition, &one.reasons);
                views::result(&views::json::line(&event));
            } else {
                views::tell(&views::simulator::unjudged(&one));
            }
        }
        if count.changed().await.is_err() {
            return;
        }
    }
}

fn true_crds(directory: &Path) -> Result<TrueCrds, Error> {
    TrueCrds::open(directory).map_err(|error| {
        Problem::new(format!("the CRDs of `{}` cannot be read", directory.display()))
            .caused_by(&error)
            .hint("name a directory of CRDs with `--crds`")
            .into()
    })
}

/// Lets the operators act on the cluster that the command line names, and on no other: it is seeded first.
async fn guest(settings: &Settings, start: Start<'_>) -> Result<Exit, Error> {
    let (kubeconfig, context) = settings.named_cluster();
    if kubeconfig.is_none() && context.is_none() {
        return Err(Problem::new(
            "`--operators-only` fills a cluster with played machines, so the cluster has to be named",
        )
        .hint("name a scratch cluster with `--kubeconfig` or `--context`")
        .into());
    }
    let interrupts = Interrupts::listen();
    let Asked { faults, schedule } = cluster::faults(start.faults)?;
    let guest = Guest::start(GuestOptions {
        kubeconfig,
        context,
        speed: start.speed,
        platform: start.platform,
        faults,
        schedule,
        crds: start.crds,
    })
    .await
    .map_err(|error| {
        Problem::new("the simulated operators do not start")
            .caused_by(&error)
            .hint("name a scratch cluster that nobody uses, and an administrator of it")
    })?;
    views::result(&if settings.json {
        views::json::line(&views::simulator::SimulateJson::acting(guest.server()))
    } else {
        views::simulator::acting(guest.server(), start.speed, &settings.out)
    });
    interrupts.asked(1).await;
    views::tell("stopping; what the operators made stays\n");
    guest.stop().await;
    Ok(Exit::Done)
}
