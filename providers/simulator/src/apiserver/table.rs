//! The Table form: what `kubectl get` prints
//! (<https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables>).

use serde_json::{Value, json};

use super::kinds::{Column, Version};
use super::wall::Moment;

/// The column definitions of a kind: its name, its own columns, its age unless it says so itself.
pub(super) fn columns(version: &Version) -> Vec<Value> {
    let column = |name: &str, kind: &str, format: &str, description: &str, priority: i64| json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority});
    let mut columns = Vec::new();
    if has_name(version) {
        let description = "Name must be unique within a namespace.";
        columns.push(column("Name", "string", "name", description, 0));
    }
    for own in &version.columns {
        columns.push(column(
            &own.name,
            &own.column_type,
            &own.format,
            &own.description,
            own.priority,
        ));
    }
    if has_age(version) {
        columns.push(column("Age", "date", "", "Time since the object was created.", 0));
    }
    columns
}

fn has_age(version: &Version) -> bool {
    !version.columns.iter().any(|column| {
        column.name.eq_ignore_ascii_case("age")
            || column.json_path == ".metadata.creationTimestamp"
            || column.json_path == "@last-seen"
    })
}

/// Events begin with when they were last seen, and name themselves last.
fn has_name(version: &Version) -> bool {
    !version.columns.iter().any(|column| column.json_path == "@last-seen")
}

/// The row of an object.
pub(super) fn row(version: &Version, object: &Value, include: &str) -> Value {
    let now = Moment::now();
    let mut cells = Vec::new();
    if has_name(version) {
        cells.push(object["metadata"]["name"].clone());
    }
    cells.extend(version.columns.iter().map(|column| cell(column, object, now)));
    if has_age(version) {
        cells.push(age(&object["metadata"]["creationTimestamp"], now));
    }
    let mut row = json!({ "cells": cells });
    match include {
        "None" => {}
        "Object" => row["object"] = object.clone(),
        _ => row["object"] = metadata_only(object),
    }
    row
}

/// The table of a Scale.
pub(super) fn of_scale(scale: &Value) -> Value {
    let column =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "format": "", "description": "", "priority": 0});
    let cells = [
        scale["metadata"]["name"].clone(),
        json!(scale["spec"]["replicas"].as_i64().unwrap_or(0)),
        json!(scale["status"]["replicas"].as_i64().unwrap_or(0)),
        age(&scale["metadata"]["creationTimestamp"], Moment::now()),
    ];
    let columns = [
        column("Name", "string"),
        column("Desired", "integer"),
        column("Available", "integer"),
        column("Age", "string"),
    ];
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]},
        "columnDefinitions": columns, "rows": [{"cells": cells, "object": metadata_only(scale)}]})
}

/// The `PartialObjectMetadata` of an object.
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn age(time: &Value, now: Moment) -> Value {
    match time.as_str().and_then(Moment::parse) {
        Some(moment) => Value::String(now.age_since(moment)),
        None => Value::String("<unknown>".to_owned()),
    }
}

fn cell(column: &Column, object: &Value, now: Moment) -> Value {
    if let Some(computed) = column.json_path.strip_prefix('@') {
        return moment(computed, object, now).unwrap_or_else(|| built_in(computed, object));
    }
    let found = look_up(object, &column.json_path);
    match (column.column_type.as_str(), found) {
        ("date", Some(time)) => age(time, now),
        ("integer", Some(Value::Number(number))) => Value::Number(number.clone()),
        ("number", Some(Value::Number(number))) => Value::Number(number.clone()),
        ("boolean", Some(Value::Bool(flag))) => Value::Bool(*flag),
        (_, Some(Value::String(text))) => Value::String(text.clone()),
        (_, None | Some(Value::Null)) => Value::Null,
        (_, Some(other)) => Value::String(other.to_string()),
    }
}

