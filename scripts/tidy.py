#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on the files of a compile database, several at a time, and remembers what passed.

usage: tidy.py <build folder> [part of a path]

Nearly all of clang-tidy's time goes into the headers: 6 s for a file, 7 s for ten that one unit
includes. So files that are compiled alike are checked as one unit. Files that give the same name to
different things go into different units: what the compiler refuses in one is moved to another.

A file is checked again when it, a header of this tree that it reaches, its command line, the
configuration or clang-tidy itself changed; system headers are taken to change with clang-tidy.
"""
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path.cwd()
TIDY = "clang-tidy-19"
CLANG = "clang++-19"
UNIT_FILES = 12
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# What is left out of some files. The analyzer walks every path of GoogleTest's macros; the check
# for parameters takes 15 s to read gRPC's templates, half of all the time there.
NOT_IN_TESTS = ("-clang-analyzer-*,-bugprone-unchecked-optional-access,-bugprone-exception-escape,"
                "-bugprone-implicit-widening-of-multiplication-result,"
                "-performance-inefficient-*")  # in a test a wrong access fails it, and speed is no aim
NOT_BESIDE_GRPC = "-performance-unnecessary-value-param"


class Tree:
    """The sources, their headers, and a name for the state that each file is in."""

    def __init__(self, build):
        self.generated = [p for p in build.rglob("*.h") if p.name.endswith((".skel.h", ".pb.h"))]
        version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
        self.base = version + Path(__file__).read_bytes() + (ROOT / ".clang-tidy").read_bytes()

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

    def state(self, flags, reached):
        digest = hashlib.sha256(self.base + " ".join(flags).encode())
        for path in reached:
            digest.update(str(path).encode() + self.read(path)[0])
        return digest.hexdigest()


def compile_flags(entry):
    """What a file's compiler is told, less the launcher, the compiler, input and output."""
    words = shlex.split(entry["command"])
    return tuple(w for w in words if re.match(r"-(D|I|isystem|std|f(?!ile-prefix|sanitize))", w)
                 or (w.startswith("/") and words[words.index(w) - 1] == "-isystem"))


def left_out(file, reached):
    checks = ["-bugprone-suspicious-include"]
    if file.endswith("_test.cc") or "/tests/" in file:
        checks.append(NOT_IN_TESTS)
    if any(path.name.endswith(".pb.h") for path in reached):
        checks.append(NOT_BESIDE_GRPC)
    return ",".join(checks)


def run(folder, files, command, flags):
    """Runs a compiler or clang-tidy over one unit that includes all the files."""
    if len(files) == 1:
        return subprocess.run([*command, files[0], *flags], capture_output=True, text=True, check=False)
    text = "".join(f'#include "{file}"\n' for file in files)
    unit = folder / (hashlib.sha256(" ".join([*flags, text]).encode()).hexdigest() + ".cc")
    unit.write_text(text)
    result = subprocess.run([*command, unit, *flags], capture_output=True, text=True, check=False)
    unit.unlink()
    return result


def units_of(folder, flags, files):
    """Divides files into units that compile, or into single files."""
    if len(files) == 1:
        return [files]
    result = run(folder, files, [CLANG, "-fsyntax-only", "-w"], flags)
    if result.returncode == 0:
        return [files]
    refused = set(re.findall(r"^([^\s:]+):\d+:\d+: (?:fatal )?error:", result.stderr, re.MULTILINE))
    bad = [file for file in files if file in refused]
    if not bad or len(bad) == len(files):
        bad = files[len(files) // 2:]
    good = [file for file in files if file not in bad]
    return units_of(folder, flags, good) + units_of(folder, flags, bad)


def check(folder, flags, checks, states):
    """Checks {file: state}; gives what is to be said about those that fail."""
    said = ""
    for files in units_of(folder, flags, list(states)):
        result = run(folder, files, [
            TIDY, "--quiet", f"--config-file={ROOT}/.clang-tidy", f"--checks={checks}",
            f"--header-filter={ROOT}/(agent|cli|server|core|tests)/"], ("--", *flags))
        if result.returncode != 0:
            said += result.stdout or result.stderr
            continue
        for file in files:
            (folder / states[file]).touch()
    return said


def main():
    build = Path(sys.argv[1]).resolve()
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    folder = build / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    tree = Tree(build)

    groups, total = defaultdict(dict), 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = entry["file"]
        if part not in file or build in Path(file).parents:
            continue
        total += 1
        flags, reached = compile_flags(entry), tree.reached(file)
        state = tree.state(flags, reached)
        if not (folder / state).exists():
            groups[flags, left_out(file, reached)][file] = state
    units = [(key, dict(list(states.items())[at:at + UNIT_FILES]))
             for key, states in groups.items() for at in range(0, len(states), UNIT_FILES)]
    units.sort(key=lambda unit: -len(unit[1]))

    print(f"tidy: {sum(len(u) for _, u in units)} of {total} files, in {len(units)} units", flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = [s for s in pool.map(lambda u: check(folder, *u[0], u[1]), units) if s]
    print("".join(said), end="")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
