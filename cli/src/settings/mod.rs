//! Flags, environment and defaults become one [`Settings`] that cannot be wrong.
//!
//! Invariants: a flag wins over its variable, a variable over the default; the directories of real and simulated state are
//! never the same.

mod environment;

pub use environment::{Environment, Pager};

use crate::{
    cli::{Common, SchemaArgs, SimulatedPlatform},
    error::{Error, Problem},
    views::style::Style,
};
use stackctl_simulator::Platform;
use std::{
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// The file that is taken when none is named.
pub const DEFAULT_STACK: &str = "stack.toml";
/// Where state and simulated clusters are kept, beside the first stack file.
const HOME: &str = ".stackctl";

/// Everything that a command needs to know about how it was called.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether results are JSON.
    pub json: bool,
    /// How text on stdout looks.
    pub out: Style,
    /// How text on stderr looks.
    pub err: Style,
    /// What shows a result that is longer than the screen.
    pub pager: Option<Pager>,
    /// Whether stderr can show a picture that moves.
    pub is_live: bool,
    /// The layers of the stack, at least one.
    pub files: Vec<PathBuf>,
    /// Single values on top of them.
    pub sets: Vec<String>,
    /// The cluster.
    pub cluster: ClusterChoice,
    /// Where the state is kept.
    pub state: PathBuf,
    /// Where the state of a real cluster is kept; the same, unless the cluster is simulated.
    pub real_state: PathBuf,
    /// How many requests are in flight at most.
    pub parallelism: usize,
    /// What is logged.
    pub logging: Logging,
    common: Common,
    environment: Environment,
}

/// Which cluster a command is about.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterChoice {
    /// The one of a kubeconfig.
    Real {
        /// The context, if one is named.
        context: Option<String>,
        /// The file, if one is named.
        kubeconfig: Option<PathBuf>,
    },
    /// The embedded one.
    Simulated {
        /// Where it is kept.
        directory: PathBuf,
        /// How many times faster than real time; 0 is without waiting.
        speed: f64,
        /// What a new one runs on.
        platform: Platform,
        /// What goes wrong.
        faults: Vec<String>,
    },
}

/// What is logged to stderr.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    /// The directives of `STACKCTL_LOG`.
    pub filter: Option<String>,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// Whether colours may be used.
    pub color: bool,
}

impl Settings {
    /// The kubeconfig and the context that the command line names, whatever cluster the command is about.
    pub fn named_cluster(&self) -> (Option<PathBuf>, Option<String>) {
        (self.common.kubeconfig.clone(), self.common.context.clone())
    }

    /// The directory of definitions that objects are checked against, if one is named.
    pub fn crds(&self, flag: &SchemaArgs) -> Option<PathBuf> {
        flag.crds
            .clone()
            .or_else(|| self.environment.crds.clone().map(PathBuf::from))
    }

    /// Resolves flags, environment and defaults.
    ///
    /// # Errors
    /// A variable or a flag whose value cannot be used.
    pub fn resolve(
        common: &Common,
        files: &[PathBuf],
        sets: &[String],
        environment: &Environment,
    ) -> Result<Self, Error> {
        let files = if files.is_empty() {
            vec![PathBuf::from(DEFAULT_STACK)]
        } else {
            files.to_vec()
        };
        let home = home_beside(&files[0]);
        let cluster = cluster(common, environment, &home)?;
        let named = common
            .state
            .clone()
            .or_else(|| environment.state.clone().map(PathBuf::from));
        let state = match (&cluster, &named) {
            (ClusterChoice::Real { .. }, named) => named.clone().unwrap_or_else(|| home.clone()),
            (ClusterChoice::Simulated { .. }, Some(named)) => named.join("simulated"),
            (ClusterChoice::Simulated { directory, .. }, None) => directory.join("state"),
        };
        let real_state = named.unwrap_or(home);
        let parallelism = match common.parallelism {
            Some(count) => count,
            None => parsed("STACKCTL_PARALLELISM", environment.parallelism.as_deref())?.unwrap_or(16),
        };
        if !(1..=1024).contains(&parallelism) {
            return Err(Problem::new(format!("{parallelism} requests at once cannot be had"))
                .hint("give `--parallelism` a number from 1 to 1024")
                .into());
        }
        let out = environment.style(environment.stdout_is_terminal);
        let err = environment.style(environment.stderr_is_terminal);
        Ok(Self {
            json: common.json,
            is_live: environment.stderr_is_terminal && !environment.is_dumb && !common.json,
            logging: Logging {
                filter: environment.log.clone(),
                verbosity: common.verbose,
                color: err.color,
            },
            out,
            err,
            pager: environment.pager().filter(|_| !common.no_pager && !common.json),
            files,
            sets: sets.to_vec(),
            cluster,
            state,
            real_state,
            parallelism,
            common: common.clone(),
            environment: environment.clone(),
        })
    }

    /// The same settings for other files: those that a saved plan was made of.
    ///
    /// # Errors
    /// None that was not seen before.
    pub fn at(&self, files: &[PathBuf]) -> Result<Self, Error> {
        Self::resolve(&self.common, files, &self.sets, &self.environment)
    }

    /// The flags that say which cluster and which state, as they were given: each with a space before it.
    pub fn place(&self) -> String {
        let common = &self.common;
        let path = |path: &PathBuf| path.display().to_string();
        let mut flags = String::new();
        if let Some(directory) = &common.simulate {
            flags += " --simulate";
            let named = directory.as_ref().map(path);
            flags.extend(named.map(|named| format!("={}", typed(&named))));
        }
        for (flag, value) in [
            ("--context", common.context.clone()),
            ("--kubeconfig", common.kubeconfig.as_ref().map(path)),
            ("--state", common.state.as_ref().map(path)),
        ] {
            flags.extend(value.map(|value| format!(" {flag} {}", typed(&value))));
        }
        flags
    }

