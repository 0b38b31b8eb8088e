// What the agent hands over of real traffic: every byte of it, to each place.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/eventually.h"
#include "core/base/temp_folder.h"
#include "core/export/otlp_receiver.h"
#include "orb8/v1/agent.grpc.pb.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/raw_call.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::size_t kPayload = 100;
constexpr std::uint64_t kOnWire = kPayload + 8 + 20 + 14;  // UDP, IPv4, Ethernet
constexpr auto kAddress = "127.0.0.1:9090";

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Largest totals of each flow, as whoever reads the records takes them; added up over flows.
std::uint64_t bytes_of(const std::vector<json>& flows, std::uint16_t port) {
  std::map<std::string, std::uint64_t> totals;
  for (const auto& flow : flows) {
    if (flow.value("dst_port", 0) != port) continue;
    auto& total = totals[flow["direction"].get<std::string>() + flow["first_seen"].dump()];
    total = std::max(total, flow["bytes"].get<std::uint64_t>());
  }
  std::uint64_t sum = 0;
  for (const auto& [flow, bytes] : totals) sum += bytes;
  return sum;
}

std::vector<json> flows_in(const std::string& text) {
  std::vector<json> flows;
  for (const auto& line : lines_of(text)) {
    auto flow = json::parse(line, nullptr, false);
    if (flow.is_object()) flows.push_back(std::move(flow));  // else it is being written just now
  }
  return flows;
}

class ExportProcess : public ProcessTest {
 protected:
  // Packets of this network alone, and soon told.
  Command agent(std::map<std::string, std::string> environment) const {
    environment.merge(std::map<std::string, std::string>{{"ORB8_EXPORT_INTERVAL_SECS", "1"}});
    return {.arguments = {"--flow-source", "tc", "--interface", "lo"},
            .environment = std::move(environment),
            .user = {}};
  }

  static v1::AgentStatus status() {
    const auto stub = v1::OrbitAgentService::NewStub(channel_to(kAddress));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::AgentStatus status;
    EXPECT_TRUE(stub->GetStatus(&context, {}, &status).ok());
    return status;
  }

  static std::string metrics_page() {
    httplib::Client client("127.0.0.1", 9091);
    const auto answer = client.Get("/metrics");
    return answer ? answer->body : "";
  }

  TempFolder folder_;
};

TEST_F(ExportProcess, WritesEveryByteThatWasSentToTheFile) {
  const auto file = folder_ / "flows.json";
  Process orb8("orb8-agent", agent({{"ORB8_EXPORT_FILE", file}}));
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  const LoopbackUdp udp;
  udp.send(40, kPayload);
  ASSERT_TRUE(eventually([&] { return bytes_of(flows_in(text_of(file)), udp.port()) > 0; }))
      << "a flow that lives on is told of each interval";
  udp.send(60, kPayload);
  orb8.signal(SIGHUP);  // as whoever rotates files does
  orb8.signal(SIGTERM);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto text = text_of(file);
  EXPECT_EQ(bytes_of(flows_in(text), udp.port()), 100 * kOnWire) << text;
  Process check("/usr/bin/env", {.arguments = {"scripts/check_json.py", "flow", file}});
  EXPECT_EQ(check.exit_status(), 0) << check.out() << check.err();
}

// The same, of what an OTLP receiver got.
std::uint64_t bytes_of(const OtlpScript& script, std::uint16_t port) {
  std::map<std::string, std::int64_t> totals;
  for (const auto& record : script.records()) {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::int64_t> numbers;
    for (const auto& attribute : record.attributes()) {
      texts[attribute.key()] = attribute.value().string_value();
      numbers[attribute.key()] = attribute.value().int_value();
    }
    if (numbers["destination.port"] != port) continue;
    auto& total = totals[texts["network.io.direction"] +
                         std::to_string(numbers["orb8.flow.start_time_unix_nano"])];
    total = std::max(total, numbers["orb8.flow.bytes"]);
  }
  std::uint64_t sum = 0;
  for (const auto& [flow, bytes] : totals) sum += static_cast<std::uint64_t>(bytes);
  return sum;
}

