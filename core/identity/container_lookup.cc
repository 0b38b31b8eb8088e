// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_lookup.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/identity/container_spec.h"
#include "core/identity/unix_http.h"

namespace orb8 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = 16U << 20U;  // of a file; specs have some 20 KiB

// Empty when there is no such file.
Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return "";
    return sys_error(errno, "open " + path);
  }
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) return sys_error(errno, "read " + path);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxBytes) return fail(Errc::kExhausted, "read " + path + ": it is too long");
  }
}

}  // namespace

ContainerLookup::Answer ContainerLookup::name_of(const ContainerRef& container) const {
  using Source = Answer (ContainerLookup::*)(const std::string&) const;
  std::vector<Source> sources;
  switch (container.runtime) {
    case ContainerRuntime::kDocker:
      sources = {&ContainerLookup::ask_docker};
      break;
    case ContainerRuntime::kCrio:
    case ContainerRuntime::kPodman:
      sources = {&ContainerLookup::read_storage};
      break;
    case ContainerRuntime::kContainerd:  // or Docker below a kubelet: see container_id.cc
      sources = {&ContainerLookup::read_containerd, &ContainerLookup::ask_docker};
      break;
    case ContainerRuntime::kUnknown:
      sources = {&ContainerLookup::read_containerd, &ContainerLookup::read_storage,
                 &ContainerLookup::ask_docker};
      break;
  }
  Answer answer = std::nullopt;
  for (const auto source : sources) {
    auto next = (this->*source)(container.id);
    if (next && *next) return next;
    if (!next) answer = std::move(next);
  }
  return answer;
}

ContainerLookup::Answer ContainerLookup::ask_docker(const std::string& id) const {
  const auto reply = unix_http_get(paths.docker_socket, "/containers/" + id + "/json",
                                   {.deadline = deadline, .cancel_fd = cancel_fd});
  if (!reply) {
    if (reply.error().code == Errc::kNotFound) return std::nullopt;  // there is no Docker here
    return std::unexpected(reply.error());
  }
  if (reply->status == 404) return std::nullopt;
  if (reply->status != 200) {
    return fail(Errc::kUnavailable, "ask " + paths.docker_socket +
                                        " for a container: HTTP status " +
                                        std::to_string(reply->status));
  }
  return name_in_docker_reply(reply->body);
}

ContainerLookup::Answer ContainerLookup::read_containerd(const std::string& id) const {
  std::error_code error;  // a folder that is not there has no namespaces in it
  for (fs::directory_iterator at(paths.containerd_tasks, error), end; !error && at != end;
       at.increment(error)) {
    const auto spec = read_file(at->path().string() + "/" + id + "/config.json");
    if (!spec) return std::unexpected(spec.error());
    if (auto name = name_in_spec(*spec)) return name;
  }
  return std::nullopt;
}

ContainerLookup::Answer ContainerLookup::read_storage(const std::string& id) const {
  const auto spec = read_file(paths.storage_run + "/" + id + "/userdata/config.json");
  if (!spec) return std::unexpected(spec.error());
  if (auto name = name_in_spec(*spec)) return name;
  // Podman's names are in no annotation. `podman run --rm` may be in the second list alone.
  for (const auto& list :
       {paths.storage_lib + "/containers.json", paths.storage_run + "/volatile-containers.json"}) {
    const auto text = read_file(list);
    if (!text) return std::unexpected(text.error());
    if (auto name = name_in_storage_list(*text, id)) return name;
  }
  return std::nullopt;
}

}  // namespace orb8
