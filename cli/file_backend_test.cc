// SPDX-License-Identifier: Apache-2.0
#include "cli/file_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cli/render_test_data.h"
#include "core/export/json.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FileBackendTest : public ::testing::Test {
 protected:
  void TearDown() override { ::unlink(path_.c_str()); }

  std::unique_ptr<FileBackend> saved(const std::string& text) {
    std::ofstream(path_) << text;
    auto file = FileBackend::open(path_);
    EXPECT_TRUE(file) << file.error().what;
    return std::move(*file);
  }

  static std::string line(const google::protobuf::Message& message) {
    return to_json(message) + "\n";
  }

  static std::vector<v1::NetworkEvent> events_of(FileBackend& file,
                                                 const v1::StreamEventsRequest& request = {}) {
    std::vector<v1::NetworkEvent> events;
    const auto ok = file.stream(request,
                                [&](const v1::NetworkEvent& event) {
                                  events.push_back(event);
                                  return true;
                                },
                                {});
    EXPECT_TRUE(ok) << ok.error().what;
    return events;
  }

  // What is told in the end, and behind it whether all could be read.
  std::string told(const FileBackend& file) const {
    std::ostringstream err;
    const bool ok = file.tell(err);
    auto text = err.str();
    for (auto at = text.find(path_); at != std::string::npos; at = text.find(path_)) {
      text.replace(at, path_.size(), "FILE");
    }
    return text + (ok ? "ok" : "failed");
  }

  std::string path_ = ::testing::TempDir() + "/orb8-saved-" + std::to_string(::getpid());
};

v1::NetworkEvent event_of(v1::EventType type, std::uint32_t src_port,
                          std::int64_t at_ns = kNoon + kSecond) {
  auto event = event_to_db(type, at_ns);
  event.set_src_port(src_port);
  return event;
}

TEST_F(FileBackendTest, GivesTheEventsThatMatchAsTheyWereSaved) {
  const auto mine = event_of(v1::EVENT_TYPE_FLOW_UPDATE, 1);
  const auto other = event_of(v1::EVENT_TYPE_FLOW_UPDATE, 2);
  const auto file = saved(line(mine) + line(other));
  v1::StreamEventsRequest request;
  request.mutable_filter()->mutable_source()->add_ports("1");
  const auto events = events_of(*file, request);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].SerializeAsString(), mine.SerializeAsString());
  EXPECT_EQ(told(*file), "ok");
}

TEST_F(FileBackendTest, FiltersByWhoIsThere) {
  auto named = event_of(v1::EVENT_TYPE_FLOW_START, 1);
  named.mutable_dst()->set_kind("pod");
  named.mutable_dst()->set_namespace_("infra");
  named.mutable_dst()->set_name("db-0");
  named.set_dst_service("infra/db");
  const auto file = saved(line(named) + line(event_of(v1::EVENT_TYPE_FLOW_START, 2)));
  v1::StreamEventsRequest request;
  auto& filter = *request.add_allow();
  filter.mutable_destination()->add_services("infra/d*");
  filter.mutable_destination()->add_pods("db-0");
  EXPECT_THAT(events_of(*file, request), SizeIs(1));
}

TEST_F(FileBackendTest, KeepsWhatWasLostBeforeAnEventThatIsNotShown) {
  auto hidden = event_of(v1::EVENT_TYPE_FLOW_UPDATE, 2);
  hidden.set_dropped_before(5);
  auto shown = event_of(v1::EVENT_TYPE_FLOW_UPDATE, 1);
  shown.set_dropped_before(2);
  const auto file = saved(line(hidden) + line(shown) + line(event_of(v1::EVENT_TYPE_FLOW_END, 1)));
  v1::StreamEventsRequest request;
  request.mutable_filter()->mutable_source()->add_ports("1");
  const auto events = events_of(*file, request);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].dropped_before(), 7U);
  EXPECT_EQ(events[1].dropped_before(), 0U);
}

