// What the API server sends: a list, or the events of a watch. Whatever comes, and wherever it is
// split, the sink is told the same. The first byte says which it is, the second how it is split.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "core/k8s/list_reader.h"
#include "core/k8s/watch_reader.h"

namespace {

using orb8::k8s::Kind;
using orb8::k8s::Object;

struct Told : orb8::k8s::Sink {
  void set(Object object) override { sets.push_back(std::move(object)); }
  void gone(Kind kind, std::string_view uid) override { gones.emplace_back(kind, uid); }
  void listed(Kind kind, const std::unordered_set<std::string>& found) override {
    lists.push_back(kind);
    uids = found;
  }
  bool operator==(const Told& other) const {
    return sets == other.sets && gones == other.gones && lists == other.lists && uids == other.uids;
  }

  std::vector<Object> sets;
  std::vector<std::pair<Kind, std::string>> gones;
  std::vector<Kind> lists;
  std::unordered_set<std::string> uids;
};

void require(bool held) {
  if (!held) std::abort();
}

template <class Reader>
bool feed(Reader& reader, std::string_view text, std::size_t step) {
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
    if (!reader.feed(text.substr(0, step))) return false;
  }
  return true;
}

Told list(Kind kind, std::string_view text, std::size_t step) {
  Told told;
  orb8::k8s::ClientStatus status;
  orb8::k8s::ListReader reader(kind, told, status);
  reader.begin_list();
  const bool sound = feed(reader, text, step);
  const auto head = reader.end_page();
  require(sound || !head);
  if (head) {
    require(!head->version.empty());
    reader.end_list();
  }
  return told;
}

Told watch(Kind kind, std::string_view text, std::size_t step) {
  Told told;
  orb8::k8s::ClientStatus status;
  orb8::k8s::WatchReader reader(kind, told, status);
  reader.begin("1");
  if (feed(reader, text, step)) reader.end();
  require(!reader.version().empty());
  require(told.sets.size() + told.gones.size() <= reader.events());
  return told;
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  if (size < 2) return 0;
  const auto kind = static_cast<Kind>(data[0] % 4);
  const auto read = (data[0] & 4U) != 0 ? watch : list;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = read(kind, text, text.size() + 1);
  require(read(kind, text, 1U + data[1]) == whole);
  for (const auto& object : whole.sets) {
    require(static_cast<Kind>(object.index()) == kind);
    std::visit([](const auto& one) { require(!one.uid.empty() && !one.name.empty()); }, object);
  }
  return 0;
}
