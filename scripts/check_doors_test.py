#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_doors.py lets through what the table opens, and nothing else."""
import tempfile
import unittest
from pathlib import Path

from check_doors import Doors, violations

TABLE = """
guarded: <bpf/*> *.skel.h orb8/v1/*.pb.h
common: <linux/types.h>
probes: common <*> <bpf/*>
core/base:
core/kernel: core/base common *.skel.h <*> <bpf/*>
core/export: core/base orb8/v1/*.pb.h
agent: core/* orb8/v1/*.pb.h
"""


class CheckDoors(unittest.TestCase):
    def found(self, path, line):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "doors.txt").write_text(TABLE)
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text("// first line\n" + line + "\n")
            return list(violations(root))

    def opens(self, path, line):
        self.assertEqual(self.found(path, line), [])

    def closed(self, path, line):
        self.assertEqual(len(self.found(path, line)), 1)

    def test_a_room_sees_itself_and_the_rooms_on_its_line(self):
        self.opens("core/base/a.cc", '#include "core/base/b.h"')
        self.opens("core/kernel/a.cc", '#include "core/base/b.h"')
        self.closed("core/base/a.cc", '#include "core/kernel/b.h"')
        self.closed("core/base/a.cc", "#include <core/kernel/b.h>")

    def test_a_star_is_every_room_below(self):
        self.opens("agent/a.cc", '#include "core/kernel/b.h"')
        self.closed("agent/a.cc", '#include "probes/b.h"')

    def test_a_guarded_header_is_open_only_by_name(self):
        self.opens("core/kernel/a.cc", "#include <bpf/libbpf.h>")
        self.closed("core/export/a.cc", "#include <bpf/libbpf.h>")
        self.opens("core/kernel/a.cc", '#include "network.skel.h"')
        self.closed("agent/a.cc", '#include "network.skel.h"')
        self.opens("agent/a.cc", '#include "orb8/v1/agent.grpc.pb.h"')
        self.closed("core/base/a.cc", '#include "orb8/v1/agent.pb.h"')

    def test_system_headers_are_open_except_where_a_line_names_them(self):
        self.opens("core/base/a.cc", "#include <vector>")
        self.opens("common/a.h", "#  include <linux/types.h>")
        self.closed("common/a.h", "#include <stdint.h>")

    def test_a_header_of_no_room_is_closed(self):
        self.closed("core/base/a.cc", '#include "b.h"')

    def test_a_file_of_no_room_is_named(self):
        self.closed("elsewhere/a.cc", "")

    def test_a_table_with_a_cycle_or_an_unknown_room_is_refused(self):
        with self.assertRaises(ValueError):
            Doors("a: b\nb: a")
        with self.assertRaises(ValueError):
            Doors("a: nowhere")


if __name__ == "__main__":
    unittest.main()
