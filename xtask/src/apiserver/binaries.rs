//! The built binaries, in a cache outside the tree.
//!
//! The name of a cache folder says the version and a digest of all that a build depends on, so two checkouts share what
//! is the same and never anything else. A build goes to another name first: a folder that is there is complete.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use super::{ApiserverError, program::Program, tell};

/// The module whose version is the server's.
const KUBERNETES: &str = "k8s.io/kubernetes";

/// Where Kubernetes keeps what `version` prints; without it the server says `v0.0.0-master`.
/// <https://github.com/kubernetes/kubernetes/blob/v1.34.4/hack/lib/version.sh>
const VERSION_PACKAGES: [&str; 2] = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];

/// What of the build is neither module nor version.
const FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-mod=readonly"];

/// The binaries of one version, built or not.
#[derive(Debug)]
pub(super) struct Binaries {
    module: PathBuf,
    version: String,
    folder: PathBuf,
}

impl Binaries {
    /// The binaries of the Go module in `module`.
    ///
    /// # Errors
    /// When the module cannot be read, or there is no folder to keep binaries in.
    pub(super) fn of(module: &Path) -> Result<Self, ApiserverError> {
        let read = |name: &str| {
            let path = module.join(name);
            fs::read_to_string(&path).map_err(|cause| ApiserverError::Read { path, cause })
        };
        let requirements = read("go.mod")?;
        let sums = read("go.sum")?;
        let Some(version) = version_in(&requirements) else {
            return Err(ApiserverError::NoVersion {
                path: module.join("go.mod"),
            });
        };
        let link = link_flags(&version);
        let platform = format!("{}-{}", env::consts::OS, env::consts::ARCH);
        let digest = digest([&requirements, &sums, &link, &platform, &FLAGS.join(" ")]);
        Ok(Self {
            folder: cache()?.join(format!("{version}-{digest:016x}")),
            module: module.to_owned(),
            version,
        })
    }

    /// The folder of the binaries.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The version of Kubernetes, as `v1.34.4`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Where one binary is, once built.
    pub(super) fn path(&self, program: Program) -> PathBuf {
        self.folder.join(program.name())
    }

    /// Builds all three, unless they are there.
    ///
    /// # Errors
    /// When Go is missing, a build fails, or the cache cannot be written.
    pub(super) fn build_where_missing(&self) -> Result<(), ApiserverError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let mut unfinished = self.folder.clone().into_os_string();
        unfinished.push(format!(".unfinished-{}", process::id()));
        let unfinished = PathBuf::from(unfinished);
        let failed = |cause| ApiserverError::Write {
            path: unfinished.clone(),
            cause,
        };
        fs::create_dir_all(&unfinished).map_err(failed)?;
        tell(&format!(
            "building kube-apiserver {} with etcd and kube-controller-manager, once: some 15 CPU minutes",
            self.version
        ));
        let built = Program::ALL
            .iter()
            .try_for_each(|program| self.build(*program, &unfinished));
        // Another build may have been quicker: then the folder is there, and as good.
        let kept = built.and_then(|()| match fs::rename(&unfinished, &self.folder) {
            Err(cause) if !self.folder.is_dir() => Err(failed(cause)),
            _ => Ok(()),
        });
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(failed)?;
        }
        kept
    }

    fn build(&self, program: Program, into: &Path) -> Result<(), ApiserverError> {
        tell(&format!("  go build {}", program.package()));
        let mut go = Command::new("go");
        go.current_dir(&self.module)
            // Neither a C compiler nor a workspace or flag of the developer's own may change what is built.
            .envs([("CGO_ENABLED", "0"), ("GOWORK", "off")])
            .arg("build")
            .args(FLAGS)
            .args(["-ldflags", &link_flags(&self.version), "-o"])
            .arg(into.join(program.name()))
            .arg(program.package());
        let status = go.status().map_err(|cause| ApiserverError::Start {
            program: "go".to_owned(),
            hint: "https://go.dev/dl, version 1.24 or newer".to_owned(),
            cause,
        })?;
        if status.success() {
            Ok(())
        } else {
            Err(ApiserverError::Build {
                package: program.package(),
            })
        }
    }
}

/// The version of Kubernetes that a `go.mod` requires.
fn version_in(requirements: &str) -> Option<String> {
    requirements.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word == "require");
        (words.next() == Some(KUBERNETES))
            .then(|| words.next())
            .flatten()
            .filter(|version| version.starts_with('v'))
            .map(ToOwned::to_owned)
    })
}

/// Leaves out symbols, and says the version.
fn link_flags(version: &str) -> String {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let values = [
        ("gitVersion", version),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitTreeState", "clean"),
    ];
    let mut flags = vec!["-s -w".to_owned()];
    for package in VERSION_PACKAGES {
        flags.extend(
            values
                .iter()
                .map(|(name, value)| format!("-X {package}.{name}={value}")),
        );
    }
    flags.join(" ")
}

/// FNV-1a, 64 bits: it names a folder, nobody attacks it, and it stays the same from one Rust to the next.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
fn digest<'a>(texts: impl IntoIterator<Item = &'a String>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        // A byte that no text has keeps neighbours apart.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Where binaries of every version are kept.
fn cache() -> Result<PathBuf, ApiserverError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("STACKCTL_APISERVER_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|home| home.join("stackctl/apiserver")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/stackctl/apiserver")))
        .ok_or(ApiserverError::NoCache)
}

#[cfg(test)]
mod tests {
    use super::{digest, link_flags, version_in};

    #[test]
    fn the_version_is_the_requirement_and_not_a_replacement_or_a_tool() {
        let requirements =
            "tool (\n\tk8s.io/kubernetes/cmd/kube-apiserver\n)\nrequire (\n\tk8s.io/kubernetes v1.34.4\n)\n";
        assert_eq!(version_in(requirements).as_deref(), Some("v1.34.4"));
        assert_eq!(
            version_in("require k8s.io/kubernetes v1.33.0").as_deref(),
            Some("v1.33.0")
        );
        assert_eq!(version_in("replace k8s.io/kubernetes => ../kubernetes"), None);
        assert_eq!(version_in("k8s.io/kubernetes => k8s.io/kubernetes v1.34.4"), None);
    }

    #[test]
    fn the_linker_gets_major_and_minor() {
        let flags = link_flags("v1.34.4");
        for flag in [
            "gitVersion=v1.34.4",
            "component-base/version.gitMajor=1 ",
            "component-base/version.gitMinor=34 ",
        ] {
            assert!(flags.contains(flag), "{flag} in {flags}");
        }
    }

    #[test]
    fn a_digest_is_fnv_and_knows_where_a_text_ends() {
        assert_eq!(digest([]), 0xcbf2_9ce4_8422_2325);
        let [left, right, other] = ["ab", "c", "abc"].map(str::to_owned);
        assert_ne!(digest([&left, &right]), digest([&other]));
        assert_ne!(digest([&left, &right]), digest([&right, &left]));
    }
}
