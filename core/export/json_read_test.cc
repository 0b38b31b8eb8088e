// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_read.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>

#include "core/export/json.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

// --- chance ---

// Messages with anything in them that they can say as JSON.
class RandomMessages {
 public:
  void fill(Message& message) {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const auto* field = type.field(i);
      if (below(4) == 0) continue;
      const auto count = !field->is_repeated() ? 1U : below(4);
      for (unsigned n = 0; n < count; ++n) fill_one(message, field);
    }
    // The small field is what the whole is cut to.
    const auto* whole = type.FindFieldByName("byte_count");
    if (whole == nullptr) return;
    const auto& of = *message.GetReflection();
    const auto bytes = std::min<std::uint64_t>(of.GetUInt64(message, whole),
                                               std::numeric_limits<std::uint32_t>::max());
    of.SetUInt32(&message, type.FindFieldByName("bytes"), static_cast<std::uint32_t>(bytes));
  }

 private:
  unsigned below(unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random_); }

  // Small ones, any, and the largest.
  std::uint64_t number() {
    switch (below(4)) {
      case 0:
        return 0;
      case 1:
        return below(3);
      case 2:
        return std::numeric_limits<std::uint64_t>::max();
      default:
        return random_();
    }
  }

  std::string text() {
    static constexpr std::array kPieces = {"a",    "web-0",    "\"", "\\", "\n", "\t", "\x01",
                                           "\x7f", "ö",        "€",  "😀", "/",  " ",  "null",
                                           "{",    "\xc2\x9b", "]",  ",",  "u0", "0",  "\x1b"};
    std::string text;
    for (auto i = below(6); i > 0; --i) text += kPieces.at(below(kPieces.size()));
    return text;
  }

  // As far as four digits of a year and 64 bits reach.
  std::int64_t time_ns() {
    constexpr std::int64_t kMost = 9'200'000'000'000'000'000;
    return std::uniform_int_distribution<std::int64_t>(-kMost, kMost)(random_);
  }

  void fill_map(Message& message, const FieldDescriptor* field) {
    auto& entry = *message.GetReflection()->AddMessage(&message, field);
    const auto& of = *entry.GetReflection();
    // Keys of one map differ: which of two equal ones counts is nobody's promise.
    const auto key = text() + std::to_string(message.GetReflection()->FieldSize(message, field));
    of.SetString(&entry, field->message_type()->map_key(), key);
    of.SetString(&entry, field->message_type()->map_value(), text());
  }

  void fill_one(Message& message, const FieldDescriptor* field) {
    const auto& of = *message.GetReflection();
    const bool list = field->is_repeated();
    if (field->is_map()) return fill_map(message, field);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return list ? of.AddString(&message, field, text()) : of.SetString(&message, field, text());
      case FieldDescriptor::CPPTYPE_UINT32: {
        auto value = static_cast<std::uint32_t>(number());
        if (field->name() == "tcp_flags") value &= 0xffU;
        return list ? of.AddUInt32(&message, field, value) : of.SetUInt32(&message, field, value);
      }
      case FieldDescriptor::CPPTYPE_UINT64:
        return of.SetUInt64(&message, field, number());
      case FieldDescriptor::CPPTYPE_INT64:
        return of.SetInt64(
            &message, field,
            field->name().ends_with("_ns") ? time_ns() : static_cast<std::int64_t>(number()));
      case FieldDescriptor::CPPTYPE_BOOL:
        return of.SetBool(&message, field, below(2) == 1);
      case FieldDescriptor::CPPTYPE_ENUM:
        return of.SetEnumValue(&message, field, static_cast<int>(below(9)));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return fill(list ? *of.AddMessage(&message, field) : *of.MutableMessage(&message, field));
      default:
        FAIL() << field->full_name();
    }
  }

  std::mt19937_64 random_{23};
};

template <class Kind>
class JsonRoundTrip : public ::testing::Test {};
using Kinds = ::testing::Types<v1::NetworkFlow, v1::NetworkEvent, v1::Pod, v1::AgentStatus,
                               v1::QueryPodsResponse>;
TYPED_TEST_SUITE(JsonRoundTrip, Kinds);

TYPED_TEST(JsonRoundTrip, ReadsBackWhateverWasWritten) {
  RandomMessages random;
  JsonReader reader;
  for (int round = 0; round < 3000; ++round) {
    TypeParam written;
    random.fill(written);
    auto line = to_json(written);
    ASSERT_TRUE(reader.parse(line)) << line;
    TypeParam read;
    const auto ok = reader.fill(read);
    ASSERT_TRUE(ok) << ok.error().what << "\n" << line;
    ASSERT_TRUE(MessageDifferencer::Equals(written, read)) << line << "\n" << read.DebugString();
  }
}

// --- one by one ---

std::string why_not(std::string line) {
  JsonReader reader;
  const auto kind = reader.parse(line);
  if (!kind) return kind.error().what;
  v1::NetworkEvent event;
  const auto ok = reader.fill(event);
  return ok ? "" : ok.error().what;
}

v1::NetworkEvent event_of(std::string line) {
  JsonReader reader;
  v1::NetworkEvent event;
  event.set_pod_name("of the line before");
  EXPECT_TRUE(reader.parse(line)) << line;
  const auto ok = reader.fill(event);
  EXPECT_TRUE(ok) << ok.error().what;
  return event;
}

