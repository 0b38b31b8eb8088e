// SPDX-License-Identifier: Apache-2.0
#include "core/config/config_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include "core/base/unique_fd.h"
#include "core/config/settings.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

constexpr std::size_t kMostText = 1U << 20U;

std::unexpected<Error> wrong(std::string_view name, const YAML::Mark& mark, std::string_view what) {
  return fail(Errc::kInvalid,
              std::string(name) + ":" + std::to_string(mark.line + 1) + ": " + std::string(what));
}

// A key as a flag or a variable is written is a likely slip.
std::string as_key(std::string word) {
  for (auto& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::ranges::replace(word, '-', '_');
  if (word.starts_with("orb8_")) word.erase(0, 5);
  return word;
}

std::string unknown_key(const std::string& key) {
  std::vector<std::string> known;
  for (const auto& setting : settings()) known.emplace_back(setting.key);
  const auto like = nearest(as_key(key.substr(0, 64)), known);
  return "unknown key '" + one_line(key) + "'" +
         (like.empty() ? "; orb8-agent --print-config shows all there are"
                       : "; did you mean '" + like + "'?");
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

Result<std::string> read_config_text(const std::string& path) {
  const auto doing = [&] { return "read the configuration file " + path; };
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return sys_error(errno, doing());
  std::string text;
  std::array<char, 4096> part = {};
  for (;;) {
    const auto got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_error(errno, doing());
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostText) return fail(Errc::kInvalid, doing() + ": larger than 1 MiB");
  }
}

Result<std::map<std::string, FileValue>> parse_config_file(std::string_view name,
                                                           const std::string& text) {
  try {
    const auto documents = YAML::LoadAll(text);
    if (documents.empty()) return std::map<std::string, FileValue>{};
    if (documents.size() > 1) {
      return wrong(name, documents[1].Mark(), "a second document; put all settings into one");
    }
    return read_map(name, documents.front());
  } catch (const YAML::Exception& error) {
    return wrong(name, error.mark, one_line(error.msg));
  } catch (const std::exception& error) {
    return wrong(name, YAML::Mark::null_mark(), one_line(error.what()));
  }
}

}  // namespace orb8
