// A line of a saved trace: it is refused in one line of words, or what was read is written and read
// again as the same; and what is a flow or an event is either a value or no value.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/export/json.h"
#include "core/export/json_read.h"
#include "core/export/wire_value.h"

namespace {

using orb8::JsonReader;

void require(bool held) {
  if (!held) std::abort();
}

void require_words(const orb8::Error& error) {
  require(!error.what.empty() && error.what.size() < 400 && !error.what.contains('\n'));
}

template <class Message>
void read_twice(const JsonReader& reader) {
  Message message;
  if (const auto ok = reader.fill(message); !ok) return require_words(ok.error());
  auto line = orb8::to_json(message);
  JsonReader other;
  Message again;
  require(other.parse(line).has_value() && other.fill(again).has_value());
  require(orb8::to_json(again) == line);
}

template <class Message>
void take(const JsonReader& reader) {
  Message message;
  if (!reader.fill(message)) return;
  if (const auto value = orb8::from_wire(message); !value) require_words(value.error());
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  std::string line(reinterpret_cast<const char*>(data), size);
  JsonReader reader;
  const auto kind = reader.parse(line);
  if (!kind) {
    require_words(kind.error());
    return 0;
  }
  read_twice<orb8::v1::NetworkFlow>(reader);
  read_twice<orb8::v1::NetworkEvent>(reader);
  read_twice<orb8::v1::Pod>(reader);
  read_twice<orb8::v1::AgentStatus>(reader);
  if (*kind == JsonReader::Kind::kFlow) take<orb8::v1::NetworkFlow>(reader);
  if (*kind == JsonReader::Kind::kEvent) take<orb8::v1::NetworkEvent>(reader);
  return 0;
}
