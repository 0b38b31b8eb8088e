// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_log_sink.h"

#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/export/otlp_logs.h"

namespace orb8 {

OtlpLogSink::OtlpLogSink(OtlpIdentity identity, OtlpSender sender)
    : identity_(std::move(identity)), sender_(std::move(sender)) {
  begin_request();
}

void OtlpLogSink::begin_request() {
  request_.Clear();
  auto& all = *request_.add_resource_logs();
  to_otlp(identity_, *all.mutable_resource());
  records_ = all.add_scope_logs();
  to_otlp(identity_, *records_->mutable_scope());
}

bool OtlpLogSink::write(std::span<const Event> records, const std::stop_token& give_up) {
  bool all = true;
  for (const auto& record : records) {
    const auto now_ns = wall_now_ns();
    to_otlp(record, names_, now_ns, *records_->add_log_records());
    if (static_cast<std::size_t>(records_->log_records_size()) == kMostInRequest) {
      all &= flush(give_up);
    }
  }
  return all;
}

bool OtlpLogSink::flush(const std::stop_token& give_up) {
  const auto count = static_cast<std::uint64_t>(records_->log_records_size());
  if (count == 0) return true;
  const bool taken = sender_.send(request_, count, give_up);
  begin_request();
  return taken;
}

}  // namespace orb8
