// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace orb8 {
namespace {

constexpr std::array<std::string_view, 17> kGrpcCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
constexpr std::size_t kMostOfMessage = 200;  // of which gRPC's own tell the cause last
constexpr int kResourceExhausted = 8;
constexpr std::array kRetryableGrpc = {1, 4, 10, 11, 14, 15};
constexpr std::array kRetryableHttp = {429, 502, 503, 504};

std::optional<std::chrono::nanoseconds> retry_delay(std::string_view details) {
  google::rpc::Status status;
  if (!status.ParseFromArray(details.data(), static_cast<int>(details.size()))) return {};
  for (const auto& detail : status.details()) {
    google::rpc::RetryInfo info;
    if (!detail.type_url().ends_with("/google.rpc.RetryInfo") ||
        !info.ParseFromString(detail.value()) || !info.has_retry_delay()) {
      continue;
    }
    const auto& delay = info.retry_delay();
    constexpr std::int64_t kDay = 86'400;
    return std::chrono::seconds(std::clamp<std::int64_t>(delay.seconds(), 0, kDay)) +
           std::chrono::nanoseconds(std::max(delay.nanos(), 0));
  }
  return {};
}

}  // namespace

OtlpAnswer answer_of_grpc(int code, std::string_view message, std::string_view details) {
  const auto number = static_cast<std::size_t>(code);
  const auto name = number < kGrpcCodes.size() ? kGrpcCodes.at(number) : "an unknown code";
  OtlpAnswer answer;
  answer.why = fmt::format("{}: {}", name, quotable(message, kMostOfMessage));
  answer.wait = retry_delay(details);
  // Exhausted for good, as by a request that is too large, unless the receiver says until when.
  const bool again = code == kResourceExhausted ? answer.wait.has_value()
                                                : std::ranges::count(kRetryableGrpc, code) > 0;
  answer.fate = again ? OtlpFate::kNotNow : OtlpFate::kRefused;
  return answer;
}

OtlpAnswer answer_of_http(int status, std::chrono::seconds retry_after, std::string_view body) {
  OtlpAnswer answer;
  answer.why = fmt::format("HTTP status {}", status);
  google::rpc::Status details;
  if (details.ParseFromArray(body.data(), static_cast<int>(body.size())) &&
      !details.message().empty()) {
    answer.why += ": " + quotable(details.message());
  }
  const bool again = std::ranges::count(kRetryableHttp, status) > 0;
  answer.fate = again ? OtlpFate::kNotNow : OtlpFate::kRefused;
  if (retry_after.count() > 0) answer.wait = retry_after;
  return answer;
}

}  // namespace orb8
