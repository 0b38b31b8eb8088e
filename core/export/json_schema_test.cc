// The schema that users get, held against what is written: whatever a message can say has a place.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/export/json.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

void fill(Message& message);

void fill_one(Message& message, const FieldDescriptor* field) {
  const auto& of = *message.GetReflection();
  const bool list = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      list ? of.AddString(&message, field, "x") : of.SetString(&message, field, "x");
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      list ? of.AddUInt32(&message, field, 1) : of.SetUInt32(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      of.SetUInt64(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      of.SetInt64(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      of.SetBool(&message, field, true);
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      of.SetEnumValue(&message, field, 1);
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      fill(list ? *of.AddMessage(&message, field) : *of.MutableMessage(&message, field));
      break;
    default:
      FAIL() << field->full_name();
  }
}

void fill(Message& message) {
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) fill_one(message, type.field(i));
}

class JsonSchema : public ::testing::Test {
 protected:
  JsonSchema() : schema_(json::parse(std::ifstream("docs/orb8.schema.json"))) {}

  json resolved(const json& node) const {
    if (!node.contains("$ref")) return node;
    const std::string prefix = "#/$defs/";
    const auto ref = node["$ref"].get<std::string>();
    EXPECT_EQ(ref.rfind(prefix, 0), 0U);
    return schema_["$defs"][ref.substr(prefix.size())];
  }

  // Names and kinds at every depth; values are checked with a real validator, against real output.
  void expect_described(const json& value, const json& node, const std::string& where) const {
    const auto rule = resolved(node);
    if (value.is_array()) return expect_described(value.at(0), rule["items"], where + "[]");
    if (!value.is_object()) {
      if (rule.contains("enum")) return;
      EXPECT_EQ(rule["type"], value.is_boolean()  ? "boolean"
                              : value.is_number() ? "integer"
                                                  : "string")
          << where;
      return;
    }
    if (!rule.contains("properties")) return;  // a map
    EXPECT_EQ(rule["additionalProperties"], false) << where;
    std::set<std::string> written;
    std::set<std::string> described;
    for (const auto& [name, of] : value.items()) written.insert(name);
    for (const auto& [name, of] : rule["properties"].items()) described.insert(name);
    EXPECT_EQ(written, described) << where;
    for (const auto& [name, of] : value.items()) {
      expect_described(of, rule["properties"][name], where + "." + name);
    }
  }

  template <class Filled>
  void expect_of(const char* name) const {
    Filled message;
    fill(message);
    expect_described(json::parse(to_json(message)), schema_["$defs"][name], name);
  }

 private:
  json schema_;
};

TEST_F(JsonSchema, DescribesFlowsAndEvents) {
  expect_of<v1::NetworkFlow>("flow");
  expect_of<v1::NetworkEvent>("event");
}

TEST_F(JsonSchema, DescribesGroups) {
  expect_of<v1::FlowGroup>("group");
}

TEST_F(JsonSchema, DescribesPodsAndStatus) {
  expect_of<v1::Pod>("pod");
  expect_of<v1::AgentStatus>("status");
}

}  // namespace
}  // namespace orb8
