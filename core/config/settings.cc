// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "core/config/values.h"

namespace orb8 {
namespace {

template <class Int>
Setting number(std::string_view key, std::string_view variable, Int Config::* field,
               std::pair<std::uint64_t, std::uint64_t> range, std::string_view help) {
  const auto [least, most] = range;
  return {.key = key,
          .variable = variable,
          .allowed = "a number from " + std::to_string(least) + " to " + std::to_string(most),
          .help = help,
          .set =
              [=](Config& config, const std::vector<std::string>& text) {
                const auto value = parse_unsigned(text.front());
                if (!value || *value < least || *value > most) return false;
                config.*field = static_cast<Int>(*value);
                return true;
              },
          .get = [=](const Config& config) -> std::vector<std::string> {
            return {std::to_string(config.*field)};
          }};
}

Setting text(std::string_view key, std::string_view variable, std::string Config::* field,
             std::string_view help) {
  return {.key = key,
          .variable = variable,
          .allowed = "a text that is not empty",
          .help = help,
          .set =
              [=](Config& config, const std::vector<std::string>& value) {
                config.*field = value.front();
                return !value.front().empty();
              },
          .get = [=](const Config& config) -> std::vector<std::string> { return {config.*field}; }};
}

template <class Enum>
Setting choice(std::string_view key, std::string_view variable, Enum Config::* field,
               const std::vector<std::pair<std::string, Enum>>& words, std::string_view help) {
  std::string allowed = "one of";
  for (const auto& [word, value] : words) allowed += (allowed == "one of" ? " " : ", ") + word;
  return {
      .key = key,
      .variable = variable,
      .allowed = allowed,
      .help = help,
      .set =
          [=](Config& config, const std::vector<std::string>& given) {
            const auto found =
                std::ranges::find(words, given.front(), &std::pair<std::string, Enum>::first);
            if (found == words.end()) return false;
            config.*field = found->second;
            return true;
          },
      .get = [=](const Config& config) -> std::vector<std::string> {
        return {
            std::ranges::find(words, config.*field, &std::pair<std::string, Enum>::second)->first};
      }};
}

Setting ring_buffer_size() {
  constexpr std::uint64_t kLeast = 64ULL * 1024;
  constexpr std::uint64_t kMost = 256ULL * 1024 * 1024;
  return {.key = "ring_buffer_size",
          .variable = "ORB8_RING_BUFFER_SIZE",
          .allowed = "a power of two from 64K to 256M",
          .help = "Bytes of the kernel's ring for packet events.",
          .set =
              [](Config& config, const std::vector<std::string>& given) {
                const auto size = parse_size(given.front());
                if (!size || *size < kLeast || *size > kMost || !std::has_single_bit(*size)) {
                  return false;
                }
                config.ring_buffer_size = static_cast<std::uint32_t>(*size);
                return true;
              },
          .get = [](const Config& config) -> std::vector<std::string> {
            return {std::to_string(config.ring_buffer_size)};
          }};
}

Setting interfaces() {
  return {.key = "interface",
          .variable = "ORB8_INTERFACE",
          .allowed = "interface names or globs, as eth0 or 'veth*'",
          .help =
              "Interfaces to watch, instead of those found: the default routes', cni0, docker0, "
              "cbr0, br-* and lo. Repeatable; in the environment separated by commas.",
          .list = true,
          .set =
              [](Config& config, const std::vector<std::string>& given) {
                config.interfaces = given;
                return std::ranges::none_of(given, &std::string::empty);
              },
          .get = [](const Config& config) { return config.interfaces; }};
}

std::vector<Setting> make_settings() {
  constexpr std::pair<std::uint64_t, std::uint64_t> kPort = {0, 65535};
  std::vector<Setting> all;
  all.push_back(text("node_name", "NODE_NAME", &Config::node_name,
                     "Name of this node. Default: the host's name."));
  all.push_back(text("grpc_address", "ORB8_GRPC_ADDRESS", &Config::grpc_address,
                     "Address that the gRPC server listens on."));
  all.push_back(number("grpc_port", "ORB8_GRPC_PORT", &Config::grpc_port, kPort,
                       "Port of the gRPC server; 0 takes any free one."));
  all.push_back(text("health_address", "ORB8_HEALTH_ADDRESS", &Config::health_address,
                     "Address that the health server listens on."));
  all.push_back(number("health_port", "ORB8_HEALTH_PORT", &Config::health_port, kPort,
                       "Port of the health server; 0 takes any free one."));
  all.push_back(choice<FlowSourceChoice>(
      "flow_source", "ORB8_FLOW_SOURCE", &Config::flow_source,
      {{"auto", FlowSourceChoice::kAuto}, {"tc", FlowSourceChoice::kTc}},
      "Where flows come from: TC classifiers, or what suits this machine best."));
  all.push_back(interfaces());
  all.push_back(choice<TcAttach>(
      "tc_attach", "ORB8_TC_ATTACH", &Config::tc_attach,
      {{"auto", TcAttach::kAuto}, {"tcx", TcAttach::kTcx}, {"clsact", TcAttach::kClsact}},
      "How TC probes attach: TCX links (Linux 6.6 on), clsact filters, or what there is."));
  all.push_back(choice<TcAnchor>("tc_anchor", "ORB8_TC_ANCHOR", &Config::tc_anchor,
                                 {{"head", TcAnchor::kHead}, {"tail", TcAnchor::kTail}},
                                 "Before or behind the other TC programs of an interface."));
  all.push_back(number("max_flows", "ORB8_MAX_FLOWS", &Config::max_flows, {1, 10'000'000},
                       "Flows held at most; beyond, the one idle for longest goes."));
  all.push_back(number("flow_timeout_secs", "ORB8_FLOW_TIMEOUT_SECS", &Config::flow_timeout_secs,
                       {1, 86'400}, "Seconds without a packet after which a flow ends."));
  all.push_back(number("expiration_interval_secs", "ORB8_EXPIRATION_INTERVAL_SECS",
                       &Config::expiration_interval_secs, {1, 3'600},
                       "Seconds between two looks for flows that have ended."));
  all.push_back(number("snapshot_interval_ms", "ORB8_SNAPSHOT_INTERVAL_MS",
                       &Config::snapshot_interval_ms, {100, 60'000},
                       "Milliseconds between two reads of the kernel's counters."));
  all.push_back(number("poll_interval_ms", "ORB8_POLL_INTERVAL_MS", &Config::poll_interval_ms,
                       {1, 10'000}, "Milliseconds that a packet event waits at most."));
  all.push_back(number("max_batch_size", "ORB8_MAX_BATCH_SIZE", &Config::max_batch_size,
                       {1, 1'000'000}, "Packet events taken from the ring at a time."));
  all.push_back(ring_buffer_size());
  all.push_back(number("max_pod_cache", "ORB8_MAX_POD_CACHE", &Config::max_pod_cache,
                       {1, 10'000'000}, "Pods remembered at most."));
  all.push_back(number("broadcast_channel_size", "ORB8_BROADCAST_CHANNEL_SIZE",
                       &Config::broadcast_channel_size, {1, 1'000'000},
                       "Events queued for one stream; a reader slower than that loses some."));
  all.push_back(number("max_streams", "ORB8_MAX_STREAMS", &Config::max_streams, {1, 10'000},
                       "Streams served at once."));
  all.push_back(number("max_query_limit", "ORB8_MAX_QUERY_LIMIT", &Config::max_query_limit,
                       {1, 10'000'000}, "Flows in one answer at most."));
  all.push_back(number("shutdown_timeout_secs", "ORB8_SHUTDOWN_TIMEOUT_SECS",
                       &Config::shutdown_timeout_secs, {1, 600},
                       "Seconds in which a shutdown is over."));
  all.push_back(choice<LogLevel>("log_level", "ORB8_LOG_LEVEL", &Config::log_level,
                                 {{"error", LogLevel::kError},
                                  {"warn", LogLevel::kWarn},
                                  {"info", LogLevel::kInfo},
                                  {"debug", LogLevel::kDebug}},
                                 "How much is logged; debug logs each event."));
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
