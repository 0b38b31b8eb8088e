// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_plan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/export/json_text.h"

namespace orb8 {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Form = JsonField::Form;
using Kind = JsonField::Kind;
using Presence = JsonField::Presence;

constexpr std::string_view kTimeSuffix = "_ns";

// Numbers of which 0 means that nobody knows, or that there is none.
constexpr std::array<std::string_view, 17> kZeroIsAbsent = {
    "ifindex",       "cgroup_id",      "pid",          "netns",           "socket_cookie",
    "rtt_us",        "min_rtt_us",     "cwnd",         "dropped_before",  "tcp_flags",
    "first_seen_ns", "last_seen_ns",   "timestamp_ns", "smallest_rtt_us", "largest_rtt_us",
    "other_groups",  "history_from_ns"};
// What a socket alone counts: 0 is a number where there is one.
constexpr std::array<std::string_view, 5> kSocketCounters = {
    "retransmits", "retransmitted_bytes", "payload_bytes", "unread_bytes", "unsent_bytes"};
constexpr std::array<std::string_view, 2> kPorts = {"src_port", "dst_port"};  // ICMP has none

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

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
using Plans = std::unordered_map<const Descriptor*, std::unique_ptr<JsonPlan>>;

const JsonPlan& plan_in(Plans& plans, const Descriptor& type) {
  auto& made = plans[&type];
  if (made) return *made;
  const bool has_whole_bytes = type.FindFieldByName("byte_count") != nullptr;
  made = std::make_unique<JsonPlan>(
      JsonPlan{.fields = {},
               .socket_cookie = type.FindFieldByName("socket_cookie"),
               .role = type.FindFieldByName("role"),
               .icmp_type = type.FindFieldByName("icmp_type"),
               .small_bytes = has_whole_bytes ? type.FindFieldByName("bytes") : nullptr});
  auto& plan = *made;
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* field = type.field(i);
    if (field == plan.small_bytes) continue;
    Form form = Form::kPlain;
    if (is_time(*field)) form = Form::kTime;
    if (field->name() == "tcp_flags") form = Form::kTcpFlags;
    plan.fields.push_back({.field = field,
                           .key = "," + quoted(key_of(*field)) + ":",
                           .words = field->enum_type() != nullptr ? words_of(*field->enum_type())
                                                                  : std::vector<std::string>(),
                           .message = field->message_type() != nullptr && !field->is_map()
                                          ? &plan_in(plans, *field->message_type())
                                          : nullptr,
                           .kind = kind_of(*field, form),
                           .form = form,
                           .presence = presence_of(*field)});
  }
  return plan;
}

}  // namespace

const JsonPlan& json_plan(const Descriptor& type) {
  static std::mutex mutex;
  static Plans plans;
  const std::lock_guard lock(mutex);
  return plan_in(plans, type);
}

}  // namespace orb8
