// One request to an OTLP receiver, whatever it is spoken to in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"

namespace orb8 {

using OtlpLogs = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using OtlpMetrics = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

enum class OtlpFate : std::uint8_t {
  kTaken,
  kNotNow,   // the same may be sent again
  kRefused,  // must not be sent again
};

struct OtlpAnswer {
  OtlpFate fate = OtlpFate::kTaken;
  std::uint64_t rejected = 0;  // of what was taken: records, or data points
  // For kNotNow: not before that, as the receiver says.
  std::optional<std::chrono::nanoseconds> wait = {};
  std::string why = {};  // one line, where it was not all taken
};

struct OtlpEndpoint {
  std::string url;                   // "http://HOST[:PORT][/PATH]", or https
  std::vector<std::string> headers;  // "NAME=VALUE"; secret
  std::string ca_file;               // PEM; empty: the system's authorities
  std::string cert_file;             // PEM; empty: no client certificate
  std::string key_file;
  bool gzip = true;
  std::chrono::milliseconds timeout{10'000};  // for an answer
};

// Of one thread.
class OtlpTransport {
 public:
  virtual ~OtlpTransport() = default;
  // Waits for the answer, at most for the endpoint's timeout, and less once `give_up` is requested.
  virtual OtlpAnswer send(const OtlpLogs& logs, const std::stop_token& give_up) = 0;
  virtual OtlpAnswer send(const OtlpMetrics& metrics, const std::stop_token& give_up) = 0;
};

// Neither connects yet. Errors: a file that cannot be read, a URL that does not suit.
Result<std::unique_ptr<OtlpTransport>> open_otlp_grpc(const OtlpEndpoint& endpoint);
Result<std::unique_ptr<OtlpTransport>> open_otlp_http(const OtlpEndpoint& endpoint);

}  // namespace orb8
