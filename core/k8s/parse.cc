// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/parse.h"

#include "core/k8s/json.h"
#include "core/k8s/parse_object.h"

namespace orb8::k8s {
namespace {

Object parse_kind(Kind kind, const JsonObject& object) {
  switch (kind) {
    case Kind::kPod:
      return parse_pod(object);
    case Kind::kService:
      return parse_service(object);
    case Kind::kNode:
      return parse_node(object);
    case Kind::kEndpointSlice:
      break;
  }
  return parse_endpoint_slice(object);
}

ParsedObject parse_object(Kind kind, const JsonObject& object, bool& sound) {
  const auto metadata = object.object("metadata");
  ParsedObject parsed{.object = {},
                      .uid = std::string(metadata.text("uid")),
                      .version = std::string(metadata.text("resourceVersion"))};
  const bool named = !parsed.uid.empty() && !metadata.text("name").empty();
  auto made = parse_kind(kind, object);
  if (sound && named) parsed.object = std::move(made);
  return parsed;
}

ApiStatus parse_status(const JsonObject& object) {
  return {.code = object.number<int>("code"),
          .message = std::string(object.text("message")),
          .retry_after_s = object.object("details").number<int>("retryAfterSeconds")};
}

std::optional<EventType> type_of(std::string_view name) {
  if (name == "ADDED" || name == "MODIFIED") return EventType::kSet;
  if (name == "DELETED") return EventType::kGone;
  if (name == "BOOKMARK") return EventType::kBookmark;
  if (name == "ERROR") return EventType::kError;
  return std::nullopt;
}

}  // namespace

struct ObjectParser::Impl {
  JsonParser json;
};

ObjectParser::ObjectParser(Kind kind) : kind_(kind), impl_(std::make_unique<Impl>()) {}
ObjectParser::~ObjectParser() = default;

std::optional<ParsedObject> ObjectParser::item(std::string& json) {
  const auto root = impl_->json.parse(json);
  if (!root) return std::nullopt;
  bool sound = true;
  const JsonObject object(*root, sound);
  return parse_object(kind_, object, sound);
}

std::optional<WatchEvent> ObjectParser::event(std::string& json) {
  const auto root = impl_->json.parse(json);
  if (!root) return std::nullopt;
  bool sound = true;
  const JsonObject event(*root, sound);
  const auto type = type_of(event.text("type"));
  const auto object = event.object("object");
  if (!type || !object) return std::nullopt;
  WatchEvent parsed{.type = *type, .object = {}, .error = {}};
  if (*type == EventType::kError) {
    parsed.error = parse_status(object);
  } else if (*type == EventType::kBookmark) {
    parsed.object.version = object.object("metadata").text("resourceVersion");
  } else {
    parsed.object = parse_object(kind_, object, sound);
  }
  return parsed;
}

std::optional<ListHead> ObjectParser::list_head(std::string& json) {
  const auto root = impl_->json.parse(json);
  if (!root) return std::nullopt;
  bool sound = true;
  const JsonObject list(*root, sound);
  const auto metadata = list.object("metadata");
  ListHead head{.version = std::string(metadata.text("resourceVersion")),
                .next_page = std::string(metadata.text("continue"))};
  // A list without a version cannot be watched on from.
  if (!sound || head.version.empty() || !list.text("kind").ends_with("List")) return std::nullopt;
  return head;
}

std::optional<ApiStatus> ObjectParser::status(std::string& json) {
  const auto root = impl_->json.parse(json);
  if (!root) return std::nullopt;
  bool sound = true;
  const JsonObject status(*root, sound);
  if (status.text("kind") != "Status") return std::nullopt;
  return parse_status(status);
}

}  // namespace orb8::k8s
