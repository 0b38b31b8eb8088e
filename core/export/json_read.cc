// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_read.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/rfc3339.h"
#include "core/export/json_plan.h"
#include "core/export/utf8.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

namespace dom = simdjson::dom;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A parser keeps eight bytes or so for each of its longest line; that of one monster is freed.
constexpr std::size_t kKeptBytes = 1U << 20U;
constexpr std::size_t kQuotedBytes = 40;

std::string_view why_no_json(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR:
      return "is not UTF-8";
    case simdjson::DEPTH_ERROR:
      return "is nested too deep";
    case simdjson::EMPTY:
      return "is empty";
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return "is too long";
    default:
      return "is no JSON, or cut off in the middle";
  }
}

std::unexpected<Error> wrong(const JsonField& field, dom::element value, std::string_view allowed) {
  return fail(Errc::kInvalid,
              fmt::format("{}: {} is not allowed; it must be {}", field.name(),
                          quotable(simdjson::minify(value), kQuotedBytes), allowed));
}

// In front of what is wrong below the field.
std::unexpected<Error> below(const JsonField& field, const Error& error) {
  return fail(error.code, fmt::format("{}.{}", field.name(), error.what));
}

// Whole numbers, also those that were made floats on the way here.
template <class Number>
std::optional<Number> number_in(dom::element value) {
  if (std::uint64_t natural = 0; value.get(natural) == simdjson::SUCCESS) {
    if (!std::in_range<Number>(natural)) return std::nullopt;
    return static_cast<Number>(natural);
  }
  if (std::int64_t integer = 0; value.get(integer) == simdjson::SUCCESS) {
    if (!std::in_range<Number>(integer)) return std::nullopt;
    return static_cast<Number>(integer);
  }
  double real = 0;
  if (value.get(real) != simdjson::SUCCESS || std::trunc(real) != real) return std::nullopt;
  // The limits as doubles: the upper one is rounded up to a power of two, which is out already.
  constexpr auto kLeast = static_cast<double>(std::numeric_limits<Number>::min());
  constexpr auto kMost = static_cast<double>(std::numeric_limits<Number>::max());
  const bool fits = sizeof(Number) < sizeof(double) ? real <= kMost : real < kMost;
  if (real < kLeast || !fits) return std::nullopt;
  return static_cast<Number>(real);
}

