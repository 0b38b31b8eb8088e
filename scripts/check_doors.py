#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include of the tree against doors.txt: who may include whom.

usage: check_doors.py [root]     exit status 1 when a file includes what its room has no door to
"""
import graphlib
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
SOURCES = {".h", ".c", ".cc"}
SKIPPED = {"build", "third_party"}


class Doors:
    """The table: a room's name, and the patterns that are open to it."""

    def __init__(self, text):
        self.open = {}
        self.guarded = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            room, colon, words = line.partition(":")
            if not colon:
                raise ValueError(f"doors.txt:{number}: expected `room: words`")
            if room == "guarded":
                self.guarded = words.split()
            else:
                self.open[room] = words.split()
        self._expand()

    def _expand(self):
        """core/* becomes each room of core; a room that no line describes is a mistake."""
        for room, words in self.open.items():
            rooms = [w for w in words if not w.startswith("<") and "." not in w]
            for word in rooms:
                found = [r for r in self.open if fnmatchcase(r, word)]
                if not found:
                    raise ValueError(f"doors.txt: {room} opens to {word}, which is no room")
                words.remove(word)
                words.extend(found)
        graph = {room: [w for w in words if w in self.open] for room, words in self.open.items()}
        list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError

    def room_of(self, path):
        """The most particular room that a path lies in, or None."""
        rooms = [room for room in self.open if path.startswith(room + "/")]
        return max(rooms, key=len, default=None)

    def allows(self, room, quote, header):
        to = self.room_of(header)
        if to:
            return to == room or to in self.open[room]
        name = f"<{header}>" if quote == "<" else header
        if any(fnmatchcase(name, pattern) for pattern in self.guarded):
            return any(w != "<*>" and fnmatchcase(name, w) for w in self.open[room])
        if quote == '"':
            return any(fnmatchcase(name, word) for word in self.open[room])
        system = [word for word in self.open[room] if word.startswith("<")]
        return not system or any(fnmatchcase(name, word) for word in system)


def sources(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.suffix in SOURCES and parts[0] not in SKIPPED and not parts[0].startswith("."):
            yield path, "/".join(parts)


def violations(root):
    doors = Doors((root / "doors.txt").read_text())
    for path, name in sources(root):
        room = doors.room_of(name)
        if room is None:
            yield f"{name}:1: lies in no room of doors.txt"
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if match and not doors.allows(room, *match.groups()):
                yield f"{name}:{number}: {room} has no door to {match[2]}"


def main():
    try:
        found = list(violations(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    except (ValueError, OSError) as error:
        sys.exit(f"check_doors: {error}")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
