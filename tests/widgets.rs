//! A kind of somebody's own, for tests: Widget of example.com.

/// Its definition: `size` is `small` or `large` and has to be there, `max` is 3 by default, and `min` is not above it.
pub(crate) const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: string, enum: [small, large]}
              min: {type: integer}
              max: {type: integer, default: 3}
            x-kubernetes-validations: [{rule: "!has(self.min) || self.min <= self.max", message: "min is above max"}]
"#;