/// Follows the subset of JSONPath that printer columns use: keys, indexes, and filters on equality.
pub(super) fn look_up<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = object;
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let mut key = String::new();
            let mut characters = tail.char_indices();
            let mut end = tail.len();
            while let Some((position, character)) = characters.next() {
                match character {
                    '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
                    '.' | '[' => {
                        end = position;
                        break;
                    }
                    other => key.push(other),
                }
            }
            value = if key.is_empty() { value } else { value.get(&key)? };
            rest = &tail[end..];
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (inside, tail) = tail.split_once(']')?;
            value = match inside.strip_prefix("?(@.").and_then(|filter| filter.strip_suffix(')')) {
                Some(filter) => {
                    let (key, wanted) = filter.split_once("==")?;
                    let wanted = wanted.trim().trim_matches(['"', '\'']);
                    value
                        .as_array()?
                        .iter()
                        .find(|item| item[key.trim()].as_str() == Some(wanted))?
                }
                None => match inside.trim_matches(['"', '\'']).parse::<usize>() {
                    Ok(index) => value.get(index)?,
                    Err(_) => value.get(inside.trim_matches(['"', '\'']))?,
                },
            };
            rest = tail;
        } else {
            return None;
        }
    }
    Some(value)
}

/// Cells of built-in kinds that tell how long ago something was.
fn moment(name: &str, object: &Value, now: Moment) -> Option<Value> {
    let first = |fields: &[&str]| {
        let found = fields.iter().map(|field| &object[*field]).find(|time| time.is_string());
        age(found.unwrap_or(&Value::Null), now)
    };
    match name.split_once(':') {
        Some(("ago", pointer)) => Some(match object.pointer(pointer).filter(|time| time.is_string()) {
            Some(time) => age(time, now),
            None => Value::from("<none>"),
        }),
        None if name == "last-seen" => Some(first(&["lastTimestamp", "deprecatedLastTimestamp", "eventTime"])),
        None if name == "first-seen" => Some(first(&["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"])),
        _ => None,
    }
}

