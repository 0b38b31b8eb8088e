// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "core/config/setting_kinds.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

using setting_kinds::choice;
using setting_kinds::list;
using setting_kinds::Named;
using setting_kinds::number;
using setting_kinds::Range;
using setting_kinds::row;
using setting_kinds::Values;

Setting node_name() {
  auto made = row({"node_name", "NODE_NAME", "NAME", "Name of this node."},
                  "letters, digits, '.', '-' and '_', at most 253");
  made.default_words = "the host's name";
  made.set = [](Config& config, const Values& given) {
    if (!is_node_name(given.front())) return false;
    config.node_name = given.front();
    return true;
  };
  made.get = [](const Config& config) { return Values{config.node_name}; };
  return made;
}

// `brackets`: IPv6 is kept as "[::]", which a port can follow.
Setting address(const Named& named, std::string Config::* field, bool brackets) {
  auto made = row(named, "an IP address or a host name");
  made.set = [=](Config& config, const Values& given) {
    const auto host = parse_host(given.front());
    if (!host) return false;
    const bool ipv6 = host->find(':') != std::string::npos;
    config.*field = brackets && ipv6 ? "[" + *host + "]" : *host;
    return true;
  };
  made.get = [=](const Config& config) { return Values{config.*field}; };
  return made;
}

Setting ring_buffer_size() {
  constexpr std::uint64_t kLeast = 64ULL * 1024;
  constexpr std::uint64_t kMost = 256ULL * 1024 * 1024;
  auto made = row({"ring_buffer_size", "ORB8_RING_BUFFER_SIZE", "BYTES",
                   "Bytes of the kernel's ring for packet events."},
                  "a power of two from 64K to 256M");
  made.set = [](Config& config, const Values& given) {
    const auto size = parse_size(given.front());
    if (!size || *size < kLeast || *size > kMost || !std::has_single_bit(*size)) return false;
    config.ring_buffer_size = static_cast<std::uint32_t>(*size);
    return true;
  };
  made.get = [](const Config& config) { return Values{std::to_string(config.ring_buffer_size)}; };
  return made;
}

Setting interfaces() {
  auto made =
      list({"interface", "ORB8_INTERFACE", "NAME",
            "Interfaces to watch, instead of those found: the default routes', cni0, "
            "docker0, cbr0, br-*, the host's ends of pods' veths and lo. Repeatable, or "
            "separated by commas."},
           "interface names or globs, as eth0 or 'veth*'", &Config::interfaces, is_interface_glob);
  made.default_words = "found at start";
  return made;
}

Setting metrics_labels() {
  using Word = std::pair<std::string_view, MetricsLabel>;
  static constexpr std::array<Word, 4> kWords = {{{"namespace", MetricsLabel::kNamespace},
                                                  {"pod", MetricsLabel::kPod},
                                                  {"workload", MetricsLabel::kWorkload},
                                                  {"node", MetricsLabel::kNode}}};
  auto made = row({"metrics_labels", "ORB8_METRICS_LABELS", "LABEL",
                   "Labels that flow metrics have of their own side. Repeatable, or separated by "
                   "commas."},
                  "some of namespace, pod, workload, node");
  made.list = true;
  made.set = [](Config& config, const Values& given) {
    std::vector<MetricsLabel> labels;
    for (const auto& word : given) {
      const auto found = std::ranges::find(kWords, word, &Word::first);
      if (found == kWords.end()) return false;
      labels.push_back(found->second);
    }
    if (labels.empty()) return false;
    config.metrics_labels = labels;
    return true;
  };
  made.get = [](const Config& config) {
    Values words;
    for (const auto label : config.metrics_labels) {
      words.emplace_back(std::ranges::find(kWords, label, &Word::second)->first);
    }
    return words;
  };
  return made;
}

// What the agent listens on, and what it is called.
void add_servers(std::vector<Setting>& all) {
  constexpr Range kPort = {0, 65535};
  all.push_back(node_name());
  all.push_back(address(
      {"grpc_address", "ORB8_GRPC_ADDRESS", "ADDRESS", "Address that the gRPC server listens on."},
      &Config::grpc_address, true));
  all.push_back(number(
      {"grpc_port", "ORB8_GRPC_PORT", "PORT", "Port of the gRPC server; 0 takes any free one."},
      &Config::grpc_port, kPort));
  all.push_back(address({"health_address", "ORB8_HEALTH_ADDRESS", "ADDRESS",
                         "Address that the health server listens on."},
                        &Config::health_address, false));
  all.push_back(number({"health_port", "ORB8_HEALTH_PORT", "PORT",
                        "Port of the health server; 0 takes any free one."},
                       &Config::health_port, kPort));
}