    /// The first stack file, which everything else is beside.
    pub fn first_file(&self) -> &Path {
        &self.files[0]
    }
}

/// The directory that holds state and simulated clusters of a stack file.
pub fn home_beside(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(HOME)
}

/// A word as it is typed in a shell: in quotes, where it would be several, or something else.
pub fn typed(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+~".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Reads a length of time: `90s`, `10m`, `1h30m`.
///
/// # Errors
/// When it is not one, or none at all.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write `90s`, `10m` or `1h30m`".to_owned();
    let (mut seconds, mut number) = (0_u64, String::new());
    for character in text.chars() {
        if character.is_ascii_digit() {
            number.push(character);
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        seconds = count
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
        number.clear();
    }
    if seconds == 0 || !number.is_empty() {
        Err(wrong())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

fn cluster(common: &Common, environment: &Environment, home: &Path) -> Result<ClusterChoice, Error> {
    let simulate = match (&common.simulate, environment.simulate.as_deref()) {
        (Some(named), _) => Some(named.clone()),
        (None, None | Some("0" | "false")) => None,
        (None, Some("1" | "true")) => Some(None),
        (None, Some(directory)) => Some(Some(PathBuf::from(directory))),
    };
    let Some(named) = simulate else {
        if let Some(fault) = common.faults.first() {
            return Err(Problem::new(format!("the fault `{fault}` needs a simulated cluster"))
                .hint("add `--simulate`")
                .into());
        }
        return Ok(ClusterChoice::Real {
            context: common.context.clone().or_else(|| environment.context.clone()),
            kubeconfig: common
                .kubeconfig
                .clone()
                .or_else(|| environment.kubeconfig.clone().map(PathBuf::from)),
        });
    };
    let speed = match common.simulate_speed {
        Some(speed) => speed,
        None => parsed("STACKCTL_SIMULATE_SPEED", environment.simulate_speed.as_deref())?.unwrap_or(100.0),
    };
    if !speed.is_finite() || speed < 0.0 {
        return Err(Problem::new(format!("time cannot run {speed} times as fast"))
            .hint("give `--simulate-speed` a number from 0 on; 0 is without waiting")
            .into());
    }
    let platform = match (common.simulate_platform, environment.simulate_platform.as_deref()) {
        (Some(SimulatedPlatform::Aws), _) | (None, None | Some("aws")) => Platform::Aws,
        (Some(SimulatedPlatform::None), _) | (None, Some("none")) => Platform::None,
        (None, Some(other)) => {
            return Err(Problem::new("`STACKCTL_SIMULATE_PLATFORM` cannot be used")
                .because(format!("`{other}` is no platform"))
                .hint("write `aws` or `none`")
                .into());
        }
    };
    Ok(ClusterChoice::Simulated {
        directory: named.unwrap_or_else(|| home.join("simulator")),
        speed,
        platform,
        faults: common.faults.clone(),
    })
}

fn parsed<T: FromStr<Err: Display>>(name: &str, text: Option<&str>) -> Result<Option<T>, Error> {
    let wrong = |error: T::Err| Problem::new(format!("`{name}` cannot be used")).because(error.to_string());
    Ok(text.map(str::parse).transpose().map_err(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(common: &Common, environment: &Environment) -> Settings {
        Settings::resolve(common, &[PathBuf::from("prod/stack.toml")], &[], environment).expect("usable")
    }

    #[test]
    fn a_word_that_a_shell_would_take_apart_is_quoted() {
        assert_eq!(typed("prod/stack.toml"), "prod/stack.toml");
        assert_eq!(typed("We Ird/stack.toml"), "'We Ird/stack.toml'");
        assert_eq!(typed("it's"), r"'it'\''s'");
        assert_eq!(typed(""), "''");
    }

    #[test]
    fn real_and_simulated_state_are_apart() {
        let simulated = Common {
            simulate: Some(None),
            ..Common::default()
        };
        let environment = Environment::default();
        assert_eq!(
            resolved(&Common::default(), &environment).state,
            Path::new("prod/.stackctl")
        );
        assert_eq!(
            resolved(&simulated, &environment).state,
            Path::new("prod/.stackctl/simulator/state")
        );
        let elsewhere = Common {
            state: Some("s".into()),
            ..simulated
        };
        assert_eq!(resolved(&elsewhere, &environment).state, Path::new("s/simulated"));
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let environment = Environment {
            context: Some("variable".to_owned()),
            ..Environment::default()
        };
        let context = |common: &Common| match resolved(common, &environment).cluster {
            ClusterChoice::Real { context, .. } => context,
            ClusterChoice::Simulated { .. } => None,
        };
        assert_eq!(context(&Common::default()).as_deref(), Some("variable"));
        let common = Common {
            context: Some("flag".to_owned()),
            ..Common::default()
        };
        assert_eq!(context(&common).as_deref(), Some("flag"));
    }

    #[test]
    fn who_wants_no_pager_or_json_gets_none() {
        let [environment, _] = environment::tests::said(&[]);
        let with = |no_pager: bool, json: bool| {
            let common = Common {
                no_pager,
                json,
                ..Common::default()
            };
            resolved(&common, &environment).pager.is_some()
        };
        assert_eq!(
            [with(false, false), with(true, false), with(false, true)],
            [true, false, false]
        );
    }

    #[test]
    fn lengths_of_time_are_read_with_their_units() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for wrong in ["", "10", "0s", "5d", "m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
