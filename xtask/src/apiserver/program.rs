//! The three programs of a server.

/// One program. In the order in which they start: each needs those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// Where the API server keeps its objects.
    Etcd,
    /// What the tests are about.
    Apiserver,
    /// Ends namespaces, collects garbage, makes service accounts.
    ControllerManager,
}

impl Program {
    /// All of them, in the order in which they start.
    pub(super) const ALL: [Self; 3] = [Self::Etcd, Self::Apiserver, Self::ControllerManager];

    /// The name of its binary, and of its files in the folder.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Apiserver => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
        }
    }

    /// The Go package that it is built from: a `tool` line of `tests/apiserver/go.mod`.
    pub(super) const fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::Apiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
        }
    }

    /// Where Go's collector begins to work harder: a soft bound on memory, some four times what is used at rest.
    /// <https://go.dev/doc/gc-guide#Memory_limit>
    pub(super) const fn memory_limit(self) -> &'static str {
        match self {
            Self::Etcd | Self::ControllerManager => "384MiB",
            Self::Apiserver => "1280MiB",
        }
    }
}
