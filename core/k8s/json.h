// Reading JSON of the API: what is absent or null says nothing, and what has another type than the
// API gives it makes its object malformed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orb8::k8s {

namespace dom = simdjson::dom;

// One object, or an absent one. Its texts live as long as the document.
class JsonObject {
 public:
  // `sound` becomes false when a value has a wrong type, here or in what is reached from here.
  JsonObject(dom::element element, bool& sound) : sound_(&sound) {
    take(element, dom::element_type::OBJECT, [&] { object_ = dom::object(element); });
  }

  explicit operator bool() const { return object_.has_value(); }

  std::string_view text(std::string_view key) const {
    std::string_view value;
    with(key, dom::element_type::STRING, [&](dom::element e) { value = std::string_view(e); });
    return value;
  }

  bool flag(std::string_view key) const {
    bool value = false;
    with(key, dom::element_type::BOOL, [&](dom::element e) { value = bool(e); });
    return value;
  }

  template <class Number>
  Number number(std::string_view key) const {
    std::int64_t value = 0;
    with(key, dom::element_type::INT64, [&](dom::element e) { value = std::int64_t(e); });
    if (!std::in_range<Number>(value)) *sound_ = false;
    return static_cast<Number>(value);
  }

  JsonObject object(std::string_view key) const {
    JsonObject found(*sound_);
    with(key, dom::element_type::OBJECT, [&](dom::element e) { found.object_ = dom::object(e); });
    return found;
  }

  // visit(JsonObject) for each in an array of objects.
  template <class Visit>
  void each_object(std::string_view key, Visit visit) const {
    with(key, dom::element_type::ARRAY, [&](dom::element e) {
      for (const dom::element item : dom::array(e)) {
        if (const JsonObject object(item, *sound_); object) visit(object);
      }
    });
  }

  // visit(std::string_view) for each in an array of strings.
  template <class Visit>
  void each_text(std::string_view key, Visit visit) const {
    with(key, dom::element_type::ARRAY, [&](dom::element e) {
      for (const dom::element item : dom::array(e)) {
        take(item, dom::element_type::STRING, [&] { visit(std::string_view(item)); });
      }
    });
  }

  // visit(key, value) for each in a map of strings.
  template <class Visit>
  void each_pair(std::string_view key, Visit visit) const {
    with(key, dom::element_type::OBJECT, [&](dom::element e) {
      for (const auto [name, value] : dom::object(e)) {
        take(value, dom::element_type::STRING,
             [&, n = name, v = value] { visit(n, std::string_view(v)); });
      }
    });
  }

 private:
  explicit JsonObject(bool& sound) : sound_(&sound) {}

  template <class Then>
  void take(dom::element element, dom::element_type type, Then then) const {
    if (element.is_null()) return;
    if (element.type() != type) {
      *sound_ = false;
    } else {
      then();
    }
  }

  template <class Then>
  void with(std::string_view key, dom::element_type type, Then then) const {
    dom::element element;
    if (!object_ || object_->at_key(key).get(element) != simdjson::SUCCESS) return;
    take(element, type, [&] { then(element); });
  }

  std::optional<dom::object> object_;
  bool* sound_;
};

// Parses one text at a time. What a parse returns is gone with the next one.
class JsonParser {
 public:
  // Absent when it is no JSON. The text is left as it is; its capacity may grow.
  std::optional<dom::element> parse(std::string& text) {
    // A parser keeps eight bytes or so for each of its longest text; that of one monster is freed.
    if (parser_.capacity() > kKeptBytes) parser_ = dom::parser();
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    dom::element root;
    if (parser_.parse(text.data(), text.size(), false).get(root) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    return root;
  }

 private:
  static constexpr std::size_t kKeptBytes = 1U << 20U;
  dom::parser parser_;
};

}  // namespace orb8::k8s
