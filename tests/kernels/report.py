#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the guests of scripts/kernel-matrix.sh wrote, for people.

usage: report.py summary <kernel folder> <test list> <seconds>    a few lines; exit status 1 when a
                        test failed or did not run
       report.py document <work folder> <tests/kernels>    docs/KERNELS.md, on standard output; exit
                        status 1 where a kernel has not run
"""
import json
import sys
from pathlib import Path

HEAD = """# Kernels

Written by `make kernel-matrix` (`scripts/kernel-matrix.sh`), which runs the tests with the labels
`kernel` and `netns`, then `orb8-agent` and `orb8`, on Debian's cloud kernels, each in a virtual
machine with an emulated processor. Do not edit: the next run writes it anew.

The oldest kernel that the programs may be loaded into is 5.8 (`orb8-agent` says so at start), and
5.12 for those of the socket source; the oldest one they are tested on is the first one here.
"""


class Guest:
    """The report of one kernel's guest."""

    def __init__(self, folder, expected=()):
        self.expected = expected  # the names of the tests
        self.tests = {}  # name -> {"total": 6, "passed": 6, ...}
        self.checks = []  # (ok, what)
        self.status = {}
        self.ended = False
        self.release = (folder / "release").read_text().strip()
        log = folder / "tests.log"
        for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
            word, _, rest = line.partition(" ")
            if word == "@test":
                name, *numbers = rest.split()
                self.tests[name] = {k: int(v) for k, v in (n.split("=") for n in numbers)}
            elif word == "@check":
                outcome, _, what = rest.partition(" ")
                self.checks.append((outcome == "ok", what))
            elif word == "@status" and rest.startswith("{"):
                self.status = json.loads(rest)
            elif word == "@end":
                self.ended = True

    def problems(self):
        yield from (f"{name}: did not run" for name in self.expected if name not in self.tests)
        for name, t in self.tests.items():
            if t["failed"] or t["exit"]:
                yield f"{name}: {t['failed']} failed, exit status {t['exit']}"
            if t["skipped"]:
                yield f"{name}: {t['skipped']} skipped"
        yield from (f"{what}: failed" for ok, what in self.checks if not ok)
        if not self.checks:
            yield "the agent and the command line were not tried"
        if not self.ended:
            yield "the machine ended early"

    def mechanisms(self):
        return sorted({p["mechanism"] for p in self.status.get("programs", [])})


def summary(folder, test_list, seconds):
    names = [line.split("\t")[0] for line in Path(test_list).read_text().splitlines()]
    guest = Guest(Path(folder), names)
    passed = sum(t["passed"] for t in guest.tests.values())
    found = list(guest.problems())
    print(f"kernels: {guest.release}: {passed} tests and {sum(ok for ok, _ in guest.checks)} checks"
          f" passed, {len(found)} problems, after {seconds} s")
    for problem in found:
        print(f"kernels:   {problem}")
    return 1 if found else 0


def cell(test):
    if test is None:
        return "not run"
    if not test["passed"] and not test["failed"] and not test["skipped"] and not test["exit"]:
        return "left out"
    left_out = test["total"] - test["passed"] - test["failed"] - test["skipped"]
    parts = [f"{test['passed']} passed"]
    parts += [f"**{test['failed']} failed**"] if test["failed"] else []
    parts += [f"{test['skipped']} skipped"] if test["skipped"] else []
    parts += [f"**exit {test['exit']}**"] if test["exit"] and not test["failed"] else []
    parts += [f"{left_out} left out"] if left_out else []
    return ", ".join(parts)


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def table(guests):
    names = list(dict.fromkeys(name for g in guests for name in g.tests))
    checks = list(dict.fromkeys(what for g in guests for _, what in g.checks))
    yield row("", *(g.release.removesuffix("-cloud-amd64") for g in guests))
    yield row(*["---"] * (len(guests) + 1))
    for name in names:
        yield row(f"`{name}`", *(cell(g.tests.get(name)) for g in guests))
    for what in checks:
        done = [{w: ok for ok, w in g.checks}.get(what) for g in guests]
        yield row(what, *({True: "yes", False: "**no**", None: "not run"}[d] for d in done))
    yield row("probes attach by", *(", ".join(g.mechanisms()) or "?" for g in guests))
    yield row("flow source", *(g.status.get("flow_source", "?") for g in guests))


def features(tests_kernels):
    """(first kernel, what came, without it, tests left out) of features.txt."""
    for line in (Path(tests_kernels) / "features.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield [part.strip() for part in line.split("|")]


def left_out(tests):
    return ", ".join(f"`{t}`" for t in tests.split(":") if t) or "none"


def document(work, tests_kernels):
    lines = (Path(tests_kernels) / "kernels.txt").read_text().splitlines()
    names = [line.split()[0] for line in lines if line and not line.startswith("#")]
    missing = [name for name in names if not (Path(work) / name / "tests.log").exists()]
    if missing:
        print(f"kernels: no report of {', '.join(missing)}", file=sys.stderr)
        return 1
    guests = [Guest(Path(work) / name) for name in names]
    print(HEAD)
    print("\n".join(table(guests)))
    print("\n## What differs\n")
    print(row("from", "what", "before", "tests left out before"))
    print(row(*["---"] * 4))
    emulated = []
    for first, what, without, tests in features(tests_kernels):
        if first == "emulated":
            emulated.append(f"- {left_out(tests)}: {without}")
        else:
            print(row(first, what, without, left_out(tests)))
    if emulated:
        print("\nLeft out on all, as they take minutes on an emulated processor:\n")
        print("\n".join(emulated))
    return 0


if __name__ == "__main__":
    sys.exit({"summary": summary, "document": document}[sys.argv[1]](*sys.argv[2:]))
