//! What only the shell can give: letters that nobody can guess, and the secrets of the person who runs us.
//!
//! Invariants:
//! - An error never holds any of a secret, and no output of a command that was asked for one.
//! - A command that is asked for one blocks nothing meanwhile, and is killed when nobody waits for it any more; what it has
//!   started itself is not.

use crate::settings::Environment;
use stackctl_engine::{execute::SecretSource, late::SecretInput};
use std::{process::Stdio, time::Duration};
use tokio::{process::Command, sync::Semaphore, time::timeout};

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// How long a command may take to print a secret: a person may have to touch something.
const LONGEST: Duration = Duration::from_secs(60);

/// The secrets of this process.
#[derive(Debug)]
pub struct ShellSecrets {
    /// Commands run one after the other: each may ask a person.
    turn: Semaphore,
}

impl Default for ShellSecrets {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(1),
        }
    }
}

impl SecretSource for ShellSecrets {
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

    async fn read(&self, input: &SecretInput) -> Result<String, String> {
        let text = match input {
            SecretInput::Environment(name) => {
                Environment::secret(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))?
            }
            SecretInput::File(file) => std::fs::read_to_string(file.path())
                .map_err(|error| format!("the file `{}` cannot be read: {error}", file.path().display()))?,
            SecretInput::Command(words) => {
                let _turn = self.turn.acquire().await;
                printed_by(words).await?
            }
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

async fn printed_by(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    let printing = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = timeout(LONGEST, printing)
        .await
        .map_err(|_| {
            format!(
                "`{program}` did not end within {} s, and was stopped",
                LONGEST.as_secs()
            )
        })?
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{program}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("what `{program}` printed is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::PathBuf};
    use tokio::{
        select,
        time::{Instant, sleep},
    };

    fn command(words: &[&str]) -> SecretInput {
        SecretInput::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn drawn_letters_are_as_many_as_asked_and_never_the_same() {
        let secrets = ShellSecrets::default();
        let (first, second) = (secrets.draw(100), secrets.draw(100));
        assert_eq!(first.len(), 100);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(first, second);
    }

    #[tokio::test]
    async fn a_secret_of_a_command_loses_its_line_break_and_its_failure_says_no_secret() {
        let secrets = ShellSecrets::default();
        let printed = secrets.read(&command(&["echo", "s3cret"])).await;
        assert_eq!(printed, Ok("s3cret".to_owned()));
        let failing = command(&["sh", "-c", "echo s3cret; exit 3"]);
        let error = secrets.read(&failing).await.expect_err("fails");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_does_not_end_has_a_minute_and_blocks_nothing_meanwhile() {
        let began = Instant::now();
        let secrets = ShellSecrets::default();
        let waits = command(&["sh", "-c", "echo s3cret; exec sleep 100000"]);
        let (first, second, ()) = tokio::join!(secrets.read(&waits), secrets.read(&waits), async {
            sleep(Duration::from_secs(1)).await;
            assert_eq!(began.elapsed(), Duration::from_secs(1));
        });
        let error = "`sh` did not end within 60 s, and was stopped";
        assert_eq!([first, second], [Err(error.to_owned()), Err(error.to_owned())]);
        assert_eq!(began.elapsed(), 2 * LONGEST, "one after the other");
    }

    #[tokio::test]
    async fn a_command_does_not_outlive_the_wait_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let noted = folder.path().join("pid");
        let secrets = ShellSecrets::default();
        let script = format!(
            "echo $$ > {0}.part; mv {0}.part {0}; exec sleep 100000",
            noted.display()
        );
        let began = async {
            loop {
                match fs::read_to_string(&noted) {
                    Ok(pid) => return pid,
                    Err(_) => sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let waits = command(&["sh", "-c", &script]);
        let pid = select! {
            printed = secrets.read(&waits) => panic!("{printed:?}"),
            pid = began => pid,
        };
        // Nobody has to look at how it ended: it is gone, or has ended.
        let state = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
        while fs::read_to_string(&state).is_ok_and(|state| !state.contains(") Z")) {
            sleep(Duration::from_millis(5)).await;
        }
    }
}
