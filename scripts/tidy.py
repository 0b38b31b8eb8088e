#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on each file of a compile database, in parallel, and remembers what passed.

usage: tidy.py <build folder> [part of a path]

A file is checked again when it, a header of this tree that it reaches, its command line, the
configuration or clang-tidy itself changed; system headers are taken to change with clang-tidy.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path.cwd()
TIDY = "clang-tidy-19"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# What is left out of some files. The analyzer walks every path of GoogleTest's macros; the check
# for parameters takes 15 s a file to read gRPC's templates, half of all the time there.
NOT_IN_TESTS = "-clang-analyzer-*"
NOT_BESIDE_GRPC = "-performance-unnecessary-value-param"


class Tidy:
    def __init__(self, build):
        self.build = build
        self.passed = build / "tidy"
        self.passed.mkdir(parents=True, exist_ok=True)
        version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
        self.base = version + Path(__file__).read_bytes() + (ROOT / ".clang-tidy").read_bytes()
        self.generated = [p for p in build.rglob("*.h") if p.name.endswith((".skel.h", ".pb.h"))]

    @cache
    def find(self, header):
        """Where an include of this tree lies; None for one that is not in the tree."""
        if (ROOT / header).is_file():
            return ROOT / header
        return next((p for p in self.generated if p.as_posix().endswith("/" + header)), None)

    @cache
    def read(self, path):
        data = path.read_bytes()
        return hashlib.sha256(data).digest(), INCLUDE.findall(data.decode(errors="replace"))

    def reached(self, file):
        """The file and the headers of this tree, or generated for it, that it includes."""
        seen, todo = set(), [Path(file)]
        while todo:
            path = todo.pop()
            if path is None or path in seen:
                continue
            seen.add(path)
            todo.extend(self.find(header) for header in self.read(path)[1])
        return sorted(seen)

    def job(self, entry):
        """The command for a file, and the name under which it is remembered that it passed."""
        file, reached = entry["file"], self.reached(entry["file"])
        command = [TIDY, "--quiet", "-p", str(self.build), "--extra-arg=-Wno-unknown-warning-option"]
        left_out = [NOT_IN_TESTS] if file.endswith("_test.cc") else []
        if any(path.name.endswith(".pb.h") for path in reached):
            left_out.append(NOT_BESIDE_GRPC)
        command += ["--checks=" + ",".join(left_out), file]

        digest = hashlib.sha256(self.base + entry["command"].encode())
        for path in reached:
            digest.update(str(path).encode() + self.read(path)[0])
        return command, self.passed / digest.hexdigest()

    @staticmethod
    def check(job):
        command, passed = job
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            passed.touch()
        return result.returncode, result.stdout


def main():
    build = Path(sys.argv[1]).resolve()
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    tidy = Tidy(build)
    entries = [e for e in json.loads((build / "compile_commands.json").read_text())
               if part in e["file"] and build not in Path(e["file"]).parents]
    jobs = [(command, passed) for command, passed in map(tidy.job, entries) if not passed.exists()]
    print(f"tidy: {len(jobs)} of {len(entries)} files", flush=True)
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, output in pool.map(tidy.check, jobs):
            if status != 0:
                failed += 1
                print(output, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
