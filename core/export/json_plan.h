// How messages are laid out as JSON, worked out once for each type, for those who write it and
// those who read it back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orb8 {

struct JsonPlan;

// How one field is written.
struct JsonField {
  enum class Form : std::uint8_t { kPlain, kTime, kTcpFlags };
  enum class Presence : std::uint8_t { kAlways, kUnlessZero, kOfSocket, kUnlessIcmp };
  // What most fields are, which are asked for their value alone, and all the others.
  enum class Kind : std::uint8_t { kText, kCount32, kCount64, kOther };

  const google::protobuf::FieldDescriptor* field;
  std::string key;                 // quoted, between a comma and a colon
  std::vector<std::string> words;  // of an enum, by number, quoted
  const JsonPlan* message;         // of a message's own type
  Kind kind;
  Form form;
  Presence presence;

  // The key alone.
  std::string_view name() const { return std::string_view(key).substr(2, key.size() - 4); }
};

struct JsonPlan {
  std::vector<JsonField> fields;
  const google::protobuf::FieldDescriptor* socket_cookie;  // null: the type knows no sockets
  const google::protobuf::FieldDescriptor* role;
  const google::protobuf::FieldDescriptor* icmp_type;
  // Left out, since another field has the whole of it under its name; null: there is none.
  const google::protobuf::FieldDescriptor* small_bytes;
};

// Lives as long as the program. Any thread may ask.
const JsonPlan& json_plan(const google::protobuf::Descriptor& type);

}  // namespace orb8
