//! The machines of the cluster: three control planes and three workers over three zones, and storage.
//!
//! Source: `reference/platform.md` §1 (AMI, StorageClass), §2.5 (the shape of a MachineSet on AWS).

use serde_json::{Value, json};

use super::{
    INFRASTRUCTURE_NAME, REGION,
    object::{INSTALLED_AT, cluster, condition, namespaced},
};

const MACHINE_API: &str = "machine.openshift.io/v1beta1";
const NAMESPACE: &str = "openshift-machine-api";
const ZONES: [&str; 3] = ["a", "b", "c"];

/// The machine image of the workers; no image of AWS has this id.
const AMI: &str = "ami-05eed05eed05eed05";

/// 8 vCPU, 32 GiB: the smallest worker that is enough (`reference/platform.md` §2.0).
const INSTANCE_TYPE: &str = "m6i.2xlarge";

pub(super) fn objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for (index, zone) in ZONES.iter().enumerate() {
        let set = format!("{INFRASTRUCTURE_NAME}-worker-{REGION}{zone}");
        objects.push(machine_set(&set, zone));
        for (role, name, host) in [
            (
                "worker",
                format!("{set}-{}", ["6kq2d", "9t7rw", "m4x8z"][index]),
                24 + index,
            ),
            ("master", format!("{INFRASTRUCTURE_NAME}-master-{index}"), 8 + index),
        ] {
            let place = Place {
                role,
                machine: &name,
                set: &set,
                zone,
                address: format!("10.0.{}.{host}", 16 * index + 4),
            };
            objects.push(machine(&place));
            objects.push(node(&place));
        }
    }
    objects.push(storage_class("gp2-csi", "gp2", false));
    objects.push(storage_class("gp3-csi", "gp3", true));
    objects
}

/// One machine of the installer and the node that it became.
struct Place<'a> {
    role: &'a str,
    machine: &'a str,
    set: &'a str,
    zone: &'a str,
    address: String,
}

impl Place<'_> {
    fn node(&self) -> String {
        format!("ip-{}.{REGION}.compute.internal", self.address.replace('.', "-"))
    }

    fn provider_id(&self) -> String {
        format!("aws:///{REGION}{}/i-05eed{}", self.zone, self.address.replace('.', ""))
    }
}

fn provider_spec(zone: &str, role: &str) -> Value {
    let filtered = |value: String| json!({"filters": [{"name": "tag:Name", "values": [value]}]});
    json!({"value": {
        "apiVersion": "machine.openshift.io/v1beta1",
        "kind": "AWSMachineProviderConfig",
        "ami": {"id": AMI},
        "blockDevices": [{"ebs": {"encrypted": true, "iops": 0, "kmsKey": {"arn": ""}, "volumeSize": 120, "volumeType": "gp3"}}],
        "capacityReservationId": "",
        "credentialsSecret": {"name": "aws-cloud-credentials"},
        "deviceIndex": 0,
        "iamInstanceProfile": {"id": format!("{INFRASTRUCTURE_NAME}-{role}-profile")},
        "instanceType": INSTANCE_TYPE,
        "metadataServiceOptions": {},
        "placement": {"availabilityZone": format!("{REGION}{zone}"), "region": REGION},
        "securityGroups": [
            filtered(format!("{INFRASTRUCTURE_NAME}-node")),
            filtered(format!("{INFRASTRUCTURE_NAME}-lb")),
        ],
        "subnet": filtered(format!("{INFRASTRUCTURE_NAME}-subnet-private-{REGION}{zone}")),
        "tags": [{"name": format!("kubernetes.io/cluster/{INFRASTRUCTURE_NAME}"), "value": "owned"}],
        "userDataSecret": {"name": format!("{role}-user-data")},
    }})
}

fn machine_labels(role: &str, set: &str) -> Value {
    let mut labels = json!({
        "machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE_NAME,
        "machine.openshift.io/cluster-api-machine-role": role,
        "machine.openshift.io/cluster-api-machine-type": role,
    });
    if role == "worker" {
        labels["machine.openshift.io/cluster-api-machineset"] = json!(set);
    }
    labels
}