TEST_F(FileBackendTest, GivesPacketsAloneWhereTheyAreAskedFor) {
  const auto file = saved(line(event_of(v1::EVENT_TYPE_FLOW_START, 1)) +
                          line(event_of(v1::EVENT_TYPE_PACKET, 2)));
  v1::StreamEventsRequest request;
  request.set_packets(true);
  const auto events = events_of(*file, request);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].src_port(), 2U);
}

TEST_F(FileBackendTest, StopsWhereTheReaderHasEnough) {
  const auto file = saved(line(event_of(v1::EVENT_TYPE_FLOW_START, 1)) + "no JSON\n");
  int seen = 0;
  EXPECT_TRUE(file->stream({}, [&](const v1::NetworkEvent&) { return ++seen < 1; }, {}));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(told(*file), "ok") << "what comes behind was not looked at";
}

TEST_F(FileBackendTest, CountsOtherObjectsAndNamesTheFirstLineThatIsNone) {
  const auto file =
      saved(R"({"events":12})"
            "\n\n" +
            line(flow_to_db()) + line(event_of(v1::EVENT_TYPE_FLOW_START, 1)) + "nonsense\n" +
            R"({"src_ip":"1.2.3","dst_ip":"::","protocol":"TCP","type":0})");
  EXPECT_THAT(events_of(*file), SizeIs(1));
  EXPECT_EQ(told(*file),
            "orb8: 2 objects other than events passed over in FILE\n"
            "orb8: 2 lines of FILE could not be read; the first, line 5: is no JSON, or cut off in "
            "the middle\nfailed");
}

TEST_F(FileBackendTest, NamesTheFieldThatMakesALineNone) {
  auto event = event_of(v1::EVENT_TYPE_FLOW_START, 1);
  event.set_src_ip("10.0.0");
  const auto file = saved(line(event));
  EXPECT_THAT(events_of(*file), IsEmpty());
  EXPECT_EQ(told(*file),
            "orb8: 1 line of FILE could not be read; the first, line 1: src_ip: '10.0.0' is not "
            "allowed; it must be an IP address\nfailed");
}

TEST_F(FileBackendTest, IsEmptyOfAnEmptyFile) {
  const auto file = saved("");
  EXPECT_THAT(events_of(*file), IsEmpty());
  EXPECT_EQ(told(*file), "ok");
}

TEST_F(FileBackendTest, PassesOverALineThatIsTooLong) {
  const auto file = saved("{\"x\":\"" + std::string(LineReader::kMostBytes, 'x') + "\"}\n" +
                          line(event_of(v1::EVENT_TYPE_FLOW_START, 1)));
  EXPECT_THAT(events_of(*file), SizeIs(1));
  EXPECT_THAT(told(*file), HasSubstr("the first, line 1: is longer than 1.0 MiB\nfailed"));
}

TEST_F(FileBackendTest, SaysThatNobodyHasLabels) {
  v1::StreamEventsRequest request;
  request.mutable_filter()->mutable_either()->add_labels("app=web");
  auto event = event_of(v1::EVENT_TYPE_FLOW_START, 1);
  event.mutable_src()->set_kind("pod");
  const auto without = saved(line(event));
  EXPECT_THAT(events_of(*without, request), IsEmpty());
  EXPECT_EQ(told(*without),
            "orb8: no line of FILE has labels, so that none can match; an agent with the setting "
            "labels on writes them\nok");
  (*event.mutable_src()->mutable_labels())["app"] = "web";
  const auto with = saved(line(event));
  EXPECT_THAT(events_of(*with, request), SizeIs(1));
  EXPECT_EQ(told(*with), "ok");
}

TEST_F(FileBackendTest, SaysThatNobodyHasTcpFlags) {
  v1::StreamEventsRequest request;
  request.mutable_filter()->add_tcp_flags("SYN");
  const auto without = saved(line(socket_flow_to_db<v1::NetworkEvent>()));
  EXPECT_THAT(events_of(*without, request), IsEmpty());
  EXPECT_EQ(told(*without),
            "orb8: no line of FILE has TCP flags; trace network --packets "
            "writes them, and an agent whose flow source is tc\nok");
  const auto with = saved(line(event_of(v1::EVENT_TYPE_FLOW_START, 1)));
  EXPECT_THAT(events_of(*with, request), SizeIs(1));
  EXPECT_EQ(told(*with), "ok");
}

