// SPDX-License-Identifier: Apache-2.0
#include "core/export/json.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "core/export/json_plan.h"
#include "core/export/json_text.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Form = JsonField::Form;
using Kind = JsonField::Kind;
using Presence = JsonField::Presence;

template <class Number>
void append_number(Number number, std::string& out) {
  std::array<char, 24> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

// A count behind its key.
void append_count(std::string_view key, std::uint64_t count, std::string& out) {
  constexpr std::size_t kDigits = std::numeric_limits<std::uint64_t>::digits10 + 1;
  const auto begin = out.size();
  const auto most = begin + key.size() + kDigits;
  out.resize_and_overwrite(most, [&](char* all, std::size_t /*or more*/) {
    char* at = std::ranges::copy(key, all + begin).out;
    return static_cast<std::size_t>(std::to_chars(at, all + most, count).ptr - all);
  });
}

void append_flags(std::uint8_t flags, std::string& out) {
  out += '[';
  const auto names = tcp_flags_text(flags);
  for (std::string_view rest = names; !rest.empty();) {
    const auto end = std::min(rest.find('|'), rest.size());
    append_quoted(rest.substr(0, end), out);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!rest.empty()) out += ',';
  }
  out += ']';
}

// Writes one message; what it finds absent it leaves out.
class Writer {
 public:
  Writer(const Message& message, const JsonPlan& plan, std::string& out)
      : message_(message), of_(*message.GetReflection()), plan_(plan), out_(out) {}

  void write() {
    const auto begin = out_.size();
    for (const auto& field : plan_.fields) write(field);
    if (out_.size() == begin) out_ += ',';
    out_[begin] = '{';  // in place of the first comma
    out_ += '}';
  }

 private:
  void write(const JsonField& field) {
    switch (field.kind) {
      case Kind::kText:
        return write_text(field);
      case Kind::kCount32:
        return write_count(field, of_.GetUInt32(message_, field.field));
      case Kind::kCount64:
        return write_count(field, of_.GetUInt64(message_, field.field));
      case Kind::kOther:
        return write_other(field);
    }
  }

  void write_text(const JsonField& field) {
    std::string scratch;
    const auto& text = of_.GetStringReference(message_, field.field, &scratch);
    if (!text.empty()) append_member(field.key, text, out_);
  }

  void write_count(const JsonField& field, std::uint64_t count) {
    if (count == 0 && !is_zero_told(field)) return;
    append_count(field.key, count, out_);
  }

  void write_other(const JsonField& field) {
    if (!is_present(field)) return;
    out_ += field.key;
    if (field.field->is_map()) {
      write_map(field);
    } else if (field.field->is_repeated()) {
      write_list(field);
    } else {
      write_value(field);
    }
  }

  bool is_present(const JsonField& field) const {
    const auto* descriptor = field.field;
    if (descriptor->is_repeated()) return of_.FieldSize(message_, descriptor) > 0;
    // A text or a message that is not there, a number that is 0.
    if (of_.HasField(message_, descriptor)) return true;
    if (descriptor->has_presence() || descriptor->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return false;
    }
    return is_zero_told(field);
  }

  bool is_zero_told(const JsonField& field) const {
    switch (field.presence) {
      case Presence::kUnlessZero:
        return false;
      case Presence::kOfSocket:
        if (plan_.socket_cookie == nullptr) return true;  // a group, which sums up
        return is_set(plan_.socket_cookie) || is_set(plan_.role);
      case Presence::kUnlessIcmp:
        return !is_set(plan_.icmp_type);
      case Presence::kAlways:
        break;
    }
    return true;
  }

  bool is_set(const FieldDescriptor* field) const {
    return field != nullptr && of_.HasField(message_, field);
  }

  void write_value(const JsonField& field) {
    const auto* f = field.field;
    switch (f->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        return append_quoted(of_.GetStringReference(message_, f, &scratch), out_);
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        const auto number = of_.GetUInt32(message_, f);
        if (field.form == Form::kTcpFlags) {
          return append_flags(static_cast<std::uint8_t>(number), out_);
        }
        return append_number(number, out_);
      }
      case FieldDescriptor::CPPTYPE_UINT64:
        return append_number(of_.GetUInt64(message_, f), out_);
      case FieldDescriptor::CPPTYPE_INT32:
        return append_number(of_.GetInt32(message_, f), out_);
      case FieldDescriptor::CPPTYPE_INT64:
        return write_time(field, of_.GetInt64(message_, f));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return append_number(of_.GetDouble(message_, f), out_);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return append_number(of_.GetFloat(message_, f), out_);
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += of_.GetBool(message_, f) ? "true" : "false";
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        return write_enum(field, of_.GetEnumValue(message_, f));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Writer(of_.GetMessage(message_, f), *field.message, out_).write();
    }
  }

  void write_time(const JsonField& field, std::int64_t number) {
    if (field.form != Form::kTime) return append_number(number, out_);
    out_ += '"';
    append_rfc3339(number, out_);
    out_ += '"';
  }

  // A value that came with a later version is its number.
  void write_enum(const JsonField& field, int number) {
    const auto at = static_cast<std::size_t>(number);
    if (number < 0 || at >= field.words.size()) return append_number(number, out_);
    out_ += field.words[at];
  }

  void write_list(const JsonField& field) {
    const auto* f = field.field;
    out_ += '[';
    for (int i = 0; i < of_.FieldSize(message_, f); ++i) {
      if (i > 0) out_ += ',';
      write_item(field, i);
    }
    out_ += ']';
  }

  // The contract's lists are of these.
  void write_item(const JsonField& field, int i) {
    const auto* f = field.field;
    switch (f->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return append_quoted(of_.GetRepeatedString(message_, f, i), out_);
      case FieldDescriptor::CPPTYPE_UINT32:
        return append_number(of_.GetRepeatedUInt32(message_, f, i), out_);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Writer(of_.GetRepeatedMessage(message_, f, i), *field.message, out_).write();
      default:
        out_ += "null";
    }
  }

  // Of texts to texts, by key: the order of a map is no order.
  void write_map(const JsonField& field) {
    const auto* type = field.field->message_type();
    std::vector<std::pair<std::string, std::string>> entries;
    for (int i = 0; i < of_.FieldSize(message_, field.field); ++i) {
      const auto& entry = of_.GetRepeatedMessage(message_, field.field, i);
      const auto& of = *entry.GetReflection();
      entries.emplace_back(of.GetString(entry, type->map_key()),
                           of.GetString(entry, type->map_value()));
    }
    std::ranges::sort(entries);
    out_ += '{';
    for (const auto& [key, value] : entries) {
      if (&key != &entries.front().first) out_ += ',';
      append_quoted(key, out_);
      out_ += ':';
      append_quoted(value, out_);
    }
    out_ += '}';
  }

  const Message& message_;
  const Reflection& of_;
  const JsonPlan& plan_;
  std::string& out_;
};

}  // namespace

void append_json(const Message& message, std::string& out) {
  Writer(message, json_plan(*message.GetDescriptor()), out).write();
}

std::string to_json(const Message& message) {
  std::string out;
  append_json(message, out);
  return out;
}

}  // namespace orb8