TEST(JsonReader, TellsFlowsEventsAndOthersApart) {
  JsonReader reader;
  const auto kind = [&](std::string line) { return reader.parse(line).value(); };
  EXPECT_EQ(kind(R"({"src_ip":"::1","dst_ip":"::1","protocol":"TCP"})"), JsonReader::Kind::kFlow);
  EXPECT_EQ(kind(R"({"type":"packet","src_ip":"::1","dst_ip":"::1","protocol":"TCP"})"),
            JsonReader::Kind::kEvent);
  EXPECT_EQ(kind(R"({"events":12,"lost":0})"), JsonReader::Kind::kOther);
  EXPECT_EQ(kind("{}"), JsonReader::Kind::kOther);
}

TEST(JsonReader, SaysWhyALineIsNone) {
  EXPECT_EQ(why_not(""), "is empty");
  EXPECT_EQ(why_not("[1]"), "is no JSON object");
  EXPECT_EQ(why_not("7"), "is no JSON object");
  EXPECT_EQ(why_not(R"({"src_ip":"10.0.)"), "is no JSON, or cut off in the middle");
  EXPECT_EQ(why_not(R"({"a":1} {"b":2})"), "is no JSON, or cut off in the middle");
  EXPECT_EQ(why_not("{\"a\":\"\xff\"}"), "is not UTF-8");
  EXPECT_EQ(why_not("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}"),
            "is nested too deep");
}

TEST(JsonReader, NamesTheFieldWhoseValueIsWrong) {
  EXPECT_EQ(why_not(R"({"src_port":"https"})"),
            "src_port: \"https\" is not allowed; it must be a whole number from 0 to 4294967295");
  EXPECT_THAT(why_not(R"({"src_port":-1})"), HasSubstr("src_port: -1 is not allowed"));
  EXPECT_THAT(why_not(R"({"src_port":4294967296})"), HasSubstr("src_port: 4294967296 is"));
  EXPECT_THAT(why_not(R"({"packets":1.5})"), HasSubstr("packets: 1.5 is not allowed"));
  EXPECT_THAT(why_not(R"({"packets":1e20})"), HasSubstr("packets: "));
  EXPECT_THAT(why_not(R"({"bytes":{"much":1}})"), HasSubstr("bytes: {\"much\":1} is not allowed"));
  EXPECT_THAT(why_not(R"({"src_ip":[]})"),
              HasSubstr("src_ip: [] is not allowed; it must be a text"));
  EXPECT_THAT(why_not(R"({"src":"web"})"), HasSubstr("src: \"web\" is not allowed; it must be an"));
  EXPECT_EQ(why_not(R"({"src":{"labels":{"app":1}}})"),
            "src.labels: 1 is not allowed; it must be texts by their names");
  EXPECT_THAT(why_not(R"({"time":1700000000})"), HasSubstr("time: 1700000000 is not allowed"));
  EXPECT_THAT(why_not(R"({"time":"yesterday"})"), HasSubstr("time: \"yesterday\" is not allowed"));
  EXPECT_THAT(why_not(R"({"tcp_flags":["SYN","SIN"]})"), HasSubstr("tcp_flags: \"SIN\" is not"));
  EXPECT_THAT(why_not(R"({"tcp_flags":2})"), HasSubstr("it must be a list of TCP flags"));
  EXPECT_EQ(why_not(R"({"type":"flow_pause"})"),
            "type: \"flow_pause\" is not allowed; it must be one of \"unspecified\", "
            "\"flow_start\", \"flow_update\", \"flow_end\", \"packet\"");
}

TEST(JsonReader, QuotesNoMoreThanALineOfWhatIsWrong) {
  const auto why = why_not("{\"src_port\":\"" + std::string(10'000, 'x') + "\\u001b\\n\"}");
  EXPECT_LT(why.size(), 200U);
  EXPECT_EQ(why.find_first_of("\n\x1b"), std::string::npos);
}

TEST(JsonReader, PassesOverNamesThatItDoesNotKnow) {
  const auto event = event_of(R"({"weather":{"rain":[1,2.5,null]},"packets":7})");
  EXPECT_EQ(event.packets(), 7U);
  EXPECT_EQ(event.pod_name(), "") << "of the line before";
}

TEST(JsonReader, TakesNullForAbsentAndTheLastOfTwo) {
  const auto event = event_of(R"({"pod_name":null,"packets":1,"packets":2})");
  EXPECT_EQ(event.pod_name(), "");
  EXPECT_EQ(event.packets(), 2U);
}

TEST(JsonReader, TakesWholeFloatsForNumbers) {
  const auto event = event_of(R"({"src_port":443.0,"socket_cookie":1e+18,"icmp_type":0})");
  EXPECT_EQ(event.src_port(), 443U);
  EXPECT_EQ(event.socket_cookie(), 1'000'000'000'000'000'000U);
  EXPECT_TRUE(event.has_icmp_type());
}

TEST(JsonReader, FillsBothByteFieldsOfAnEvent) {
  const auto event = event_of(R"({"bytes":5000000000})");
  EXPECT_EQ(event.byte_count(), 5'000'000'000U);
  EXPECT_EQ(event.bytes(), std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(event_of(R"({"bytes":5})").bytes(), 5U);
}

TEST(JsonReader, GoesOnAfterALineThatWasRefused) {
  JsonReader reader;
  std::string bad = "{";
  EXPECT_FALSE(reader.parse(bad));
  std::string good = R"({"packets":3})";
  ASSERT_TRUE(reader.parse(good));
  v1::NetworkFlow flow;
  EXPECT_TRUE(reader.fill(flow));
  EXPECT_EQ(flow.packets(), 3U);
}

}  // namespace
}  // namespace orb8
