// SPDX-License-Identifier: Apache-2.0
#include "core/export/json.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/export/json_text.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kTimeSuffix = "_ns";

// Numbers of which 0 means that nobody knows, or that there is none.
constexpr std::array<std::string_view, 13> kZeroIsAbsent = {
    "ifindex",       "cgroup_id",    "pid",         "netns",          "socket_cookie",
    "rtt_us",        "min_rtt_us",   "cwnd",        "dropped_before", "tcp_flags",
    "first_seen_ns", "last_seen_ns", "timestamp_ns"};
// What a socket alone counts: 0 is a number where there is one.
constexpr std::array<std::string_view, 5> kSocketCounters = {
    "retransmits", "retransmitted_bytes", "payload_bytes", "unread_bytes", "unsent_bytes"};
constexpr std::array<std::string_view, 2> kPorts = {"src_port", "dst_port"};  // ICMP has none

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

enum class Form : std::uint8_t { kPlain, kTime, kTcpFlags };
enum class Presence : std::uint8_t { kAlways, kUnlessZero, kOfSocket, kUnlessIcmp };

// What most fields are, which are asked for their value alone, and all the others.
enum class Kind : std::uint8_t { kText, kCount32, kCount64, kOther };

struct Plan;

// How one field is written: worked out once for each type.
struct Field {
  const FieldDescriptor* field;
  std::string key;  // quoted, with the colon
  Kind kind;
  Form form;
  Presence presence;
  std::vector<std::string> words;  // of an enum, by number, quoted
  const Plan* message;             // of a message's own type
};

struct Plan {
  std::vector<Field> fields;
  const FieldDescriptor* socket_cookie;  // null: the type knows no sockets
  const FieldDescriptor* role;
  const FieldDescriptor* icmp_type;
};

std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(text, out);
  return out;
}

bool is_time(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 && field.name().ends_with(kTimeSuffix);
}

std::string key_of(const FieldDescriptor& field) {
  std::string_view name = field.name();
  if (name == "timestamp_ns") return "time";
  if (name == "byte_count") return "bytes";  // the whole of what `bytes` has no room for
  if (is_time(field)) name.remove_suffix(kTimeSuffix.size());
  return std::string(name);
}

Presence presence_of(const FieldDescriptor& field) {
  const std::string_view name = field.name();
  if (is_in(kZeroIsAbsent, name)) return Presence::kUnlessZero;
  if (is_in(kSocketCounters, name)) return Presence::kOfSocket;
  return is_in(kPorts, name) ? Presence::kUnlessIcmp : Presence::kAlways;
}

Kind kind_of(const FieldDescriptor& field, Form form) {
  if (field.is_repeated() || field.has_presence() || form != Form::kPlain) return Kind::kOther;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return Kind::kText;
    case FieldDescriptor::CPPTYPE_UINT32:
      return Kind::kCount32;
    case FieldDescriptor::CPPTYPE_UINT64:
      return Kind::kCount64;
    default:
      return Kind::kOther;
  }
}

// "EVENT_TYPE_FLOW_START" of EventType is "flow_start".
std::vector<std::string> words_of(const google::protobuf::EnumDescriptor& type) {
  const std::string_view first = type.value(0)->name();
  std::size_t common = first.size();
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string_view other = type.value(i)->name();
    const auto differs = std::ranges::mismatch(first.substr(0, common), other).in1 - first.begin();
    common = static_cast<std::size_t>(differs);
  }
  std::vector<std::string> words(static_cast<std::size_t>(type.value_count()));
  for (int i = 0; i < type.value_count(); ++i) {
    std::string word(type.value(i)->name().substr(common));
    std::ranges::transform(word, word.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto number = static_cast<std::size_t>(type.value(i)->number());
    if (number < words.size()) words[number] = quoted(word);
  }
  return words;
}

// Of all types that were met, by type. A message of its own kind finds itself here.
using Plans = std::unordered_map<const Descriptor*, std::unique_ptr<Plan>>;