std::vector<std::uint64_t> bytes_of(const v1::QueryFlowsResponse& answer) {
  std::vector<std::uint64_t> all;
  for (const auto& flow : answer.flows()) all.push_back(flow.bytes());
  return all;
}

v1::NetworkFlow flow_of(std::uint32_t src_port, std::uint64_t bytes) {
  auto flow = flow_to_db();
  flow.set_src_port(src_port);
  flow.set_bytes(bytes);
  return flow;
}

TEST_F(FileBackendTest, AnswersAQueryAsAnAgentDoes) {
  const auto file = saved(line(flow_of(1, 10)) + line(flow_of(2, 30)) + line(flow_of(3, 20)) +
                          line(flow_of(4, 5)));
  v1::QueryFlowsRequest request;
  request.set_limit(2);
  request.mutable_filter()->set_min_bytes(10);
  const auto answer = file->query(request, {});
  ASSERT_TRUE(answer);
  EXPECT_THAT(bytes_of(*answer), ElementsAre(30, 20));
  EXPECT_EQ(answer->matched(), 3U);
  EXPECT_EQ(answer->flows(0).interface(), "eth0") << "as it was on the agent's machine";
}

TEST_F(FileBackendTest, HasEachFlowOnceAsItWasLastTold) {
  auto later = event_of(v1::EVENT_TYPE_FLOW_END, 1, kNoon + 9 * kSecond);
  later.set_total_bytes(20'000);
  const auto file = saved(line(event_of(v1::EVENT_TYPE_FLOW_START, 1)) + line(later));
  const auto answer = file->query({}, {});
  ASSERT_TRUE(answer);
  ASSERT_THAT(bytes_of(*answer), ElementsAre(20'000));
  EXPECT_EQ(answer->flows(0).last_seen_ns(), kNoon + 9 * kSecond);
  EXPECT_EQ(answer->flows(0).namespace_(), "shop");
  EXPECT_EQ(answer->flows(0).interface(), "eth0");
}

TEST_F(FileBackendTest, AddsUpPackets) {
  const auto packet = event_of(v1::EVENT_TYPE_PACKET, 1);
  const auto file = saved(line(packet) + line(packet) + line(packet));
  const auto answer = file->query({}, {});
  ASSERT_TRUE(answer);
  EXPECT_THAT(bytes_of(*answer), ElementsAre(4500));
  EXPECT_EQ(answer->flows(0).packets(), 30U);
}

TEST_F(FileBackendTest, CollapsesAClientsPorts) {
  auto one = flow_of(1, 10);
  one.set_role("client");
  one.set_socket_cookie(1);
  one.set_connection_state("ESTABLISHED");
  auto two = one;
  two.set_src_port(2);
  two.set_socket_cookie(2);
  const auto file = saved(line(one) + line(two));
  v1::QueryFlowsRequest request;
  request.set_collapse_client_ports(true);
  const auto answer = file->query(request, {});
  ASSERT_TRUE(answer);
  EXPECT_THAT(bytes_of(*answer), ElementsAre(20));
  EXPECT_EQ(answer->flows(0).src_port(), 0U);
  EXPECT_EQ(answer->flows(0).interface(), "eth0");
}

TEST_F(FileBackendTest, SaysWhyAFileCannotBeRead) {
  const auto missing = FileBackend::open("/no/such/file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, "cannot read /no/such/file: No such file or directory");
  const auto folder = FileBackend::open(::testing::TempDir());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().what, HasSubstr(": Is a directory"));
}

TEST_F(FileBackendTest, RefusesARequestThatIsWrong) {
  v1::StreamEventsRequest request;
  request.mutable_filter()->add_ips("nowhere");
  const auto file = saved("");
  const auto ok = file->stream(request, [](const v1::NetworkEvent&) { return true; }, {});
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace orb8
