// The wire contract against a descriptor written from its table alone: what upstream's clients and
// agents know. Whatever we add, they must understand us and we them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/flow_service.h"
#include "agent/grpc_server.h"
#include "core/source/scripted_source.h"
#include "orb8/v1/agent.pb.h"
#include "tests/integration/raw_call.h"

namespace orb8 {
namespace {

namespace pb = google::protobuf;
using Type = pb::FieldDescriptorProto;

constexpr int kLastOfUpstream = 19;  // the numbers above are ours

struct FieldRow {
  int number;
  const char* name;
  Type::Type type;
  bool repeated = false;
  const char* message = nullptr;
};
struct MessageRow {
  const char* name;
  std::vector<FieldRow> fields;
};

// The table, as it is published.
const std::vector<MessageRow>& contract() {
  static const std::vector<MessageRow> rows = {
      {"QueryFlowsRequest",
       {{1, "namespaces", Type::TYPE_STRING, true},
        {2, "pod_names", Type::TYPE_STRING, true},
        {3, "limit", Type::TYPE_UINT32}}},
      {"QueryFlowsResponse", {{1, "flows", Type::TYPE_MESSAGE, true, ".orb8.v1.NetworkFlow"}}},
      {"NetworkFlow",
       {{1, "namespace", Type::TYPE_STRING},
        {2, "pod_name", Type::TYPE_STRING},
        {3, "src_ip", Type::TYPE_STRING},
        {4, "dst_ip", Type::TYPE_STRING},
        {5, "src_port", Type::TYPE_UINT32},
        {6, "dst_port", Type::TYPE_UINT32},
        {7, "protocol", Type::TYPE_STRING},
        {8, "direction", Type::TYPE_STRING},
        {9, "bytes", Type::TYPE_UINT64},
        {10, "packets", Type::TYPE_UINT64},
        {11, "first_seen_ns", Type::TYPE_INT64},
        {12, "last_seen_ns", Type::TYPE_INT64}}},
      {"StreamEventsRequest", {{1, "namespaces", Type::TYPE_STRING, true}}},
      {"NetworkEvent",
       {{1, "namespace", Type::TYPE_STRING},
        {2, "pod_name", Type::TYPE_STRING},
        {3, "src_ip", Type::TYPE_STRING},
        {4, "dst_ip", Type::TYPE_STRING},
        {5, "src_port", Type::TYPE_UINT32},
        {6, "dst_port", Type::TYPE_UINT32},
        {7, "protocol", Type::TYPE_STRING},
        {8, "direction", Type::TYPE_STRING},
        {9, "bytes", Type::TYPE_UINT32},
        {10, "timestamp_ns", Type::TYPE_INT64}}},
      {"GetStatusRequest", {}},
      {"AgentStatus",
       {{1, "node_name", Type::TYPE_STRING},
        {2, "version", Type::TYPE_STRING},
        {3, "healthy", Type::TYPE_BOOL},
        {4, "health_message", Type::TYPE_STRING},
        {5, "events_processed", Type::TYPE_UINT64},
        {6, "events_dropped", Type::TYPE_UINT64},
        {7, "pods_tracked", Type::TYPE_UINT32},
        {8, "active_flows", Type::TYPE_UINT32},
        {9, "uptime_seconds", Type::TYPE_INT64}}}};
  return rows;
}

// Upstream's side: messages made from the table, with nothing of our generated code.
class Upstream {
 public:
  Upstream() {
    pb::FileDescriptorProto file;
    file.set_name("upstream.proto");
    file.set_package("orb8.v1");
    file.set_syntax("proto3");
    for (const auto& row : contract()) {
      auto& message = *file.add_message_type();
      message.set_name(row.name);
      for (const auto& field_row : row.fields) {
        auto& field = *message.add_field();
        field.set_name(field_row.name);
        field.set_number(field_row.number);
        field.set_type(field_row.type);
        field.set_label(field_row.repeated ? Type::LABEL_REPEATED : Type::LABEL_OPTIONAL);
        if (field_row.message) field.set_type_name(field_row.message);
      }
    }
    file_ = pool_.BuildFile(file);
  }

