// Flow records as OTLP logs, several to a request.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "core/export/flow_sink.h"
#include "core/export/interface_names.h"
#include "core/export/otlp_attributes.h"
#include "core/export/otlp_sender.h"

namespace orb8 {

class OtlpLogSink final : public FlowSink {
 public:
  // Some 600 KiB: receivers take 4 MiB, as the specification has it.
  static constexpr std::size_t kMostInRequest = 512;

  OtlpLogSink(OtlpIdentity identity, OtlpSender sender);

  bool write(std::span<const Event> records, const std::stop_token& give_up) override;
  bool flush(const std::stop_token& give_up) override;
  void interval_over() override {}

 private:
  void begin_request();

  OtlpIdentity identity_;
  OtlpSender sender_;
  InterfaceNames names_;
  OtlpLogs request_;
  opentelemetry::proto::logs::v1::ScopeLogs* records_ = nullptr;  // in request_
};

}  // namespace orb8