// Where flows come from, and how.
void add_source(std::vector<Setting>& all) {
  all.push_back(choice<FlowSourceChoice>(
      {"flow_source", "ORB8_FLOW_SOURCE", "SOURCE",
       "Where flows come from: the sockets, TC classifiers, or what suits this machine best."},
      &Config::flow_source,
      {{"auto", FlowSourceChoice::kAuto},
       {"socket", FlowSourceChoice::kSocket},
       {"tc", FlowSourceChoice::kTc}}));
  all.push_back(choice<bool>({"udp", "ORB8_UDP", "ON|OFF",
                              "Whether the socket source counts UDP and ICMP too, which costs "
                              "something per packet; TCP costs nothing."},
                             &Config::udp, {{"on", true}, {"off", false}}));
  all.push_back(interfaces());
  all.push_back(choice<TcAttach>(
      {"tc_attach", "ORB8_TC_ATTACH", "HOW",
       "How TC probes attach: TCX links (Linux 6.6 on), clsact filters, or what there is."},
      &Config::tc_attach,
      {{"auto", TcAttach::kAuto}, {"tcx", TcAttach::kTcx}, {"clsact", TcAttach::kClsact}}));
  all.push_back(choice<TcAnchor>({"tc_anchor", "ORB8_TC_ANCHOR", "WHERE",
                                  "Before or behind the other TC programs of an interface."},
                                 &Config::tc_anchor,
                                 {{"head", TcAnchor::kHead}, {"tail", TcAnchor::kTail}}));
}