  const pb::Descriptor* descriptor(const std::string& name) const {
    return file_->FindMessageTypeByName(name);
  }
  std::unique_ptr<pb::Message> make(const std::string& name) {
    return std::unique_ptr<pb::Message>(factory_.GetPrototype(descriptor(name))->New());
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_{&pool_};
  const pb::FileDescriptor* file_ = nullptr;
};

std::string text(const pb::Message& message, const std::string& field) {
  return message.GetReflection()->GetString(message,
                                            message.GetDescriptor()->FindFieldByName(field));
}
std::uint64_t number64(const pb::Message& message, const std::string& field) {
  return message.GetReflection()->GetUInt64(message,
                                            message.GetDescriptor()->FindFieldByName(field));
}

TEST(WireCompat, HasEveryFieldOfTheTableWithItsNumberAndType) {
  const auto* file = v1::QueryFlowsRequest::descriptor()->file();
  EXPECT_EQ(std::string(file->package()), "orb8.v1");
  for (const auto& row : contract()) {
    const auto* message = file->FindMessageTypeByName(row.name);
    ASSERT_NE(message, nullptr) << row.name;
    for (const auto& expected : row.fields) {
      const auto* field = message->FindFieldByNumber(expected.number);
      ASSERT_NE(field, nullptr) << row.name << "." << expected.name;
      EXPECT_EQ(std::string(field->name()), expected.name);
      EXPECT_EQ(static_cast<int>(field->type()), static_cast<int>(expected.type)) << expected.name;
      EXPECT_EQ(field->is_repeated(), expected.repeated) << expected.name;
    }
    for (int i = 0; i < message->field_count(); ++i) {
      const int number = message->field(i)->number();
      EXPECT_TRUE(number > kLastOfUpstream || number <= static_cast<int>(row.fields.size()))
          << row.name << " has a field of its own at " << number;
    }
  }
}

TEST(WireCompat, HasTheThreeMethodsOfTheService) {
  const auto* service =
      v1::QueryFlowsRequest::descriptor()->file()->FindServiceByName("OrbitAgentService");
  ASSERT_NE(service, nullptr);
  ASSERT_GE(service->method_count(), 3);  // a method of ours is one that upstream never calls
  const auto expect = [&](const char* name, const char* in, const char* out, bool streams) {
    const auto* method = service->FindMethodByName(name);
    ASSERT_NE(method, nullptr) << name;
    EXPECT_EQ(std::string(method->input_type()->name()), in);
    EXPECT_EQ(std::string(method->output_type()->name()), out);
    EXPECT_FALSE(method->client_streaming());
    EXPECT_EQ(method->server_streaming(), streams);
  };
  expect("QueryFlows", "QueryFlowsRequest", "QueryFlowsResponse", false);
  expect("StreamEvents", "StreamEventsRequest", "NetworkEvent", true);
  expect("GetStatus", "GetStatusRequest", "AgentStatus", false);
}

// Each field that the table has gets a value of its own, the largest where that could be cut.
void fill(pb::Message& message) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const auto* field = message.GetDescriptor()->field(i);
    if (field->number() > kLastOfUpstream) continue;
    const auto name = std::string(field->name());
    switch (field->cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_STRING:
        if (!field->is_repeated()) {
          reflection->SetString(&message, field, "value of " + name);
          break;
        }
        reflection->AddString(&message, field, "first of " + name);
        reflection->AddString(&message, field, "second of " + name);
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(&message, field, UINT32_MAX - static_cast<std::uint32_t>(i));
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(&message, field, UINT64_MAX - static_cast<std::uint64_t>(i));
        break;
      case pb::FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, INT64_MIN + i);
        break;
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, true);
        break;
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        fill(*reflection->AddMessage(&message, field));
        break;
      default:
        FAIL() << name << " has a type that the table does not know";
    }
  }
}

class WireCompatMessage : public ::testing::TestWithParam<MessageRow> {};