std::optional<std::string_view> text_in(dom::element value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// Fills one message from one object.
class Filler {
 public:
  Filler(dom::object object, const JsonPlan& plan, Message& message)
      : object_(object), plan_(plan), message_(message), of_(*message.GetReflection()) {}

  Result<void> fill() {
    for (const auto [key, value] : object_) {
      const auto* field = field_named(key);
      if (field == nullptr || value.is_null()) continue;
      if (auto ok = read(*field, value); !ok) return ok;
    }
    return {};
  }

 private:
  // Fields come in the plan's order, but for what somebody else has moved.
  const JsonField* field_named(std::string_view key) {
    const auto& fields = plan_.fields;
    for (std::size_t tried = 0; tried < fields.size(); ++tried, ++next_) {
      if (next_ >= fields.size()) next_ = 0;
      if (fields[next_].name() == key) return &fields[next_++];
    }
    return nullptr;
  }

  Result<void> read(const JsonField& field, dom::element value) {
    // Of a name that is there twice the last counts.
    if (field.field->is_repeated() || field.message != nullptr) {
      of_.ClearField(&message_, field.field);
    }
    if (field.field->is_map()) return read_map(field, value);
    if (field.field->is_repeated()) return read_list(field, value);
    if (field.form == JsonField::Form::kTime) return read_time(field, value);
    if (field.form == JsonField::Form::kTcpFlags) return read_flags(field, value);
    return read_value(field, value);
  }

  Result<void> read_value(const JsonField& field, dom::element value) {
    const auto* f = field.field;
    switch (f->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return read_text(field, value);
      case FieldDescriptor::CPPTYPE_UINT32:
        return set<std::uint32_t>(field, value, &Reflection::SetUInt32);
      case FieldDescriptor::CPPTYPE_UINT64:
        return read_count(field, value);
      case FieldDescriptor::CPPTYPE_INT32:
        return set<std::int32_t>(field, value, &Reflection::SetInt32);
      case FieldDescriptor::CPPTYPE_INT64:
        return set<std::int64_t>(field, value, &Reflection::SetInt64);
      case FieldDescriptor::CPPTYPE_BOOL: {
        bool flag = false;
        if (value.get(flag) != simdjson::SUCCESS) return wrong(field, value, "true or false");
        of_.SetBool(&message_, f, flag);
        return {};
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        return read_enum(field, value);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return read_message(field, value, *of_.MutableMessage(&message_, f));
      default:
        return read_real(field, value);
    }
  }

  Result<void> read_text(const JsonField& field, dom::element value) {
    const auto text = text_in(value);
    if (!text) return wrong(field, value, "a text");
    of_.SetString(&message_, field.field, std::string(*text));
    return {};
  }

  template <class Number>
  Result<void> set(const JsonField& field, dom::element value,
                   void (Reflection::*put)(Message*, const FieldDescriptor*, Number) const) {
    const auto number = number_in<Number>(value);
    if (!number) {
      return wrong(field, value,
                   fmt::format("a whole number from {} to {}", std::numeric_limits<Number>::min(),
                               std::numeric_limits<Number>::max()));
    }
    (of_.*put)(&message_, field.field, *number);
    return {};
  }

  // Where a count is the whole of a smaller one, that one saturates.
  Result<void> read_count(const JsonField& field, dom::element value) {
    if (auto ok = set<std::uint64_t>(field, value, &Reflection::SetUInt64); !ok) return ok;
    const auto* small = plan_.small_bytes;
    if (small == nullptr || field.name() != small->name()) return {};
    const auto whole = of_.GetUInt64(message_, field.field);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    of_.SetUInt32(&message_, small, static_cast<std::uint32_t>(std::min(whole, kMost)));
    return {};
  }

  Result<void> read_real(const JsonField& field, dom::element value) {
    double real = 0;
    if (value.get(real) != simdjson::SUCCESS) return wrong(field, value, "a number");
    if (field.field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      of_.SetDouble(&message_, field.field, real);
    } else {
      of_.SetFloat(&message_, field.field, static_cast<float>(real));
    }
    return {};
  }

  Result<void> read_time(const JsonField& field, dom::element value) {
    const auto text = text_in(value);
    const auto time_ns = text ? parse_rfc3339(*text) : std::nullopt;
    if (!time_ns) return wrong(field, value, "a time, as 2026-11-28T17:27:47.123456789Z");
    of_.SetInt64(&message_, field.field, *time_ns);
    return {};
  }

  Result<void> read_flags(const JsonField& field, dom::element value) {
    dom::array names;
    if (value.get(names) != simdjson::SUCCESS) return wrong(field, value, "a list of TCP flags");
    std::uint32_t flags = 0;
    for (const auto name : names) {
      const auto text = text_in(name);
      const auto flag = text ? parse_tcp_flags(*text) : std::nullopt;
      if (!flag) return wrong(field, name, "one of SYN, FIN, RST, PSH, ACK, URG, ECE, CWR");
      flags |= *flag;
    }
    of_.SetUInt32(&message_, field.field, flags);
    return {};
  }

  // A number is what a later version's word was to the one who wrote it.
  Result<void> read_enum(const JsonField& field, dom::element value) {
    if (const auto number = number_in<std::int32_t>(value)) {
      of_.SetEnumValue(&message_, field.field, *number);
      return {};
    }
    const auto text = text_in(value).value_or("");
    for (std::size_t i = 0; i < field.words.size(); ++i) {
      const std::string_view word = field.words[i];
      if (word.size() < 2 || word.substr(1, word.size() - 2) != text) continue;
      of_.SetEnumValue(&message_, field.field, static_cast<int>(i));
      return {};
    }
    return wrong(field, value, fmt::format("one of {}", fmt::join(field.words, ", ")));
  }

  static Result<void> read_message(const JsonField& field, dom::element value, Message& into) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return wrong(field, value, "an object");
    if (auto ok = Filler(object, *field.message, into).fill(); !ok) {
      return below(field, ok.error());
    }
    return {};
  }

  Result<void> read_list(const JsonField& field, dom::element value) {
    dom::array items;
    if (value.get(items) != simdjson::SUCCESS) return wrong(field, value, "a list");
    for (const auto item : items) {
      if (auto ok = read_item(field, item); !ok) return ok;
    }
    return {};
  }

  // The contract's lists are of these.
  Result<void> read_item(const JsonField& field, dom::element item) {
    const auto* f = field.field;
    switch (f->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const auto text = text_in(item);
        if (!text) return wrong(field, item, "a list of texts");
        of_.AddString(&message_, f, std::string(*text));
        return {};
      }
      case FieldDescriptor::CPPTYPE_UINT32:
        return set<std::uint32_t>(field, item, &Reflection::AddUInt32);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return read_message(field, item, *of_.AddMessage(&message_, f));
      default:
        return wrong(field, item, "absent");
    }
  }

  // Of texts to texts.
  Result<void> read_map(const JsonField& field, dom::element value) {
    dom::object entries;
    if (value.get(entries) != simdjson::SUCCESS) return wrong(field, value, "an object");
    const auto* type = field.field->message_type();
    for (const auto [key, entry_value] : entries) {
      const auto text = text_in(entry_value);
      if (!text) return wrong(field, entry_value, "texts by their names");
      auto& entry = *of_.AddMessage(&message_, field.field);
      const auto& of = *entry.GetReflection();
      of.SetString(&entry, type->map_key(), std::string(key));
      of.SetString(&entry, type->map_value(), std::string(*text));
    }
    return {};
  }

  dom::object object_;
  const JsonPlan& plan_;
  Message& message_;
  const Reflection& of_;
  std::size_t next_ = 0;
};

}  // namespace

struct JsonReader::Parsed {
  dom::parser parser;
  dom::object object;  // in the parser's memory, until it parses again
};

JsonReader::JsonReader() : parsed_(std::make_unique<Parsed>()) {}
JsonReader::~JsonReader() = default;

Result<JsonReader::Kind> JsonReader::parse(std::string& line) {
  if (parsed_->parser.capacity() > kKeptBytes) parsed_->parser = dom::parser();
  line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  dom::element root;
  const auto code = parsed_->parser.parse(line.data(), line.size(), false).get(root);
  if (code != simdjson::SUCCESS) return fail(Errc::kInvalid, std::string(why_no_json(code)));
  if (root.get(parsed_->object) != simdjson::SUCCESS) {
    return fail(Errc::kInvalid, "is no JSON object");
  }
  const auto has = [&](std::string_view key) {
    return parsed_->object.at_key(key).error() == simdjson::SUCCESS;
  };
  if (!has("src_ip") || !has("dst_ip") || !has("protocol")) return Kind::kOther;
  return has("type") ? Kind::kEvent : Kind::kFlow;
}

Result<void> JsonReader::fill(Message& message) const {
  message.Clear();
  return Filler(parsed_->object, json_plan(*message.GetDescriptor()), message).fill();
}

}  // namespace orb8
