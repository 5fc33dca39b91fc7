//! Which login of a pull secret serves an image.
//!
//! Source: <https://kubernetes.io/docs/concepts/containers/images/#config-json>.

/// The registry of an image; without one in its reference it is Docker's
/// (<https://github.com/distribution/reference/blob/main/normalize.go>, `splitDockerDomain`).
pub(super) fn registry_of(image: &str) -> &str {
    let Some((first, _)) = image.split_once('/') else {
        return DOCKER;
    };
    if first.contains(['.', ':']) || first == "localhost" {
        first
    } else {
        DOCKER
    }
}

const DOCKER: &str = "docker.io";

/// Whether one of these entries is for the image: its registry, with `*` for a label of it, and the beginning of its path
/// where the entry has one.
pub(super) fn has_login(entries: &[&str], image: &str) -> bool {
    let registry = registry_of(image);
    let path = image
        .strip_prefix(registry)
        .map_or(image, |rest| rest.trim_start_matches('/'));
    entries.iter().any(|entry| {
        let entry = bare(entry);
        let (host, below) = entry.split_once('/').unwrap_or((entry, ""));
        is_host(host, registry) && is_below(below, path)
    })
}

/// An entry without the scheme and the version that some clients write.
pub(super) fn bare(entry: &str) -> &str {
    let entry = entry
        .strip_prefix("https://")
        .or_else(|| entry.strip_prefix("http://"))
        .unwrap_or(entry);
    let entry = entry.trim_end_matches('/');
    ["/v1", "/v2"]
        .iter()
        .find_map(|version| entry.strip_suffix(version))
        .unwrap_or(entry)
}

fn is_host(pattern: &str, registry: &str) -> bool {
    // What Docker's own client writes for its registry.
    let pattern = if pattern == "index.docker.io" { DOCKER } else { pattern };
    let (patterns, labels) = (pattern.split('.'), registry.split('.'));
    patterns.clone().count() == labels.clone().count()
        && patterns
            .zip(labels)
            .all(|(pattern, label)| pattern == "*" || pattern == label)
}

fn is_below(beginning: &str, path: &str) -> bool {
    beginning.is_empty()
        || path == beginning
        || path
            .strip_prefix(beginning)
            .is_some_and(|rest| rest.starts_with(['/', ':', '@']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_an_image_is_its_first_part_if_that_is_a_host() {
        let table = [
            ("registry.redhat.io/rhelai1/modelcar:1.5", "registry.redhat.io"),
            ("mirror:5000/models/a", "mirror:5000"),
            ("localhost/a", "localhost"),
            ("library/postgres", "docker.io"),
            ("postgres:16", "docker.io"),
        ];
        for (image, registry) in table {
            assert_eq!(registry_of(image), registry);
        }
    }

    #[test]
    fn a_login_is_for_a_registry_or_for_a_part_of_it() {
        let has = |entry: &str, image: &str| has_login(&[entry], image);
        let image = "registry.example.com/team/model:1";
        assert!(has("registry.example.com", image));
        assert!(has("https://registry.example.com/v2/", image));
        assert!(has("*.example.com", image));
        assert!(has("registry.example.com/team", image));
        assert!(has("registry.example.com/team/model", image));
        assert!(has("https://index.docker.io/v1/", "library/postgres:16"));
        assert!(!has("registry.example.com/tea", image));
        assert!(!has("registry.example.com/others", image));
        assert!(!has("*.com", image));
        assert!(!has("example.com", image));
    }
}
