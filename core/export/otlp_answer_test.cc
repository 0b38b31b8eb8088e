// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;

// As a server attaches it.
std::string details_with(std::int64_t seconds, std::int32_t nanos) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds);
  info.mutable_retry_delay()->set_nanos(nanos);
  google::rpc::Status status;
  status.add_details()->set_type_url("type.googleapis.com/google.rpc.BadRequest");
  auto& any = *status.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  any.set_value(info.SerializeAsString());
  return status.SerializeAsString();
}

// The table of the OTLP specification, "OTLP/gRPC Response", "Failures".
const std::set<int> kRetryable = {1, 4, 10, 11, 14, 15};

TEST(OtlpAnswer, TakesGrpcsCodesAsTheSpecificationDoes) {
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(answer_of_grpc(code, "", "").fate,
              kRetryable.contains(code) ? OtlpFate::kNotNow : OtlpFate::kRefused)
        << code;
  }
  EXPECT_EQ(answer_of_grpc(8, "", details_with(1, 0)).fate, OtlpFate::kNotNow);
  EXPECT_EQ(answer_of_grpc(3, "", details_with(1, 0)).fate, OtlpFate::kRefused);
}

TEST(OtlpAnswer, TakesHttpsStatusesAsTheSpecificationDoes) {
  const std::set<int> retryable = {429, 502, 503, 504};
  for (int status = 300; status < 600; ++status) {
    EXPECT_EQ(answer_of_http(status, 0s, "").fate,
              retryable.contains(status) ? OtlpFate::kNotNow : OtlpFate::kRefused)
        << status;
  }
}

TEST(OtlpAnswer, FindsWhenARequestMayBeSentAgain) {
  EXPECT_EQ(answer_of_grpc(14, "busy", details_with(2, 500'000'000)).wait, 2500ms);
  EXPECT_FALSE(answer_of_grpc(14, "busy", "").wait);
  EXPECT_EQ(answer_of_http(503, 7s, "").wait, 7s);
  EXPECT_FALSE(answer_of_http(503, 0s, "").wait);
}

TEST(OtlpAnswer, BelievesNoTimeThatCannotBe) {
  EXPECT_EQ(answer_of_grpc(14, "", details_with(-5, -1)).wait, 0ns);
  EXPECT_LE(answer_of_grpc(14, "", details_with(INT64_MAX, INT32_MAX)).wait, 24h + 3s);
}

TEST(OtlpAnswer, SaysWhyInOneLine) {
  EXPECT_EQ(answer_of_grpc(16, "no\ntoken", "").why, "UNAUTHENTICATED: no?token");
  EXPECT_EQ(answer_of_grpc(99, "x", "").why, "an unknown code: x");
  google::rpc::Status status;
  status.set_message("no token");
  EXPECT_EQ(answer_of_http(401, 0s, status.SerializeAsString()).why, "HTTP status 401: no token");
  EXPECT_EQ(answer_of_http(502, 0s, "<html>").why, "HTTP status 502");
}

TEST(OtlpAnswer, MeansTheSameWhateverComesWithIt) {
  std::mt19937 random(3);
  const auto whole = details_with(3, 0);
  for (int round = 0; round < 5000; ++round) {
    // Half are noise, half are a real answer with a byte that is not.
    std::string bytes = whole;
    if (round % 2 == 0) {
      bytes.resize(random() % 100);
      for (auto& byte : bytes) byte = static_cast<char>(random());
    } else {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    for (int code = 1; code <= 16; ++code) {
      const auto answer = answer_of_grpc(code, bytes, bytes);
      if (code != 8) {
        EXPECT_EQ(answer.fate == OtlpFate::kNotNow, kRetryable.contains(code));
      }
      if (answer.wait) {
        EXPECT_GE(*answer.wait, 0ns);
        EXPECT_LE(*answer.wait, 24h + 3s);
      }
    }
    const auto answer = answer_of_http(503, 0s, bytes);
    EXPECT_EQ(answer.fate, OtlpFate::kNotNow);
    for (const char c : answer.why) EXPECT_FALSE(c == '\n' || c == '\0');
  }
}

}  // namespace
}  // namespace orb8
