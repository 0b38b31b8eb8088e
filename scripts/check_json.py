#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds lines of `orb8 ... -o json` against docs/orb8.schema.json.

usage: check_json.py flow|event|group|pod|status [FILE]      without FILE: standard input

Prints what is wrong, line by line, and then exits with 1. No line at all is wrong, too.
"""
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "docs" / "orb8.schema.json"


def main() -> int:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    kinds = [one["$ref"].rpartition("/")[2] for one in schema.pop("anyOf")]
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in kinds:
        print(f"usage: check_json.py {'|'.join(kinds)} [FILE]", file=sys.stderr)
        return 2
    jsonschema.Draft202012Validator.check_schema(schema)
    schema["$ref"] = f"#/$defs/{sys.argv[1]}"
    validator = jsonschema.Draft202012Validator(schema)
    wrong = lines = 0
    source = open(sys.argv[2], encoding="utf-8") if len(sys.argv) == 3 else sys.stdin
    for lines, line in enumerate(source, start=1):
        try:
            problems = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(json.loads(line))]
        except json.JSONDecodeError as error:
            problems = [str(error)]
        for problem in problems:
            print(f"line {lines}: {problem}")
        wrong += bool(problems)
    if lines == 0:
        print("there was no line")
    return 1 if wrong or lines == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