TEST_F(ExportProcess, HandsEveryByteThatWasSentToAReceiverAndTheFileAlike) {
  OtlpScript script;
  const OtlpGrpcReceiver receiver(script);
  const auto file = folder_ / "flows.json";
  Process orb8("orb8-agent", agent({{"ORB8_EXPORT_FILE", file},
                                    {"ORB8_OTLP_ENDPOINT", receiver.url()},
                                    {"ORB8_OTLP_HEADERS", "api-key=s3cret"},
                                    {"ORB8_LOG_LEVEL", "debug"}}));
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  const LoopbackUdp udp;
  udp.send(40, kPayload);
  ASSERT_TRUE(eventually([&] { return bytes_of(script, udp.port()) > 0; })) << orb8.err();
  udp.send(60, kPayload);
  orb8.signal(SIGTERM);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  EXPECT_EQ(bytes_of(script, udp.port()), 100 * kOnWire);
  EXPECT_EQ(bytes_of(flows_in(text_of(file)), udp.port()), 100 * kOnWire) << text_of(file);
  EXPECT_EQ(script.header("api-key"), "s3cret");
  EXPECT_EQ(orb8.err().find("s3cret"), std::string::npos);
}

// The last report of each series, which tells all since the agent's start.
std::map<std::string, std::int64_t> metrics_of(const OtlpScript& script) {
  std::map<std::string, std::int64_t> sums;
  const auto reports = script.metrics();
  if (reports.empty()) return sums;
  for (const auto& metric : reports.back().resource_metrics(0).scope_metrics(0).metrics()) {
    for (const auto& point : metric.sum().data_points()) sums[metric.name()] += point.as_int();
  }
  return sums;
}

TEST_F(ExportProcess, HandsItsMetricsToAReceiverUpToTheLastByte) {
  OtlpScript script;
  const OtlpHttpReceiver receiver(script);
  Process orb8("orb8-agent", agent({{"ORB8_OTLP_ENDPOINT", receiver.url()},
                                    {"ORB8_OTLP_PROTOCOL", "http/protobuf"},
                                    {"ORB8_OTLP_SIGNALS", "metrics"},
                                    {"OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=one"},
                                    {"ORB8_OTLP_INTERVAL_SECS", "1"}}));
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  ASSERT_TRUE(eventually([&] { return !script.metrics().empty(); }, kPatience)) << orb8.err();
  const auto before = metrics_of(script);
  const LoopbackUdp udp;
  udp.send(100, kPayload);
  orb8.signal(SIGTERM);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  auto after = metrics_of(script);
  EXPECT_GE(after["orb8_network_bytes_total"],
            static_cast<std::int64_t>(100 * kOnWire) + (before.contains("orb8_network_bytes_total")
                                                            ? before.at("orb8_network_bytes_total")
                                                            : 0));
  EXPECT_THAT(script.metrics().back().resource_metrics(0).resource().ShortDebugString(),
              HasSubstr(R"(key: "k8s.cluster.name" value { string_value: "one" })"));
  EXPECT_TRUE(script.records().empty()) << "logs were not asked for";
  EXPECT_GT(after["orb8_exporter_records_total"], 0) << "those of the report before";
}

TEST_F(ExportProcess, LosesNothingElsewhereWhileAReceiverIsDeadAndEndsInTime) {
  const SilentListener dead;
  const auto file = folder_ / "flows.json";
  auto command = agent({{"ORB8_EXPORT_FILE", file},
                        {"ORB8_OTLP_ENDPOINT", "http://" + dead.address()},
                        {"ORB8_OTLP_PROTOCOL", "http/protobuf"},
                        {"ORB8_OTLP_TIMEOUT_SECS", "1"},
                        {"ORB8_SHUTDOWN_TIMEOUT_SECS", "4"}});
  Process orb8("orb8-agent", command);
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  const LoopbackUdp udp;
  udp.send(50, kPayload);
  ASSERT_TRUE(orb8.says("Export otlp-logs: no answer in time")) << orb8.err();
  const auto now = status();
  EXPECT_FALSE(now.healthy());
  EXPECT_THAT(now.health_message(), HasSubstr("export-otlp-logs: no answer in time"));
  udp.send(50, kPayload);
  orb8.signal(SIGTERM);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  EXPECT_EQ(bytes_of(flows_in(text_of(file)), udp.port()), 100 * kOnWire) << text_of(file);
}

