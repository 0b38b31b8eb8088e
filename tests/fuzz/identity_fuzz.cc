// What container runtimes say: paths of cgroups, specs, answers. Whatever comes, a name or an id is
// taken out of it, or nothing is. The first byte says how the rest is read.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/identity/container_id.h"
#include "core/identity/container_spec.h"
#include "core/identity/unix_http.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void read_path(const std::string& path) {
  const auto container = orb8::container_of(path);
  check(container == orb8::container_of(path + "/init.scope"));
  if (!container) return;
  check(container->id.size() == 64 && path.find(container->id) != std::string::npos);
  check(container->pod_uid == orb8::pod_uid_of(path));
}

void read_names(const std::string& json) {
  for (const auto& name : {orb8::name_in_spec(json), orb8::name_in_docker_reply(json),
                           orb8::name_in_storage_list(json, "id")}) {
    check(!name || !name->empty());
  }
}

void read_reply(const std::string& text) {
  const auto reply = orb8::parse_http_reply(text);
  if (!reply) return check(!reply.error().what.empty());
  check(text.find(reply->body) != std::string::npos);
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'p':
      read_path(text);
      break;
    case 'j':
      read_names(text);
      break;
    default:
      read_reply(text);
  }
  return 0;
}