// The flow table, and how often it is brought up to date.
void add_flows(std::vector<Setting>& all) {
  all.push_back(number({"max_flows", "ORB8_MAX_FLOWS", "COUNT",
                        "Flows held at most; beyond, the one idle for longest goes."},
                       &Config::max_flows, {1, 10'000'000}));
  all.push_back(
      number({"flow_timeout_secs", "ORB8_FLOW_TIMEOUT_SECS", "SECONDS",
              "Seconds without a packet after which a flow ends; one with an open TCP socket "
              "goes on."},
             &Config::flow_timeout_secs, {1, 86'400}));
  all.push_back(number({"expiration_interval_secs", "ORB8_EXPIRATION_INTERVAL_SECS", "SECONDS",
                        "Seconds between two looks for flows that have ended."},
                       &Config::expiration_interval_secs, {1, 3'600}));
  all.push_back(number({"snapshot_interval_ms", "ORB8_SNAPSHOT_INTERVAL_MS", "MILLISECONDS",
                        "Milliseconds between two reads of the kernel's counters."},
                       &Config::snapshot_interval_ms, {100, 60'000}));
  all.push_back(number(
      {"history_records", "ORB8_HISTORY_RECORDS", "COUNT",
       "Flows that have ended and are remembered, at most; beyond, the oldest goes. 0: none."},
      &Config::history_records, {0, 10'000'000}));
  all.push_back(number({"history_secs", "ORB8_HISTORY_SECS", "SECONDS",
                        "Seconds for which a flow that has ended is remembered."},
                       &Config::history_secs, {1, 86'400}));
}

// Who flows are with.
void add_names(std::vector<Setting>& all) {
  all.push_back(choice<KubeChoice>(
      {"kube", "ORB8_KUBE", "AUTO|OFF",
       "Whether Kubernetes is asked for the names of pods, nodes and Services; auto: where "
       "KUBECONFIG, a pod's environment or ~/.kube/config points to a cluster."},
      &Config::kube, {{"auto", KubeChoice::kAuto}, {"off", KubeChoice::kOff}}));
  all.push_back(choice<PodScope>(
      {"pod_scope", "ORB8_POD_SCOPE", "ALL|NODE",
       "Which pods are watched: all of the cluster, so that peers have names too, or this node's, "
       "which asks less of a large cluster's API server and leaves others' pods, and strangers, "
       "unknown."},
      &Config::pod_scope, {{"all", PodScope::kAll}, {"node", PodScope::kNode}}));
  all.push_back(choice<bool>(
      {"labels", "ORB8_LABELS", "ON|OFF", "Whether flows tell the labels of their pods."},
      &Config::labels, {{"on", true}, {"off", false}}));
  all.push_back(
      number({"max_pod_cache", "ORB8_MAX_POD_CACHE", "COUNT",
              "Pods remembered at most; beyond, those go first that are gone, finished or on other "
              "nodes. Once one that ran had to go, strangers are unknown and not external."},
             &Config::max_pod_cache, {1, 10'000'000}));
}

// Packet events on their way out of the kernel.
void add_packets(std::vector<Setting>& all) {
  all.push_back(number({"poll_interval_ms", "ORB8_POLL_INTERVAL_MS", "MILLISECONDS",
                        "Milliseconds that a packet event waits at most."},
                       &Config::poll_interval_ms, {1, 10'000}));
  all.push_back(number({"max_batch_size", "ORB8_MAX_BATCH_SIZE", "COUNT",
                        "Packet events taken from the ring at a time."},
                       &Config::max_batch_size, {1, 1'000'000}));
  all.push_back(ring_buffer_size());
}

// What clients get, and how the agent runs and ends.
void add_service(std::vector<Setting>& all) {
  all.push_back(number({"broadcast_channel_size", "ORB8_BROADCAST_CHANNEL_SIZE", "COUNT",
                        "Events queued for one stream; a reader slower than that loses some."},
                       &Config::broadcast_channel_size, {1, 1'000'000}));
  all.push_back(number({"max_streams", "ORB8_MAX_STREAMS", "COUNT", "Streams served at once."},
                       &Config::max_streams, {1, 10'000}));
  all.push_back(
      number({"max_query_limit", "ORB8_MAX_QUERY_LIMIT", "COUNT", "Flows in one answer at most."},
             &Config::max_query_limit, {1, 10'000'000}));
  all.push_back(number({"shutdown_timeout_secs", "ORB8_SHUTDOWN_TIMEOUT_SECS", "SECONDS",
                        "Seconds in which a shutdown is over."},
                       &Config::shutdown_timeout_secs, {1, 600}));
  all.push_back(choice<LogLevel>(
      {"log_level", "ORB8_LOG_LEVEL", "LEVEL", "How much is logged; debug logs each event."},
      &Config::log_level,
      {{"error", LogLevel::kError},
       {"warn", LogLevel::kWarn},
       {"info", LogLevel::kInfo},
       {"debug", LogLevel::kDebug}}));
}

// What the flow metrics are told apart by, and how many there are.
void add_metrics(std::vector<Setting>& all) {
  all.push_back(metrics_labels());
  all.push_back(number({"metrics_max_series", "ORB8_METRICS_MAX_SERIES", "COUNT",
                        "Series of flow metrics at most; beyond, those not used for longest are "
                        "counted as other. 0: no flow metrics."},
                       &Config::metrics_max_series, {0, 1'000'000}));
  all.push_back(number({"metrics_grace_secs", "ORB8_METRICS_GRACE_SECS", "SECONDS",
                        "Seconds for which the series of a pod that is gone stay."},
                       &Config::metrics_grace_secs, {1, 86'400}));
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all;
  add_servers(all);
  add_source(all);
  add_flows(all);
  add_names(all);
  add_packets(all);
  add_service(all);
  add_metrics(all);
  add_export(all);
  add_otlp(all);
  return all;
}

// Levenshtein's.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> all = make_settings();
  return all;
}

std::span<const std::string_view> other_variables() {
  // Read by command lines; ORB8_REQUIRE_BPF by tests, whose environment an agent under test has.
  static constexpr std::array<std::string_view, 3> kOthers = {"ORB8_CONFIG", "ORB8_AGENT",
                                                              "ORB8_REQUIRE_BPF"};
  return kOthers;
}

const Setting* find_setting(std::string_view key) {
  const auto found = std::ranges::find(settings(), key, &Setting::key);
  return found == settings().end() ? nullptr : &*found;
}

std::string flag_of(const Setting& setting) {
  std::string flag = "--" + std::string(setting.key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 2) + 1;
  for (const auto& candidate : known) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace orb8