/// Cells of built-in kinds that are no path.
fn built_in(name: &str, object: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let cell = match name.split_once(':') {
        Some(("count", fields)) => {
            let size = |field: &str| match &object[field] {
                Value::Object(map) => map.len(),
                Value::Array(list) => list.len(),
                _ => 0,
            };
            return json!(fields.split(',').map(size).sum::<usize>());
        }
        Some(("condition", wanted)) => {
            let found = list(&object["status"]["conditions"])
                .into_iter()
                .find(|condition| condition["type"] == wanted);
            found.map_or_else(|| "Unknown".to_owned(), |condition| text(&condition["status"]))
        }
        Some((kind @ ("or-none" | "or-na"), pointer)) => match object.pointer(pointer).filter(|value| !value.is_null())
        {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ if kind == "or-na" => "N/A".to_owned(),
            _ => "<none>".to_owned(),
        },
        Some(("labels", pointer)) => {
            let labels = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
            let labels: Vec<String> = labels.map(|(key, value)| format!("{key}={}", text(value))).collect();
            none_or(&labels)
        }
        Some(("subjects", kind)) => {
            let subjects = list(&object["subjects"]);
            let of_kind = subjects.iter().filter(|subject| subject["kind"] == kind);
            let names = of_kind.map(|subject| match subject["namespace"].as_str() {
                Some(namespace) if !namespace.is_empty() => format!("{namespace}/{}", text(&subject["name"])),
                _ => text(&subject["name"]),
            });
            names.collect::<Vec<_>>().join(", ")
        }
        Some(("count-status", field)) => return json!(list(&object["status"][field]).len()),
        Some(("involved", field)) => {
            let involved = &object[field];
            format!("{}/{}", text(&involved["kind"]).to_lowercase(), text(&involved["name"]))
        }
        Some(("zero", field)) => return json!(object["status"][field].as_i64().unwrap_or(0)),
        Some(("quota", side)) => quota(object, side == "limits"),
        Some(_) => "<none>".to_owned(),
        None => match name {
            "none" => "<none>".to_owned(),
            "global-default" => return json!(object["globalDefault"] == true),
            "cluster-ip" => match object["spec"]["clusterIP"].as_str() {
                Some(address) if !address.is_empty() => address.to_owned(),
                _ => "<none>".to_owned(),
            },
            "scale-target" => {
                let target = &object["spec"]["scaleTargetRef"];
                format!("{}/{}", text(&target["kind"]), text(&target["name"]))
            }
            "controller" => {
                let owners = list(&object["metadata"]["ownerReferences"]);
                let owner = owners.iter().find(|owner| owner["controller"] == true);
                let group = |owner: &Value| {
                    text(&owner["apiVersion"])
                        .split('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                };
                owner.map_or_else(
                    || "<none>".to_owned(),
                    |owner| {
                        format!(
                            "{}.{}/{}",
                            text(&owner["kind"]).to_lowercase(),
                            group(owner),
                            text(&owner["name"])
                        )
                    },
                )
            }
            "external-ip" => {
                let addresses = list(&object["status"]["loadBalancer"]["ingress"]);
                let names: Vec<String> = addresses
                    .iter()
                    .map(|entry| text(&entry["ip"]) + &text(&entry["hostname"]))
                    .collect();
                match (object["spec"]["type"].as_str(), names.is_empty()) {
                    (Some("ExternalName"), _) => text(&object["spec"]["externalName"]),
                    (Some("LoadBalancer"), true) => "<pending>".to_owned(),
                    (_, true) => "<none>".to_owned(),
                    (_, false) => names.join(","),
                }
            }
            "ports" => {
                let port = |port: &Value| match port["nodePort"].as_i64() {
                    Some(node_port) => format!("{}:{node_port}/{}", port["port"], text(&port["protocol"])),
                    None => format!("{}/{}", port["port"], text(&port["protocol"])),
                };
                let ports: Vec<String> = list(&object["spec"]["ports"]).iter().map(port).collect();
                if ports.is_empty() {
                    "<none>".to_owned()
                } else {
                    ports.join(",")
                }
            }
            "replicas-ready" => {
                format!(
                    "{}/{}",
                    object["status"]["readyReplicas"].as_i64().unwrap_or(0),
                    object["spec"]["replicas"].as_i64().unwrap_or(1)
                )
            }
            "containers-ready" => {
                let statuses = list(&object["status"]["containerStatuses"]);
                let n_ready = statuses.iter().filter(|status| status["ready"] == true).count();
                format!("{n_ready}/{}", list(&object["spec"]["containers"]).len())
            }
            "pod-status" if !object["metadata"]["deletionTimestamp"].is_null() => "Terminating".to_owned(),
            "pod-status" => match object["status"]["reason"].as_str() {
                Some(reason) => reason.to_owned(),
                None => {
                    let waiting = list(&object["status"]["containerStatuses"])
                        .iter()
                        .find_map(|status| status["state"]["waiting"]["reason"].as_str().map(ToOwned::to_owned));
                    waiting.unwrap_or_else(|| text(&object["status"]["phase"]))
                }
            },
            "restarts" => {
                let count = |status: &Value| status["restartCount"].as_i64().unwrap_or(0);
                return json!(
                    list(&object["status"]["containerStatuses"])
                        .iter()
                        .map(count)
                        .sum::<i64>()
                );
            }
            "node-status" => {
                let is_ready = list(&object["status"]["conditions"])
                    .iter()
                    .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
                let ready = if is_ready { "Ready" } else { "NotReady" };
                if object["spec"]["unschedulable"] == true {
                    format!("{ready},SchedulingDisabled")
                } else {
                    ready.to_owned()
                }
            }
            "node-roles" => {
                let labels = object["metadata"]["labels"].as_object();
                let roles: Vec<&str> = labels
                    .into_iter()
                    .flatten()
                    .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
                    .collect();
                if roles.is_empty() {
                    "<none>".to_owned()
                } else {
                    roles.join(",")
                }
            }
            "source" => {
                let source = [&object["source"], &object["deprecatedSource"]];
                let component = source
                    .iter()
                    .map(|source| text(&source["component"]))
                    .collect::<String>();
                let reporting = [&object["reportingComponent"], &object["reportingController"]];
                if component.is_empty() {
                    reporting.into_iter().map(text).collect()
                } else {
                    component
                }
            }
            "suspend" => (if object["spec"]["suspend"] == true {
                "True"
            } else {
                "False"
            })
            .to_owned(),
            "containers" | "images" => {
                let spec = pod_spec(object);
                let key = if name == "images" { "image" } else { "name" };
                let all: Vec<String> = list(&spec["containers"]).iter().map(|one| text(&one[key])).collect();
                all.join(",")
            }
            "addresses" => {
                let addresses = list(&object["status"]["loadBalancer"]["ingress"]);
                let names = addresses
                    .iter()
                    .map(|entry| text(&entry["ip"]) + &text(&entry["hostname"]));
                names.collect::<Vec<_>>().join(",")
            }
            "ingress-ports" if list(&object["spec"]["tls"]).is_empty() => "80".to_owned(),
            "ingress-ports" => "80, 443".to_owned(),
            "job-status" => {
                let is = |wanted: &str| {
                    list(&object["status"]["conditions"])
                        .iter()
                        .any(|condition| condition["type"] == wanted && condition["status"] == "True")
                };
                if is("Complete") {
                    "Complete"
                } else if is("Failed") {
                    "Failed"
                } else {
                    "Running"
                }
                .to_owned()
            }
            "completions" => {
                format!(
                    "{}/{}",
                    object["status"]["succeeded"].as_i64().unwrap_or(0),
                    object["spec"]["completions"].as_i64().unwrap_or(1)
                )
            }
            "role-ref" => format!(
                "{}/{}",
                text(&object["roleRef"]["kind"]),
                text(&object["roleRef"]["name"])
            ),
            "hosts" => {
                let hosts: Vec<String> = list(&object["spec"]["rules"])
                    .iter()
                    .map(|rule| text(&rule["host"]))
                    .collect();
                if hosts.is_empty() {
                    "*".to_owned()
                } else {
                    hosts.join(",")
                }
            }
            _ => String::new(),
        },
    };
    Value::String(cell)
}

fn none_or(texts: &[String]) -> String {
    if texts.is_empty() {
        "<none>".to_owned()
    } else {
        texts.join(",")
    }
}

/// The pods that a workload makes.
fn pod_spec(object: &Value) -> &Value {
    let spec = &object["spec"];
    let spec = if spec["jobTemplate"].is_object() {
        &spec["jobTemplate"]["spec"]
    } else {
        spec
    };
    &spec["template"]["spec"]
}

/// `pods: 0/2, requests.cpu: 0/1`: what is used of what a quota allows, of limits or of all else.
fn quota(object: &Value, limits: bool) -> String {
    let used = |name: &str| object["status"]["used"][name].as_str().unwrap_or("0").to_owned();
    let hard = object["status"]["hard"].as_object().into_iter().flatten();
    let entries: Vec<String> = hard
        .filter(|(name, _)| name.starts_with("limits.") == limits)
        .map(|(name, allowed)| format!("{name}: {}/{}", used(name), allowed.as_str().unwrap_or_default()))
        .collect();
    entries.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printer_columns_find_their_values() {
        let object = json!({"spec": {"a": [{"b": 1}]}, "metadata": {"labels": {"x.y/z": "l"}},
            "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}});
        for (path, expected) in [
            (".spec.a[0].b", json!(1)),
            (".metadata.labels.x\\.y/z", json!("l")),
            (".status.conditions[?(@.type==\"Ready\")].status", json!("True")),
            (".status.conditions[?(@.type=='Other')].status", json!("False")),
        ] {
            assert_eq!(look_up(&object, path), Some(&expected), "{path}");
        }
        assert_eq!(look_up(&object, ".spec.none.at.all"), None);
    }
}