TEST_P(WireCompatMessage, IsTheSameBytesOnBothSides) {
  Upstream upstream;
  const auto theirs = upstream.make(GetParam().name);
  const auto* ours_type =
      v1::QueryFlowsRequest::descriptor()->file()->FindMessageTypeByName(GetParam().name);
  const std::unique_ptr<pb::Message> ours(
      pb::MessageFactory::generated_factory()->GetPrototype(ours_type)->New());
  fill(*theirs);
  fill(*ours);
  const auto text = theirs->DebugString();
  EXPECT_EQ(ours->DebugString(), text);

  const auto read_by_them = upstream.make(GetParam().name);
  ASSERT_TRUE(read_by_them->ParseFromString(ours->SerializeAsString()));
  EXPECT_EQ(read_by_them->DebugString(), text);
  const std::unique_ptr<pb::Message> read_by_us(ours->New());
  ASSERT_TRUE(read_by_us->ParseFromString(theirs->SerializeAsString()));
  EXPECT_EQ(read_by_us->DebugString(), text);
}

INSTANTIATE_TEST_SUITE_P(Each, WireCompatMessage, ::testing::ValuesIn(contract()),
                         [](const auto& given) { return std::string(given.param.name); });

TEST(WireCompat, IsReadByUpstreamThoughItHasFieldsOfItsOwn) {
  Upstream upstream;
  v1::NetworkEvent ours;
  ours.set_namespace_("shop");
  ours.set_src_ip("fd00::1");
  ours.set_bytes(1234);
  ours.set_timestamp_ns(-5);
  ours.set_type(v1::EVENT_TYPE_PACKET);
  ours.set_byte_count(1ULL << 40U);
  const auto theirs = upstream.make("NetworkEvent");
  ASSERT_TRUE(theirs->ParseFromString(ours.SerializeAsString()));
  EXPECT_EQ(text(*theirs, "namespace"), "shop");
  EXPECT_EQ(text(*theirs, "src_ip"), "fd00::1");
  v1::NetworkEvent back;
  ASSERT_TRUE(back.ParseFromString(theirs->SerializeAsString()));
  EXPECT_EQ(back.byte_count(), 1ULL << 40U) << "what upstream does not know goes through it whole";
}

TEST(WireCompat, AnswersAClientThatHasOnlyTheTable) {
  Script script;
  script.set_flow({.key = {.src = Addr::v4(10, 0, 0, 1),
                           .dst = Addr::v4(10, 0, 0, 2),
                           .src_port = 4242,
                           .dst_port = 53,
                           .protocol = IPPROTO_UDP},
                   .packets = 3,
                   .bytes = 300,
                   .incarnation = 1,
                   .first_seen_ns = 1,
                   .last_seen_ns = INT64_MAX / 2});
  Config config;
  config.grpc_address = "127.0.0.1";
  config.grpc_port = 0;
  auto pipeline = *Pipeline::start(config, std::make_unique<ScriptedSource>(script));
  FlowService service(*pipeline, {"node-1", "1"}, {.max_limit = config.max_query_limit});
  auto server = *GrpcServer::start(config, service);

  Upstream upstream;
  const auto channel = integration::channel_to("127.0.0.1:" + std::to_string(server->port()));
  const auto received =
      integration::call_raw(channel, "/orb8.v1.OrbitAgentService/QueryFlows",
                            upstream.make("QueryFlowsRequest")->SerializeAsString());
  ASSERT_TRUE(received.status.ok()) << received.status.error_message();
  const auto answer = upstream.make("QueryFlowsResponse");
  ASSERT_TRUE(answer->ParseFromString(received.bytes));
  const auto* flows = answer->GetDescriptor()->FindFieldByName("flows");
  ASSERT_EQ(answer->GetReflection()->FieldSize(*answer, flows), 1);
  const auto& flow = answer->GetReflection()->GetRepeatedMessage(*answer, flows, 0);
  EXPECT_EQ(text(flow, "src_ip"), "10.0.0.1");
  EXPECT_EQ(text(flow, "protocol"), "UDP");
  EXPECT_EQ(text(flow, "pod_name"), "unknown");
  EXPECT_EQ(number64(flow, "bytes"), 300U);
  pipeline->stop();
  server->stop(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

}  // namespace
}  // namespace orb8
