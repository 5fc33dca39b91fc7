//! The runtime of commands that speak to a cluster.

use crate::error::{Error, Problem};
use std::future::Future;

/// Runs a future to its end on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new("no threads can be started").caused_by(&error))?;
    let result = runtime.block_on(future);
    // What a served cluster still had in flight is of no interest any more.
    runtime.shutdown_background();
    result
}

/// The first and the second Ctrl-C, or a polite request to end, as two things to wait for.
#[derive(Debug)]
pub(super) struct Interrupts {
    /// How often it was asked so far.
    count: tokio::sync::watch::Receiver<u32>,
    listener: tokio::task::JoinHandle<()>,
}

impl Interrupts {
    /// Listens from now on; Ctrl-C no longer ends the process by itself.
    pub(super) fn listen() -> Self {
        let (told, count) = tokio::sync::watch::channel(0);
        let listener = tokio::spawn(async move {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut ended) = signal(SignalKind::terminate()) else {
                return;
            };
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = ended.recv() => {}
                }
                told.send_modify(|count| *count += 1);
            }
        });
        Self { count, listener }
    }

    /// Resolves once it was asked that often.
    pub(super) fn asked(&self, times: u32) -> impl Future<Output = ()> + use<> {
        let mut count = self.count.clone();
        async move {
            if count.wait_for(|count| *count >= times).await.is_err() {
                // Nobody listens: nothing will ever come.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
