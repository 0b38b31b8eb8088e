// Flow records in requests, over real connections.
// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_log_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/clock.h"
#include "core/base/eventually.h"
#include "core/export/flow_exporter.h"
#include "core/export/otlp_receiver.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;

Event end_of(std::size_t number) {
  Event event;
  event.kind = EventKind::kFlowEnd;
  event.end_reason = EndReason::kIdle;
  event.flow.key.protocol = 17;
  event.flow.packets = number;
  return event;
}

std::int64_t packets_of(const opentelemetry::proto::logs::v1::LogRecord& record) {
  for (const auto& attribute : record.attributes()) {
    if (attribute.key() == "orb8.flow.packets") return attribute.value().int_value();
  }
  return -1;
}

class OtlpLogSinkTest : public ::testing::Test {
 protected:
  std::unique_ptr<OtlpLogSink> sink() {
    const auto open = [endpoint = OtlpEndpoint{.url = receiver_.url()}] {
      return open_otlp_grpc(endpoint);
    };
    return std::make_unique<OtlpLogSink>(
        OtlpIdentity{.node = "node-1", .version = "0.1.0", .instance = "i"},
        OtlpSender(open, {.first = 1ms, .most = 10ms, .all = 20s}, tally_));
  }

  std::set<std::int64_t> received() const {
    std::set<std::int64_t> all;
    for (const auto& record : script_.records()) {
      EXPECT_TRUE(all.insert(packets_of(record)).second) << "twice";
    }
    return all;
  }

  OtlpScript script_;
  OtlpGrpcReceiver receiver_{script_};
  std::shared_ptr<ExportTally> tally_ = std::make_shared<ExportTally>("otlp-logs", "here");
};

TEST_F(OtlpLogSinkTest, SendsFullRequestsAtOnceAndTheRestWhenFlushed) {
  constexpr std::size_t kRecords = 2 * OtlpLogSink::kMostInRequest + 5;
  const auto to = sink();
  std::vector<Event> records;
  for (std::size_t i = 0; i < kRecords; ++i) records.push_back(end_of(i));
  EXPECT_TRUE(to->write(records, {}));
  EXPECT_EQ(script_.logs().size(), 2U);
  EXPECT_TRUE(to->flush({}));
  EXPECT_EQ(script_.logs().size(), 3U);
  EXPECT_EQ(received().size(), kRecords);
  for (const auto& request : script_.logs()) {
    EXPECT_EQ(request.resource_logs(0).resource().attributes(0).value().string_value(),
              "orb8-agent");
    EXPECT_EQ(request.resource_logs(0).scope_logs(0).scope().name(), "orb8");
  }
  EXPECT_EQ(tally_->status().exported, kRecords);
  EXPECT_TRUE(to->flush({}));
  EXPECT_EQ(script_.requests(), 3U) << "there was nothing left";
}

class OtlpLogExporterTest : public OtlpLogSinkTest {
 protected:
  void start(std::size_t capacity, FlowExporter::Options options = {.interval = 1h}) {
    exporter_ = std::make_unique<FlowExporter>(
        FlowExporter::Parts{.ends = *hub_.subscribe(FlowExporter::wanted_events(capacity)),
                            .flows = [this] { return table_.share(); },
                            .sink = sink(),
                            .tally = tally_},
        options);
  }
  // Before the start: the exporter's thread reads the table.
  void move(std::uint16_t port) {
    table_.apply({.key = {.src_port = port, .dst_port = 80, .protocol = 6},
                  .packets = port,
                  .bytes = port,
                  .incarnation = 1,
                  .first_seen_ns = wall_now_ns(),
                  .last_seen_ns = wall_now_ns()},
                 [](const FlowRecord&) { return FlowOwners{}; });
  }
  void finish(std::chrono::milliseconds time) {
    hub_.close();
    exporter_->stop_by(Exporter::Clock::now() + time);
  }

  StreamHub hub_{1};
  FlowTable table_{{}};
  std::unique_ptr<FlowExporter> exporter_;
};

TEST_F(OtlpLogExporterTest, SendsFewRecordsAfterAMoment) {
  start(100);
  hub_.publish(end_of(1));
  ASSERT_TRUE(eventually([&] { return received().contains(1); }));
}

TEST_F(OtlpLogExporterTest, LosesNothingUncountedWhileTheReceiverHangs) {
  constexpr std::size_t kEnds = 5000;
  script_.say({{.hang = true}});
  start(100);
  for (std::size_t i = 0; i < kEnds; ++i) hub_.publish(end_of(i));
  ASSERT_TRUE(eventually([&] { return script_.requests() == 1; }));
  script_.let_go();
  finish(20s);
  const auto status = exporter_->status();
  EXPECT_EQ(status.exported, received().size());
  EXPECT_EQ(status.exported + status.dropped + status.failed, kEnds);
  EXPECT_TRUE(received().contains(kEnds - 1)) << "the oldest go first";
}

TEST_F(OtlpLogExporterTest, EndsAtItsDeadlineWithAReceiverThatIsAlwaysBusy) {
  script_.say(std::deque<OtlpReply>(100'000, {.code = 14, .message = "busy"}));
  start(1000);
  for (std::size_t i = 0; i < 700; ++i) hub_.publish(end_of(i));
  const auto began = Exporter::Clock::now();
  finish(300ms);
  EXPECT_LT(Exporter::Clock::now() - began, 10s);
  EXPECT_EQ(exporter_->status().dropped, 700U);
}

TEST_F(OtlpLogExporterTest, TellsOfALivingFlowAgainThatTheReceiverRefused) {
  move(7);
  script_.say({{.code = 3, .message = "no"}});
  start(100, {.interval = 20ms, .lag = 0ns});
  ASSERT_TRUE(eventually([&] { return received().contains(7); }));
  EXPECT_EQ(exporter_->status().failed, 1U);
}

TEST_F(OtlpLogExporterTest, TellsOfAllAgainWhenOnlyTheLastOfARoundWasRefused) {
  constexpr std::uint16_t kFlows = OtlpLogSink::kMostInRequest + 5;
  for (std::uint16_t port = 1; port <= kFlows; ++port) move(port);
  script_.say({{}, {.code = 3, .message = "no"}});
  start(100, {.interval = 20ms, .lag = 0ns});
  ASSERT_TRUE(eventually([&] { return script_.records().size() >= kFlows + 512U; }));
  std::map<std::int64_t, int> times;
  for (const auto& record : script_.records()) ++times[packets_of(record)];
  EXPECT_EQ(times.size(), kFlows);
  EXPECT_EQ(exporter_->status().failed, 5U);
}

}  // namespace
}  // namespace orb8
