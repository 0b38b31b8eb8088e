// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/map_fill.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/base/read_file.h"

namespace orb8 {
namespace {

bool kernel_counts() {
  constexpr auto kSwitch = "/proc/sys/kernel/bpf_stats_enabled";
  const auto text = read_file(kSwitch, 16, "read kernel.bpf_stats_enabled");
  return text && text->starts_with('1');
}

}  // namespace

Fill fill_of_map(int map_fd, std::uint64_t used) {
  bpf_map_info info = {};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map_fd, &info, &size) != 0) return {};
  return {.name = info.name, .used = used, .size = info.max_entries};
}

std::vector<ProgramRuns> program_runs(const bpf_object* object) {
  std::vector<ProgramRuns> all;
  if (!kernel_counts()) return all;
  for (const auto* program = bpf_object__next_program(object, nullptr); program != nullptr;
       program = bpf_object__next_program(object, const_cast<bpf_program*>(program))) {
    const int fd = bpf_program__fd(program);
    bpf_prog_info info = {};
    std::uint32_t size = sizeof(info);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
    all.push_back({.program = bpf_program__name(program),
                   .run_time_ns = info.run_time_ns,
                   .runs = info.run_cnt});
  }
  return all;
}

}  // namespace orb8
