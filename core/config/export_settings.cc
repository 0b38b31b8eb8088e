// Settings of what the agent hands over to others.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "core/config/setting_kinds.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

using setting_kinds::choice;
using setting_kinds::list;
using setting_kinds::Named;
using setting_kinds::number;
using setting_kinds::path;
using setting_kinds::row;
using setting_kinds::size;
using setting_kinds::text;
using setting_kinds::Values;

constexpr auto kFewestBytes = 64ULL << 10U;
constexpr auto kMostBytes = 64ULL << 30U;

Setting otlp_headers() {
  auto made = list({"otlp_headers", "ORB8_OTLP_HEADERS", "NAME=VALUE",
                    "Headers sent with each request, as 'authorization=Bearer ...'. They are never "
                    "shown. A flag is seen by all users of the machine: use the variable or the "
                    "file."},
                   "NAME=VALUE pairs, separated by commas", &Config::otlp_headers, is_header);
  made.secret = true;
  return made;
}

Setting otlp_resource_attributes() {
  return list({"otlp_resource_attributes", "ORB8_OTLP_RESOURCE_ATTRIBUTES", "NAME=VALUE",
               "Attributes of the resource that all is sent for, as k8s.cluster.name=one: they "
               "tell agents of several clusters apart, and replace the agent's own of the same "
               "name. Without, OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME count."},
              "NAME=VALUE pairs, separated by commas; in a value other signs as %2C",
              &Config::otlp_resource_attributes,
              [](const std::string& text) { return parse_attribute(text).has_value(); });
}

Setting otlp_signals() {
  auto made = row({"otlp_signals", "ORB8_OTLP_SIGNALS", "SIGNAL",
                   "What is sent: flow records as logs, the agent's metrics, or both. Repeatable, "
                   "or separated by commas."},
                  "logs, metrics or both");
  made.list = true;
  made.set = [](Config& config, const Values& given) {
    const std::set<std::string_view> distinct(given.begin(), given.end());
    if (given.empty() || distinct.size() != given.size() ||
        !std::ranges::all_of(
            given, [](const auto& signal) { return signal == "logs" || signal == "metrics"; })) {
      return false;
    }
    config.otlp_signals = given;
    return true;
  };
  made.get = [](const Config& config) { return config.otlp_signals; };
  return made;
}

}  // namespace

void add_export(std::vector<Setting>& all) {
  all.push_back(path({"export_file", "ORB8_EXPORT_FILE", "PATH",
                      "File that flow records are appended to, as lines of JSON."},
                     &Config::export_file));
  all.push_back(size({"export_file_max_size", "ORB8_EXPORT_FILE_MAX_SIZE", "BYTES",
                      "Bytes of that file; before it grows larger it is renamed and begun anew."},
                     &Config::export_file_max_size, "a size from 64K to 64G",
                     {kFewestBytes, kMostBytes}));
  all.push_back(
      number({"export_file_keep", "ORB8_EXPORT_FILE_KEEP", "COUNT",
              "Renamed files that are kept beside it: PATH.1, the latest, to PATH.COUNT."},
             &Config::export_file_keep, {0, 1000}));
  all.push_back(choice<ExportFsync>(
      {"export_file_fsync", "ORB8_EXPORT_FILE_FSYNC", "WHEN",
       "When that file is brought to the disk: when the system pleases, every export interval, or "
       "with each batch of records."},
      &Config::export_file_fsync,
      {{"never", ExportFsync::kNever},
       {"interval", ExportFsync::kInterval},
       {"always", ExportFsync::kAlways}}));
  all.push_back(number({"export_interval_secs", "ORB8_EXPORT_INTERVAL_SECS", "SECONDS",
                        "Seconds between two records of a flow that lives on and moves."},
                       &Config::export_interval_secs, {1, 86'400}));
  all.push_back(number({"export_queue_size", "ORB8_EXPORT_QUEUE_SIZE", "COUNT",
                        "Records that wait for a file or an OTLP receiver at most; beyond, the "
                        "oldest are dropped, and counted."},
                       &Config::export_queue_size, {1, 1'000'000}));
}

void add_otlp(std::vector<Setting>& all) {
  all.push_back(text({"otlp_endpoint", "ORB8_OTLP_ENDPOINT", "URL",
                      "OTLP receiver that flow records and metrics are sent to; https: with TLS."},
                     &Config::otlp_endpoint, "a URL, as http://HOST:4317 or https://HOST/PATH",
                     is_http_url));
  all.push_back(choice<OtlpProtocol>(
      {"otlp_protocol", "ORB8_OTLP_PROTOCOL", "PROTOCOL", "How that receiver is spoken to."},
      &Config::otlp_protocol,
      {{"grpc", OtlpProtocol::kGrpc}, {"http/protobuf", OtlpProtocol::kHttp}}));
  all.push_back(otlp_signals());
  all.push_back(otlp_headers());
  all.push_back(otlp_resource_attributes());
  all.push_back(path({"otlp_ca_file", "ORB8_OTLP_CA_FILE", "PATH",
                      "Authorities, PEM, of which the receiver's certificate must be."},
                     &Config::otlp_ca_file));
  all.back().default_words = "the system's";
  all.push_back(path({"otlp_cert_file", "ORB8_OTLP_CERT_FILE", "PATH",
                      "Certificate, PEM, that the agent shows to the receiver."},
                     &Config::otlp_cert_file));
  all.push_back(path(
      {"otlp_key_file", "ORB8_OTLP_KEY_FILE", "PATH", "Private key, PEM, of that certificate."},
      &Config::otlp_key_file));
  all.push_back(choice<bool>(
      {"otlp_compression", "ORB8_OTLP_COMPRESSION", "HOW", "Whether what is sent is compressed."},
      &Config::otlp_compression, {{"gzip", true}, {"none", false}}));
  all.push_back(number({"otlp_timeout_secs", "ORB8_OTLP_TIMEOUT_SECS", "SECONDS",
                        "Seconds that the receiver has for an answer."},
                       &Config::otlp_timeout_secs, {1, 300}));
  all.push_back(number({"otlp_interval_secs", "ORB8_OTLP_INTERVAL_SECS", "SECONDS",
                        "Seconds between two reports of metrics."},
                       &Config::otlp_interval_secs, {1, 3'600}));
}

}  // namespace orb8
