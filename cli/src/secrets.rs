//! What only the shell can give: letters that nobody can guess, and the secrets of the person who runs us.
//!
//! Invariant: an error never holds any of a secret, and no output of a command that was asked for one.

use crate::settings::Environment;
use stackctl_engine::late::{SecretInput, Secrets};
use std::process::{Command, Stdio};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The secrets of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShellSecrets;

impl Secrets for ShellSecrets {
    fn draw(&self, length: usize) -> String {
        let mut drawn = String::with_capacity(length);
        let mut bytes = [0_u8; 64];
        while drawn.len() < length {
            getrandom::fill(&mut bytes).expect("the operating system has randomness once it has started");
            // 248 is the largest multiple of 62 in a byte: those above would make some letters likelier.
            let fair = bytes
                .iter()
                .filter(|byte| **byte < 248)
                .map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
            drawn.extend(fair.take(length - drawn.len()));
        }
        drawn
    }

    fn input(&self, input: &SecretInput) -> Result<String, String> {
        let text = match input {
            SecretInput::Environment(name) => {
                Environment::secret(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))?
            }
            SecretInput::File(file) => std::fs::read_to_string(file.path())
                .map_err(|error| format!("the file `{}` cannot be read: {error}", file.path().display()))?,
            SecretInput::Command(words) => printed_by(words)?,
        };
        // Editors and programs end a file with a line break that is not part of the secret.
        let text = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            Err(match input {
                SecretInput::Environment(name) => format!("the environment variable `{name}` is empty"),
                SecretInput::File(file) => format!("the file `{}` is empty", file.path().display()),
                SecretInput::Command(words) => {
                    format!("`{}` printed nothing", words.first().map_or("", String::as_str))
                }
            })
        } else {
            Ok(text.to_owned())
        }
    }
}

fn printed_by(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{program}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("what `{program}` printed is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_letters_are_as_many_as_asked_and_never_the_same() {
        let (first, second) = (ShellSecrets.draw(100), ShellSecrets.draw(100));
        assert_eq!(first.len(), 100);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(first, second);
    }

    #[test]
    fn a_secret_of_a_command_loses_its_line_break_and_its_failure_says_no_secret() {
        let command = |words: &[&str]| SecretInput::Command(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(
            ShellSecrets.input(&command(&["echo", "s3cret"])),
            Ok("s3cret".to_owned())
        );
        let error = ShellSecrets
            .input(&command(&["sh", "-c", "echo s3cret; exit 3"]))
            .expect_err("fails");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