TEST_F(ExportProcess, RefusesSettingsThatDoNotGoTogether) {
  Process orb8("orb8-agent", agent({{"ORB8_OTLP_ENDPOINT", "https://localhost"},
                                    {"ORB8_OTLP_CERT_FILE", "/tmp/client.crt"}}));
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(orb8.err(), HasSubstr("otlp_cert_file and otlp_key_file belong together"));
}

TEST_F(ExportProcess, TellsOfAFlowThatEndedWhyItDid) {
  const auto file = folder_ / "flows.json";
  Process orb8("orb8-agent", agent({{"ORB8_EXPORT_FILE", file},
                                    {"ORB8_FLOW_TIMEOUT_SECS", "1"},
                                    {"ORB8_EXPIRATION_INTERVAL_SECS", "1"}}));
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  LoopbackUdp().send(3, kPayload);
  ASSERT_TRUE(eventually([&] {
    return std::ranges::any_of(flows_in(text_of(file)), [](const json& flow) {
      return flow.value("end_reason", "") == "idle" && flow["bytes"] == 3 * kOnWire;
    });
  })) << text_of(file);
}

// A disk of its own that is as good as full, and is so for real.
class FullDisk {
 public:
  explicit FullDisk(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { ::umount2(path_.c_str(), MNT_DETACH); }
  bool mounted() const { return mounted_; }
  void fill() const {
    std::ofstream(path_ + "/ballast") << std::string(std::size_t{1} << 20U, 'x');
  }
  void empty() const { std::filesystem::remove(path_ + "/ballast"); }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST_F(ExportProcess, GoesThroughAFullDiskWithoutHarmAndSaysSo) {
  const FullDisk disk(folder_ / "disk");
  ASSERT_TRUE(disk.mounted());
  disk.fill();
  const auto file = folder_ / "disk/flows.json";
  Process orb8("orb8-agent", agent({{"ORB8_EXPORT_FILE", file}}));
  ASSERT_TRUE(orb8.says("gRPC server listening on ")) << orb8.err();
  const LoopbackUdp udp;
  ASSERT_TRUE(eventually(
      [&] {
        udp.send(1, kPayload);
        return status().exporters(0).failed() > 0;
      },
      kPatience, 50ms));
  const auto bad = status();
  EXPECT_FALSE(bad.healthy());
  const auto page = metrics_page();
  EXPECT_THAT(page, HasSubstr("orb8_component_healthy{component=\"export-file\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("orb8_exporter_records_total{exporter=\"file\",outcome=\"exported\"} "
                              "0\n"));
  EXPECT_THAT(page, Not(HasSubstr("exporter=\"file\",outcome=\"failed\"} 0\n")));
  EXPECT_THAT(bad.health_message(),
              HasSubstr("export-file: write to " + file +
                        ": No space left on device; free some, or lower export_file_max_size"));
  disk.empty();
  ASSERT_TRUE(eventually(
      [&] {
        udp.send(1, kPayload);
        return status().exporters(0).healthy();
      },
      kPatience, 50ms))
      << orb8.err();
  EXPECT_TRUE(status().healthy()) << status().health_message();
  orb8.signal(SIGTERM);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  EXPECT_THAT(orb8.err(), HasSubstr("Export file goes on: "));
  for (const auto& flow : flows_in(text_of(file))) EXPECT_TRUE(flow.is_object());
}

}  // namespace
}  // namespace orb8::integration
