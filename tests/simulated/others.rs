//! What others do to the same objects, on the embedded cluster; `tests/real` plays the same acts on a genuine one.

use crate::{acts, cluster::Served, sandbox::Sandbox};

#[test]
fn what_others_do_to_the_same_objects_is_seen_respected_and_mended() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    acts::play(&acts::Server {
        kubeconfig: sandbox.path().join(".stackctl/simulator/kubeconfig"),
        audit: Box::new(|| sandbox.audit()),
    });
    drop(served);
}
