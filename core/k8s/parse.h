// Objects out of what the API server sends: an item of a list, an event of a watch, a Status.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/k8s/objects.h"
#include "core/k8s/sink.h"

namespace orb8::k8s {

struct ParsedObject {
  std::optional<Object> object;  // absent: malformed, and then the rest is what could be read
  std::string uid;
  std::string version;  // metadata.resourceVersion
};

// What the API server answers with in place of an object.
struct ApiStatus {
  int code = 0;
  std::string message;
  int retry_after_s = 0;
};

enum class EventType : std::uint8_t { kSet, kGone, kBookmark, kError };

struct WatchEvent {
  EventType type = EventType::kBookmark;
  ParsedObject object;
  ApiStatus error;  // of kError
};

// What is left of a list without its items.
struct ListHead {
  std::string version;
  std::string next_page;  // the continue token; empty on the last page
};

// Each text is left as it is, but its capacity may grow: the parser reads beyond its end.
// Absent: no JSON, or not what was asked for.
class ObjectParser {
 public:
  explicit ObjectParser(Kind kind);
  ~ObjectParser();
  ObjectParser(const ObjectParser&) = delete;
  ObjectParser& operator=(const ObjectParser&) = delete;

  std::optional<ParsedObject> item(std::string& json);
  std::optional<WatchEvent> event(std::string& json);
  std::optional<ListHead> list_head(std::string& json);
  std::optional<ApiStatus> status(std::string& json);

 private:
  struct Impl;
  Kind kind_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orb8::k8s
