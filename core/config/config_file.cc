// SPDX-License-Identifier: Apache-2.0
#include "core/config/config_file.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "core/base/read_file.h"
#include "core/config/settings.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

constexpr std::size_t kMostText = 1U << 20U;

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

// Reads the parser's events instead of its nodes, which follow aliases and would let a parser that
// cannot go on make documents without end. The first thing that is wrong decides; the rest is let
// pass, since there is no way to end the parser.
class FlatMap : public YAML::EventHandler {
 public:
  explicit FlatMap(std::string_view name) : name_(name) {}

  Result<std::map<std::string, FileValue>> take() {
    if (wrong_) return fail(Errc::kInvalid, *wrong_);
    return std::move(found_);
  }

  void refuse(const YAML::Mark& mark, std::string_view what) {
    if (wrong_) return;
    const int line = mark.is_null() ? 0 : mark.line;
    wrong_ = name_ + ":" + std::to_string(line + 1) + ": " + std::string(what);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document; put all settings into one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    if (in_ == In::kDocument) return;  // nothing but comments
    refuse_here(mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "an alias (*); write the value itself");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    if (wrong_) return;
    switch (in_) {
      case In::kMap:
        begin_entry(mark, value);
        return;
      case In::kEntry:
        value_->values.push_back(value);
        in_ = In::kMap;
        return;
      case In::kList:
        value_->values.push_back(value);
        return;
      case In::kDocument:
        refuse_here(mark);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
    if (wrong_) return;
    if (in_ != In::kEntry || !setting_->list) return refuse_here(mark);
    in_ = In::kList;
  }
  void OnSequenceEnd() override { in_ = In::kMap; }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    if (in_ != In::kDocument) return refuse_here(mark);
    in_ = In::kMap;
  }
  void OnMapEnd() override { in_ = In::kDocument; }

 private:
  enum class In : std::uint8_t { kDocument, kMap, kEntry, kList };

  void begin_entry(const YAML::Mark& mark, const std::string& key) {
    setting_ = find_setting(key);
    if (!setting_) return refuse(mark, unknown_key(key));
    const auto [entry, fresh] = found_.try_emplace(key);
    if (!fresh) return refuse(mark, "'" + key + "' is there twice");
    value_ = &entry->second;
    value_->line = mark.line + 1;
    key_mark_ = mark;
    in_ = In::kEntry;
  }

  // What came does not belong where it is.
  void refuse_here(const YAML::Mark& mark) {
    switch (in_) {
      case In::kDocument:
        return refuse(mark, "not a map of 'key: value' lines");
      case In::kMap:
        return refuse(mark, "a key must be a word");
      case In::kEntry:
        // The key's line: a value that is missing would be on the next one.
        return refuse(key_mark_, std::string(setting_->key) + ": needs " + setting_->allowed);
      case In::kList:
        return refuse(mark, std::string(setting_->key) + ": a list of plain values");
    }
  }

  std::string name_;
  std::map<std::string, FileValue> found_;
  std::optional<std::string> wrong_;  // once set, in_ and what hangs on it mean nothing
  int documents_ = 0;
  In in_ = In::kDocument;
  const Setting* setting_ = nullptr;  // of the entry being read
  FileValue* value_ = nullptr;        // where its values go; nodes of a map stay where they are
  YAML::Mark key_mark_;
};

}  // namespace

Result<std::string> read_config_text(const std::string& path) {
  return read_file(path, kMostText, "read the configuration file " + path);
}

Result<std::map<std::string, FileValue>> parse_config_file(std::string_view name,
                                                           const std::string& text) {
  FlatMap map(name);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(map)) parser.HandleNextDocument(map);
  } catch (const YAML::Exception& error) {
    map.refuse(error.mark, one_line(error.msg));
  } catch (const std::exception& error) {
    map.refuse(YAML::Mark::null_mark(), one_line(error.what()));
  }
  return map.take();
}

}  // namespace orb8