const Plan& plan_in(Plans& plans, const Descriptor& type) {
  auto& made = plans[&type];
  if (made) return *made;
  made = std::make_unique<Plan>(Plan{.fields = {},
                                     .socket_cookie = type.FindFieldByName("socket_cookie"),
                                     .role = type.FindFieldByName("role"),
                                     .icmp_type = type.FindFieldByName("icmp_type")});
  auto& plan = *made;
  const bool has_whole_bytes = type.FindFieldByName("byte_count") != nullptr;
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* field = type.field(i);
    if (has_whole_bytes && field->name() == "bytes") continue;
    Form form = Form::kPlain;
    if (is_time(*field)) form = Form::kTime;
    if (field->name() == "tcp_flags") form = Form::kTcpFlags;
    plan.fields.push_back({.field = field,
                           .key = quoted(key_of(*field)) + ":",
                           .kind = kind_of(*field, form),
                           .form = form,
                           .presence = presence_of(*field),
                           .words = field->enum_type() != nullptr ? words_of(*field->enum_type())
                                                                  : std::vector<std::string>(),
                           .message = field->message_type() != nullptr && !field->is_map()
                                          ? &plan_in(plans, *field->message_type())
                                          : nullptr});
  }
  return plan;
}

const Plan& plan_of(const Descriptor& type) {
  static std::mutex mutex;
  static Plans plans;
  const std::lock_guard lock(mutex);
  return plan_in(plans, type);
}

template <class Number>
void append_number(Number number, std::string& out) {
  std::array<char, 24> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
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
  Writer(const Message& message, const Plan& plan, std::string& out)
      : message_(message), of_(*message.GetReflection()), plan_(plan), out_(out) {}

  void write() {
    out_ += '{';
    for (const auto& field : plan_.fields) write(field);
    if (out_.back() == ',') out_.pop_back();
    out_ += '}';
  }

 private:
  void write(const Field& field) {
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

  void write_text(const Field& field) {
    std::string scratch;
    const auto& text = of_.GetStringReference(message_, field.field, &scratch);
    if (text.empty()) return;
    out_ += field.key;
    append_quoted(text, out_);
    out_ += ',';
  }

  void write_count(const Field& field, std::uint64_t count) {
    if (count == 0 && !is_zero_told(field)) return;
    out_ += field.key;
    append_number(count, out_);
    out_ += ',';
  }

  void write_other(const Field& field) {
    if (!is_present(field)) return;
    out_ += field.key;
    if (field.field->is_map()) {
      write_map(field);
    } else if (field.field->is_repeated()) {
      write_list(field);
    } else {
      write_value(field);
    }
    out_ += ',';
  }

  bool is_present(const Field& field) const {
    const auto* descriptor = field.field;
    if (descriptor->is_repeated()) return of_.FieldSize(message_, descriptor) > 0;
    // A text or a message that is not there, a number that is 0.
    if (of_.HasField(message_, descriptor)) return true;
    if (descriptor->has_presence() || descriptor->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return false;
    }
    return is_zero_told(field);
  }

  bool is_zero_told(const Field& field) const {
    switch (field.presence) {
      case Presence::kUnlessZero:
        return false;
      case Presence::kOfSocket:
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

  void write_value(const Field& field) {
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

  void write_time(const Field& field, std::int64_t number) {
    if (field.form != Form::kTime) return append_number(number, out_);
    out_ += '"';
    append_rfc3339(number, out_);
    out_ += '"';
  }

  // A value that came with a later version is its number.
  void write_enum(const Field& field, int number) {
    const auto at = static_cast<std::size_t>(number);
    if (number < 0 || at >= field.words.size()) return append_number(number, out_);
    out_ += field.words[at];
  }

  void write_list(const Field& field) {
    const auto* f = field.field;
    out_ += '[';
    for (int i = 0; i < of_.FieldSize(message_, f); ++i) {
      if (i > 0) out_ += ',';
      write_item(field, i);
    }
    out_ += ']';
  }

  // The contract's lists are of these.
  void write_item(const Field& field, int i) {
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
  void write_map(const Field& field) {
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
  const Plan& plan_;
  std::string& out_;
};

}  // namespace

void append_json(const Message& message, std::string& out) {
  Writer(message, plan_of(*message.GetDescriptor()), out).write();
}

std::string to_json(const Message& message) {
  std::string out;
  append_json(message, out);
  return out;
}

}  // namespace orb8
