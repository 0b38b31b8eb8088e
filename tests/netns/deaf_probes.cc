// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/deaf_probes.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

// Of the program that a descriptor keeps attached to one of the tracepoints; 0: it is no such link.
std::uint32_t program_of(const std::filesystem::path& fdinfo,
                         const std::set<std::string>& tracepoints) {
  std::ifstream about(fdinfo);
  std::uint32_t program = 0;
  bool here = false;
  for (std::string word; about >> word;) {
    if (word == "prog_id:") about >> program;
    if (tracepoints.contains(word)) here = true;
  }
  return here ? program : 0;
}

}  // namespace

DeafProbes::DeafProbes(const std::set<std::string>& tracepoints) {
  const UniqueFd nothing(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
  std::map<int, std::uint32_t> programs;  // in the order in which they were attached
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    const auto id = program_of(entry.path(), tracepoints);
    if (id != 0) programs.emplace(std::stoi(entry.path().filename()), id);
  }
  for (const auto& [fd, id] : programs) {
    UniqueFd program(must(bpf_prog_get_fd_by_id(id), "find a program"));
    must(::dup3(nothing.get(), fd, O_CLOEXEC), "detach a program");
    probes_.push_back({.link_fd = fd, .program = std::move(program)});
  }
  if (probes_.empty()) throw std::runtime_error("no program is attached to a tracepoint");
}

DeafProbes::~DeafProbes() {
  for (const auto& [link_fd, program] : probes_) {
    const UniqueFd link(bpf_raw_tracepoint_open(nullptr, program.get()));
    if (link) ::dup3(link.get(), link_fd, O_CLOEXEC);
  }
}

}  // namespace orb8::netns
