// SPDX-License-Identifier: Apache-2.0
#include "core/config/config_file.h"

#include <yaml-cpp/yaml.h>

#include <utility>

#include "core/config/settings.h"

namespace orb8 {
namespace {

std::unexpected<Error> wrong(std::string_view name, const YAML::Mark& mark, std::string what) {
  return fail(Errc::kInvalid,
              std::string(name) + ":" + std::to_string(mark.line + 1) + ": " + std::move(what));
}

std::string unknown_key(const std::string& key) {
  std::vector<std::string> known;
  for (const auto& setting : settings()) known.emplace_back(setting.key);
  const auto like = nearest(key, known);
  return "unknown key '" + key + "'" + (like.empty() ? "" : "; did you mean '" + like + "'?");
}

Result<FileValue> read_value(std::string_view name, const std::string& key,
                             const YAML::Node& node) {
  FileValue value{.values = {}, .line = node.Mark().line + 1};
  if (node.IsScalar()) {
    value.values.push_back(node.Scalar());
  } else if (node.IsSequence() && find_setting(key)->list) {
    for (const auto& item : node) {
      if (!item.IsScalar()) return wrong(name, item.Mark(), key + ": a list of plain values");
      value.values.push_back(item.Scalar());
    }
  } else {
    return wrong(name, node.Mark(), key + ": needs " + find_setting(key)->allowed);
  }
  return value;
}

Result<std::map<std::string, FileValue>> read_map(std::string_view name, const YAML::Node& root) {
  std::map<std::string, FileValue> found;
  if (root.IsNull()) return found;
  if (!root.IsMap()) return wrong(name, root.Mark(), "not a map of 'key: value' lines");
  for (const auto& entry : root) {
    if (!entry.first.IsScalar()) return wrong(name, entry.first.Mark(), "a key must be a word");
    const auto& key = entry.first.Scalar();
    if (!find_setting(key)) return wrong(name, entry.first.Mark(), unknown_key(key));
    if (found.contains(key)) {
      return wrong(name, entry.first.Mark(), "'" + key + "' is there twice");
    }
    auto value = read_value(name, key, entry.second);
    if (!value) return std::unexpected(value.error());
    found.emplace(key, std::move(*value));
  }
  return found;
}

}  // namespace

Result<std::map<std::string, FileValue>> parse_config_file(std::string_view name,
                                                           const std::string& text) {
  try {
    return read_map(name, YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return wrong(name, error.mark, error.msg);
  }
}

}  // namespace orb8