fn machine_set(name: &str, zone: &str) -> Value {
    namespaced(
        MACHINE_API,
        "MachineSet",
        NAMESPACE,
        name,
        json!({
            "metadata": {
                "labels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE_NAME},
                "annotations": {
                    "capacity.cluster-autoscaler.kubernetes.io/labels": "kubernetes.io/arch=amd64",
                    "machine.openshift.io/GPU": "0",
                    "machine.openshift.io/memoryMb": "32768",
                    "machine.openshift.io/vCPU": "8",
                },
            },
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {
                    "machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE_NAME,
                    "machine.openshift.io/cluster-api-machineset": name,
                }},
                "template": {
                    "metadata": {"labels": machine_labels("worker", name)},
                    "spec": {"lifecycleHooks": {}, "metadata": {}, "providerSpec": provider_spec(zone, "worker")},
                },
            },
            "status": {
                "availableReplicas": 1, "fullyLabeledReplicas": 1, "observedGeneration": 1, "readyReplicas": 1, "replicas": 1,
            },
        }),
    )
}

fn machine(place: &Place<'_>) -> Value {
    namespaced(
        MACHINE_API,
        "Machine",
        NAMESPACE,
        place.machine,
        json!({
            "metadata": {
                "labels": machine_labels(place.role, place.set),
                "finalizers": ["machine.machine.openshift.io"],
            },
            "spec": {
                "lifecycleHooks": {},
                "metadata": {},
                "providerID": place.provider_id(),
                "providerSpec": provider_spec(place.zone, place.role),
            },
            "status": {
                "addresses": [{"type": "InternalIP", "address": place.address}, {"type": "InternalDNS", "address": place.node()}],
                "lastUpdated": INSTALLED_AT,
                "nodeRef": {"kind": "Node", "name": place.node()},
                "phase": "Running",
            },
        }),
    )
}

fn node(place: &Place<'_>) -> Value {
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": place.node(),
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": INSTANCE_TYPE,
        "node.openshift.io/os_id": "rhel",
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": format!("{REGION}{}", place.zone),
    });
    let mut spec = json!({"providerID": place.provider_id()});
    if place.role == "master" {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        spec["taints"] = json!([{"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}]);
    }
    labels[format!("node-role.kubernetes.io/{}", place.role)] = json!("");
    let annotations = json!({"machine.openshift.io/machine": format!("{NAMESPACE}/{}", place.machine)});
    let metadata = json!({"labels": labels, "annotations": annotations});
    machine_node(&place.node(), &place.address, &metadata, &spec, ("8", "33013556Ki"))
}

/// A node as its kubelet tells of it, with so many processors and so much memory.
pub(super) fn machine_node(
    name: &str,
    address: &str,
    metadata: &Value,
    spec: &Value,
    (cpu, memory): (&str, &str),
) -> Value {
    let healthy = |kind, reason| {
        let mut condition = condition(kind, "False", reason);
        condition["lastHeartbeatTime"] = json!(INSTALLED_AT);
        condition
    };
    let mut ready = healthy("Ready", "KubeletReady");
    ready["status"] = json!("True");
    cluster(
        "v1",
        "Node",
        name,
        json!({
            "metadata": metadata,
            "spec": spec,
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
                "allocatable": {"cpu": cpu, "ephemeral-storage": "114345831029", "memory": memory, "pods": "250"},
                "capacity": {"cpu": cpu, "ephemeral-storage": "125238252Ki", "memory": memory, "pods": "250"},
                "conditions": [
                    healthy("MemoryPressure", "KubeletHasSufficientMemory"),
                    healthy("DiskPressure", "KubeletHasNoDiskPressure"),
                    healthy("PIDPressure", "KubeletHasSufficientPID"),
                    ready,
                ],
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": "00000000-0000-4000-8000-000000000000",
                    "containerRuntimeVersion": "cri-o://1.34.2",
                    "kernelVersion": "5.14.0-570.el9_6.x86_64",
                    "kubeProxyVersion": "",
                    // OpenShift 4.21 carries Kubernetes 1.34: https://access.redhat.com/solutions/4870701
                    "kubeletVersion": "v1.34.2",
                    "machineID": "00000000000040008000000000000000",
                    "operatingSystem": "linux",
                    "osImage": "Red Hat Enterprise Linux CoreOS 9.6",
                    "systemUUID": "00000000-0000-4000-8000-000000000000",
                },
            },
        }),
    )
}

fn storage_class(name: &str, volume_type: &str, default: bool) -> Value {
    cluster(
        "storage.k8s.io/v1",
        "StorageClass",
        name,
        json!({
            "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": default.to_string()}},
            "allowVolumeExpansion": true,
            "parameters": {"encrypted": "true", "type": volume_type},
            "provisioner": "ebs.csi.aws.com",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        }),
    )
}
