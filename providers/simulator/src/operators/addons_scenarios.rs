//! What the operators of add-ons do, on the workbench: Kueue, GitOps, model registries, MetalLB, shared install plans.
