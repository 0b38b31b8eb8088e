// SPDX-License-Identifier: Apache-2.0
#include "core/flow/label_selector.h"

#include <algorithm>
#include <charconv>

namespace orb8 {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::size_t kMostNameBytes = 63;     // of a label's name, and of its value
constexpr std::size_t kMostPrefixBytes = 253;  // what stands before a name's slash

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '/';
}

// A name, or a value that is not empty: letters, digits and "-_." between letters or digits.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && text.find('/') == std::string_view::npos;
}

bool is_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  return slash > 0 && slash <= kMostPrefixBytes && is_name(text.substr(slash + 1));
}

bool is_value(std::string_view text) {
  return text.empty() || is_name(text);
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

// One pass over the text, a token at a time.
class LabelSelector::Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) { skip_spaces(); }

  bool at_end() const { return rest_.empty(); }

  // Takes `token` if it comes next.
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    skip_spaces();
    return true;
  }

  // A run of what names and values are made of; empty where none comes next.
  std::string_view word() {
    const auto end = std::ranges::find_if_not(rest_, is_word);
    const auto word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    skip_spaces();
    return word;
  }

  bool read(Requirement& out) {
    const bool absent = take("!");
    const auto key = word();
    if (!is_key(key)) return false;
    out.key = key;
    if (absent) {
      out.op = Operator::kAbsent;
      return true;
    }
    return at_end() || rest_.front() == ',' || read_condition(out);
  }

 private:
  bool read_condition(Requirement& out) {
    if (take("!=")) return read_value(Operator::kNotIn, out);
    if (take("==") || take("=")) return read_value(Operator::kIn, out);
    if (take(">")) return read_number(Operator::kGreater, out);
    if (take("<")) return read_number(Operator::kLess, out);
    const auto op = word();
    if (op == "in") return read_set(Operator::kIn, out);
    return op == "notin" && read_set(Operator::kNotIn, out);
  }

  bool read_value(Operator op, Requirement& out) {
    out.op = op;
    const auto value = word();
    out.values.emplace_back(value);
    return is_value(value);
  }

  bool read_number(Operator op, Requirement& out) {
    out.op = op;
    const auto number = to_number(word());
    out.number = number.value_or(0);
    return number.has_value();
  }

  bool read_set(Operator op, Requirement& out) {
    if (!take("(")) return false;
    do {
      if (!read_value(op, out)) return false;
    } while (take(","));
    return take(")");
  }

  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpaces), rest_.size()));
  }

  std::string_view rest_;
};

std::optional<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  Reader reader(text);
  if (reader.at_end()) return selector;
  do {
    if (!reader.read(selector.requirements_.emplace_back())) return std::nullopt;
  } while (reader.take(","));
  if (!reader.at_end()) return std::nullopt;
  return selector;
}

bool LabelSelector::holds(const Requirement& requirement, const Labels& labels) {
  const auto at = std::ranges::lower_bound(labels, requirement.key, {}, &Labels::value_type::first);
  const auto* value = at != labels.end() && at->first == requirement.key ? &at->second : nullptr;
  const auto is_listed = [&] {
    return value != nullptr &&
           std::ranges::find(requirement.values, *value) != requirement.values.end();
  };
  const auto number = value != nullptr ? to_number(*value) : std::nullopt;
  switch (requirement.op) {
    case Operator::kExists:
      return value != nullptr;
    case Operator::kAbsent:
      return value == nullptr;
    case Operator::kIn:
      return is_listed();
    case Operator::kNotIn:
      return !is_listed();
    case Operator::kGreater:
      return number && *number > requirement.number;
    case Operator::kLess:
      return number && *number < requirement.number;
  }
  return false;
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::ranges::all_of(requirements_, [&](const auto& r) { return holds(r, labels); });
}

}  // namespace orb8
