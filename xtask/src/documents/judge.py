"""Reads {"schemas": {name: schema}, "documents": [[name, where, document]]} and prints what is wrong, one a line.

A schema allows keys that it does not name, for readers of a newer form; here each is closed, so that a key that no type
has is found.
"""

import json
import sys

from jsonschema import Draft202012Validator


def refs_beside_properties(schema, found):
    """Definitions that only add to the object they stand in: closed, they would refuse its other keys."""
    if isinstance(schema, dict):
        if "$ref" in schema and "properties" in schema:
            found.add(schema["$ref"].rsplit("/", 1)[-1])
        for value in schema.values():
            refs_beside_properties(value, found)
    elif isinstance(schema, list):
        for value in schema:
            refs_beside_properties(value, found)


def close(schema, is_part=False):
    if isinstance(schema, list):
        for one in schema:
            close(one, is_part)
        return
    if not isinstance(schema, dict):
        return
    is_object = "properties" in schema
    if is_object and not is_part and "additionalProperties" not in schema:
        schema["unevaluatedProperties"] = False
    for key, value in schema.items():
        if key in ("oneOf", "anyOf", "allOf"):
            close(value, is_part or is_object)
        elif key == "properties":
            for one in value.values():
                close(one)
        elif key in ("items", "additionalProperties"):
            close(value)


def main():
    given = json.load(open(sys.argv[1]))
    validators = {}
    for name, schema in given["schemas"].items():
        Draft202012Validator.check_schema(schema)
        parts = set()
        refs_beside_properties(schema, parts)
        close(schema)
        for definition, inner in schema.get("$defs", {}).items():
            close(inner, is_part=definition in parts)
        validators[name] = Draft202012Validator(schema)
    for name, where, document in given["documents"]:
        for error in list(validators[name].iter_errors(document))[:3]:
            print(f"{name}: {where}: {error.json_path}: {error.message[:300]}")


main()
