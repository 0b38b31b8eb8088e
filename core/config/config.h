// Every setting of orb8, typed and checked once: flags > environment > file > defaults.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/log.h"

namespace orb8 {

enum class FlowSourceChoice : std::uint8_t { kAuto, kSocket, kTc };
enum class TcAttach : std::uint8_t { kAuto, kTcx, kClsact };
enum class TcAnchor : std::uint8_t { kHead, kTail };
enum class KubeChoice : std::uint8_t { kAuto, kOff };
enum class PodScope : std::uint8_t { kAll, kNode };
enum class MetricsLabel : std::uint8_t { kNamespace, kPod, kWorkload, kNode };
enum class ExportFsync : std::uint8_t { kNever, kInterval, kAlways };
enum class OtlpProtocol : std::uint8_t { kGrpc, kHttp };

struct Config {
  std::string node_name;              // NODE_NAME; default: the host name
  std::uint16_t grpc_port = 9090;     // ORB8_GRPC_PORT
  std::string grpc_address = "[::]";  // ORB8_GRPC_ADDRESS
  std::uint16_t health_port = 9091;   // ORB8_HEALTH_PORT
  std::string health_address = "::";  // ORB8_HEALTH_ADDRESS

  std::uint32_t max_flows = 100'000;            // ORB8_MAX_FLOWS
  std::uint32_t flow_timeout_secs = 30;         // ORB8_FLOW_TIMEOUT_SECS
  std::uint32_t expiration_interval_secs = 10;  // ORB8_EXPIRATION_INTERVAL_SECS
  std::uint32_t snapshot_interval_ms = 1000;    // ORB8_SNAPSHOT_INTERVAL_MS
  std::uint32_t history_records = 65'536;       // ORB8_HISTORY_RECORDS, flows; 0: none are kept
  std::uint32_t history_secs = 900;             // ORB8_HISTORY_SECS
  std::uint32_t max_pod_cache = 10'000;         // ORB8_MAX_POD_CACHE
  std::uint32_t broadcast_channel_size = 1000;  // ORB8_BROADCAST_CHANNEL_SIZE, events per stream
  std::uint32_t poll_interval_ms = 100;         // ORB8_POLL_INTERVAL_MS, longest wait of a ring
  std::uint32_t max_batch_size = 1024;          // ORB8_MAX_BATCH_SIZE
  std::uint32_t max_query_limit = 10'000;       // ORB8_MAX_QUERY_LIMIT
  std::uint32_t ring_buffer_size = 1U << 20;    // ORB8_RING_BUFFER_SIZE, bytes, power of two
  std::uint32_t max_streams = 64;               // ORB8_MAX_STREAMS
  std::uint32_t shutdown_timeout_secs = 10;     // ORB8_SHUTDOWN_TIMEOUT_SECS

  FlowSourceChoice flow_source = FlowSourceChoice::kAuto;  // ORB8_FLOW_SOURCE
  bool udp = true;  // ORB8_UDP; of the socket source: also what costs something per packet
  std::vector<std::string> interfaces;   // ORB8_INTERFACE, globs; empty: discover
  TcAttach tc_attach = TcAttach::kAuto;  // ORB8_TC_ATTACH
  TcAnchor tc_anchor = TcAnchor::kHead;  // ORB8_TC_ANCHOR
  KubeChoice kube = KubeChoice::kAuto;   // ORB8_KUBE
  PodScope pod_scope = PodScope::kAll;   // ORB8_POD_SCOPE
  bool labels = false;                   // ORB8_LABELS
  LogLevel log_level = LogLevel::kInfo;  // ORB8_LOG_LEVEL

  // What flow metrics are told apart by, and how many; docs/METRICS.md. Where flow records and
  // metrics go; docs/EXPORT.md. Small ones first: no padding between.
  ExportFsync export_file_fsync = ExportFsync::kInterval;  // ORB8_EXPORT_FILE_FSYNC
  OtlpProtocol otlp_protocol = OtlpProtocol::kGrpc;        // ORB8_OTLP_PROTOCOL
  bool otlp_compression = true;                            // ORB8_OTLP_COMPRESSION
  std::uint32_t metrics_max_series = 10'000;               // ORB8_METRICS_MAX_SERIES; 0: none
  std::uint32_t metrics_grace_secs = 300;                  // ORB8_METRICS_GRACE_SECS
  std::uint32_t export_interval_secs = 60;                 // ORB8_EXPORT_INTERVAL_SECS
  std::uint32_t export_queue_size = 8192;                  // ORB8_EXPORT_QUEUE_SIZE, records
  std::uint32_t export_file_keep = 4;                      // ORB8_EXPORT_FILE_KEEP, beside it
  std::uint32_t otlp_timeout_secs = 10;                    // ORB8_OTLP_TIMEOUT_SECS
  std::uint32_t otlp_interval_secs = 60;                   // ORB8_OTLP_INTERVAL_SECS, of metrics
  std::uint64_t export_file_max_size = 64ULL << 20U;       // ORB8_EXPORT_FILE_MAX_SIZE, bytes
  // ORB8_METRICS_LABELS
  std::vector<MetricsLabel> metrics_labels = {MetricsLabel::kNamespace, MetricsLabel::kWorkload};
  std::string export_file;                                      // ORB8_EXPORT_FILE; empty: none
  std::string otlp_endpoint;                                    // ORB8_OTLP_ENDPOINT; empty: none
  std::string otlp_ca_file;                                     // ORB8_OTLP_CA_FILE
  std::string otlp_cert_file;                                   // ORB8_OTLP_CERT_FILE
  std::string otlp_key_file;                                    // ORB8_OTLP_KEY_FILE
  std::vector<std::string> otlp_signals = {"logs", "metrics"};  // ORB8_OTLP_SIGNALS
  std::vector<std::string> otlp_headers;                        // ORB8_OTLP_HEADERS, secret
  // ORB8_OTLP_RESOURCE_ATTRIBUTES, or OTEL_RESOURCE_ATTRIBUTES; "NAME=VALUE", see parse_attribute()
  std::vector<std::string> otlp_resource_attributes;

  bool operator==(const Config&) const = default;
};

}  // namespace orb8
