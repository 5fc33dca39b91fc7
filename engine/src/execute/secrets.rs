//! Secrets of a person are read before what they are put into is made: that may take its time, and stops nothing.

use crate::late::{LateSource, SecretInput, Secrets};
use std::{collections::BTreeMap, future::Future};

/// Where fresh letters and a person's secrets come from.
///
/// Whoever holds all of them at hand has this by [`Secrets`].
pub trait SecretSource {
    /// Draws that many letters and digits from a secure source.
    fn draw(&self, length: usize) -> String;

    /// Reads a secret that a person supplies. It ends, and never blocks the thread that it is polled on.
    ///
    /// # Errors
    /// Why it could not be read, without any of it.
    fn read(&self, input: &SecretInput) -> impl Future<Output = Result<String, String>>;
}

impl<S: Secrets> SecretSource for S {
    fn draw(&self, length: usize) -> String {
        Secrets::draw(self, length)
    }

    async fn read(&self, input: &SecretInput) -> Result<String, String> {
        self.input(input)
    }
}

/// The secrets of some late values, read; it lives as long as what they are put into is made.
pub(crate) struct ReadSecrets<'a, S> {
    source: &'a S,
    inputs: BTreeMap<&'a SecretInput, Result<String, String>>,
}

impl<'a, S: SecretSource> ReadSecrets<'a, S> {
    /// Reads those that these late values come from, each once.
    pub(crate) async fn of(source: &'a S, late: impl IntoIterator<Item = &'a LateSource>) -> Self {
        let mut inputs = BTreeMap::new();
        for from in late {
            if let LateSource::Input(input) = from
                && !inputs.contains_key(input)
            {
                inputs.insert(input, source.read(input).await);
            }
        }
        Self { source, inputs }
    }
}

impl<S: SecretSource> Secrets for ReadSecrets<'_, S> {
    fn draw(&self, length: usize) -> String {
        self.source.draw(length)
    }

    fn input(&self, input: &SecretInput) -> Result<String, String> {
        let unread = || Err("it was not read".to_owned());
        self.inputs.get(input).cloned().unwrap_or_else(unread)
    }
}
