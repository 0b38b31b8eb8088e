// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_spec.h"

#include <initializer_list>
#include <nlohmann/json.hpp>

namespace orb8 {
namespace {

using Json = nlohmann::json;

// A value that says nothing in place of an exception.
Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// The first that is there and says something.
std::string text_of(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto* const value = member(object, key);
    const auto* const text = value != nullptr ? value->get_ptr<const std::string*>() : nullptr;
    if (text != nullptr && !text->empty()) return *text;
  }
  return {};
}

std::optional<std::string> unless_empty(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

std::optional<std::string> name_in_spec(std::string_view json) {
  const auto spec = parse(json);
  const auto* const found = member(spec, "annotations");
  if (found == nullptr) return std::nullopt;
  const auto& notes = *found;

  // containerd's CRI plugin, then CRI-O; then nerdctl, for containers that belong to no pod.
  const auto pod = text_of(notes, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
  if (pod.empty()) return unless_empty(text_of(notes, {"nerdctl/name"}));
  const auto name_space =
      text_of(notes, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"});
  const auto type =
      text_of(notes, {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"});
  const auto container =
      text_of(notes, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"});
  std::string name = name_space.empty() ? pod : name_space + "/" + pod;
  if (type != "sandbox" && !container.empty()) name += "/" + container;
  return name;
}

std::optional<std::string> name_in_docker_reply(std::string_view json) {
  auto name = text_of(parse(json), {"Name"});
  if (name.starts_with('/')) name.erase(0, 1);
  return unless_empty(std::move(name));
}

std::optional<std::string> name_in_storage_list(std::string_view json, std::string_view id) {
  const auto list = parse(json);
  if (!list.is_array()) return std::nullopt;
  for (const auto& container : list) {
    if (text_of(container, {"id"}) != id) continue;
    const auto* const names = member(container, "names");
    if (names == nullptr || !names->is_array() || names->empty()) return std::nullopt;
    const auto* const name = names->front().get_ptr<const std::string*>();
    return name != nullptr ? unless_empty(*name) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace orb8
