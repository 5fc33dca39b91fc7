//! Starting a server.

use super::{
    ApiserverError,
    arguments::{self, AUDIT_POLICY, AUDIT_POLICY_TEXT, CONTROLLER_MANAGER_KUBECONFIG, Wanted},
    binaries::Binaries,
    credentials::{self, ADMIN, CONTROLLER_MANAGER, Token},
    down,
    folder::Folder,
    kubeconfig,
    ports::{self, Ports},
    process::Process,
    program::Program,
    ready::{self, Question},
    status, tell,
};
use std::time::Instant;

/// What the controllers make once all that is before it works: kubeconfig's user, RBAC, the namespace, their tokens.
const MADE_BY_CONTROLLERS: &str = "/api/v1/namespaces/default/serviceaccounts/default";

/// How often ports are chosen: they are free when they are chosen, and bound by the programs seconds later.
const ATTEMPTS: usize = 3;

/// Starts a server unless it is up; answers with the line that a shell evaluates.
///
/// # Errors
/// When something cannot be built, written or started, or does not become ready. Nothing runs then; the logs are kept.
pub(super) fn run(folder: &Folder, binaries: &Binaries, wanted: Wanted) -> Result<String, ApiserverError> {
    binaries.build_where_missing()?;
    let _alone = folder.lock()?;
    if status::is_up(folder)? {
        tell("it is up already");
        return Ok(export(folder));
    }
    let started = Instant::now();
    let mut attempts = 1..ATTEMPTS;
    loop {
        // What a server left that was killed, or did not become ready.
        down::end_all(folder)?;
        folder.remove()?;
        folder.make()?;
        match start(folder, binaries, wanted) {
            Ok(()) => break,
            Err(error) if error.is_of_a_taken_port() && attempts.next().is_some() => {
                tell("somebody else took a port meanwhile; others are tried");
            }
            Err(error) => {
                down::end_all(folder)?;
                return Err(error);
            }
        }
    }
    tell(&format!(
        "kube-apiserver {} is ready after {:.1} s",
        binaries.version(),
        started.elapsed().as_secs_f64()
    ));
    Ok(export(folder))
}

fn export(folder: &Folder) -> String {
    format!("export KUBECONFIG={}", folder.kubeconfig().display())
}

fn start(folder: &Folder, binaries: &Binaries, wanted: Wanted) -> Result<(), ApiserverError> {
    credentials::write_certificates(folder)?;
    let tokens = credentials::write_tokens(folder)?;
    folder.write(AUDIT_POLICY, AUDIT_POLICY_TEXT)?;
    let ports = ports::free()?;
    let (controllers, people): (Vec<&Token>, Vec<&Token>) = tokens
        .iter()
        .partition(|token| token.user.name == CONTROLLER_MANAGER.name);
    folder.write(
        CONTROLLER_MANAGER_KUBECONFIG,
        &kubeconfig::text(folder, ports.apiserver, &controllers)?,
    )?;
    let admin = people
        .iter()
        .find(|token| token.user.name == ADMIN.name)
        .map_or("", |token| &token.secret);
    for program in Program::ALL {
        let address = address(program, ports);
        let arguments = arguments::of(program, folder, ports, wanted);
        let process = Process::start(program, &binaries.path(program), &arguments, &address, folder)?;
        let (url, token) = match program {
            Program::Etcd => (format!("{address}/health"), ""),
            Program::Apiserver => (format!("{address}/readyz"), admin),
            Program::ControllerManager => (
                format!("https://127.0.0.1:{}{MADE_BY_CONTROLLERS}", ports.apiserver),
                admin,
            ),
        };
        ready::wait(folder, &process, Question { url: &url, token })?;
    }
    // Last: whoever finds it finds a server that is ready.
    let text = kubeconfig::text(folder, ports.apiserver, &people)?;
    folder.write("kubeconfig.yaml", &text)?;
    Ok(())
}

/// Where a program listens, or nothing.
fn address(program: Program, ports: Ports) -> String {
    match program {
        Program::Etcd => format!("http://127.0.0.1:{}", ports.etcd),
        Program::Apiserver => format!("https://127.0.0.1:{}", ports.apiserver),
        Program::ControllerManager => String::new(),
    }
}
