// kubectl's configuration, of which the second half is taken as another file: it is refused in one
// line, or it names a server that a request can be sent to.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/k8s/kubeconfig.h"

namespace {

void require(bool held) {
  if (!held) std::abort();
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto half = std::min(text.find("\n---\n"), text.size());
  const std::array<orb8::k8s::KubeconfigFile, 2> files = {
      {{.path = "/a/config", .text = text.substr(0, half)},
       {.path = "/b/config", .text = text.substr(half)}}};
  const auto access = orb8::k8s::parse_kubeconfig(files);
  if (!access) {
    const std::string_view what = access.error().what;
    require(what.starts_with("/a/config") || what.starts_with("/b/config"));
    require(!what.contains('\n'));
    return 0;
  }
  require(access->server.starts_with("http") && !access->server.contains('\n'));
  require(!access->exec || !access->exec->command.empty());
  return 0;
}
