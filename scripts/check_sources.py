#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what no compiler and no formatter does: licence lines, sizes, and calls kept to few rooms.

usage: check_sources.py [root]     exit status 1 when a file breaks a rule
"""
import re
import sys
from pathlib import Path

from check_doors import sources

MAX_LINES = 500
HEAD_LINES = 15  # the opening comment, with the licence in it

# First folder of a path -> the licence its files carry. The kernel takes only GPL-compatible
# programs, and what crosses the kernel line is read on both sides.
LICENSES = {
    "probes": "GPL-2.0-only OR BSD-2-Clause",
    "common": "(GPL-2.0-only OR BSD-2-Clause) OR Apache-2.0",
}
BPF_LICENSE = LICENSES["probes"]  # also of the BPF programs in tests/
LICENSE = "Apache-2.0"
# The mark has a line for itself: tools that look for it read no sentences.
SPDX = re.compile(r"\s*(?://|#|/?\*) SPDX-License-Identifier: (.*?)(?: \*/)?$")

# A kernel resource has one owner, and only the owner's file lets go of it.
RELEASES = re.compile(r"(?<![\w.>])(?:::)?(?:close|bpf_link__destroy|ring_buffer__free)\((?!\))")
OWNERS = ("core/base/unique_fd.h", "core/kernel/", "tests/", "probes/")


def expected_license(name):
    if name.endswith(".bpf.c"):
        return BPF_LICENSE
    return LICENSES.get(name.split("/")[0], LICENSE)


def problems(name, lines):
    if len(lines) > MAX_LINES:
        yield f"{name}:{MAX_LINES + 1}: {len(lines)} lines, {MAX_LINES} are allowed"

    marks = [(n, m[1]) for n, line in enumerate(lines, 1) if (m := SPDX.match(line))]
    wanted = expected_license(name)
    if len(marks) != 1 or marks[0][0] > HEAD_LINES or marks[0][1] != wanted:
        yield f"{name}:1: the opening comment has one line SPDX-License-Identifier: {wanted}"

    if not name.startswith(OWNERS) and not name.endswith("_test.cc"):
        for number, line in enumerate(lines, 1):
            if RELEASES.search(line.split("//")[0]):
                yield f"{name}:{number}: only {OWNERS[0]} and {OWNERS[1]} release kernel resources"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = [p for path, name in sources(root)
             for p in problems(name, path.read_text(errors="replace").splitlines())]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
