// What receivers' answers mean, by the OTLP specification.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/export/otlp_transport.h"
#include "core/export/utf8.h"

namespace orb8 {

// gRPC's codes, as numbers. `details`: a serialized google.rpc.Status, which may hold a RetryInfo.
OtlpAnswer answer_of_grpc(int code, std::string_view message, std::string_view details);

// `retry_after`: 0: the receiver did not say. `body`: a google.rpc.Status, or anything else.
OtlpAnswer answer_of_http(int status, std::chrono::seconds retry_after, std::string_view body);

inline std::uint64_t rejected_of(
    const opentelemetry::proto::collector::logs::v1::ExportLogsPartialSuccess& part) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(part.rejected_log_records(), 0));
}
inline std::uint64_t rejected_of(
    const opentelemetry::proto::collector::metrics::v1::ExportMetricsPartialSuccess& part) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(part.rejected_data_points(), 0));
}

// Of a request that was taken; a warning counts as no rejection.
template <class Response>
OtlpAnswer answer_of_success(const Response& response) {
  OtlpAnswer answer;
  if (!response.has_partial_success()) return answer;
  answer.rejected = rejected_of(response.partial_success());
  if (answer.rejected > 0) answer.why = quotable(response.partial_success().error_message());
  return answer;
}

}  // namespace orb8
