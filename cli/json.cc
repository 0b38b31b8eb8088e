// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>

namespace orb8 {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;

Json to_object(const Message& message);

// One value of a field; `index` is -1 unless the field is repeated.
Json to_value(const Message& message, const FieldDescriptor* field, int index) {
  const auto& of = *message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? of.GetString(message, field) : of.GetRepeatedString(message, field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? of.GetUInt32(message, field) : of.GetRepeatedUInt32(message, field, index);
    case FieldDescriptor::CPPTYPE_UINT64:
      return one ? of.GetUInt64(message, field) : of.GetRepeatedUInt64(message, field, index);
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? of.GetInt32(message, field) : of.GetRepeatedInt32(message, field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return one ? of.GetInt64(message, field) : of.GetRepeatedInt64(message, field, index);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return one ? of.GetDouble(message, field) : of.GetRepeatedDouble(message, field, index);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return one ? of.GetFloat(message, field) : of.GetRepeatedFloat(message, field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return one ? of.GetBool(message, field) : of.GetRepeatedBool(message, field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return std::string(
          (one ? of.GetEnum(message, field) : of.GetRepeatedEnum(message, field, index))->name());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return to_object(one ? of.GetMessage(message, field)
                       : of.GetRepeatedMessage(message, field, index));
}

Json to_object(const Message& message) {
  const auto& descriptor = *message.GetDescriptor();
  const auto& of = *message.GetReflection();
  Json object = Json::object();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    const std::string name(field->name());
    if (field->is_map()) {
      Json values = Json::object();
      const auto* type = field->message_type();
      for (int k = 0; k < of.FieldSize(message, field); ++k) {
        const auto& entry = of.GetRepeatedMessage(message, field, k);
        values[entry.GetReflection()->GetString(entry, type->map_key())] =
            to_value(entry, type->map_value(), -1);
      }
      object[name] = std::move(values);
    } else if (field->is_repeated()) {
      Json values = Json::array();
      for (int k = 0; k < of.FieldSize(message, field); ++k) {
        values.push_back(to_value(message, field, k));
      }
      object[name] = std::move(values);
    } else if (!field->has_presence() || of.HasField(message, field)) {
      object[name] = to_value(message, field, -1);
    }
  }
  return object;
}

}  // namespace

std::string to_json(const Message& message) {
  // Names come from elsewhere: bytes that are no UTF-8 are replaced, since a line must stay
  // parseable; all but ASCII is escaped, since a terminal obeys some of it.
  return to_object(message).dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace orb8
