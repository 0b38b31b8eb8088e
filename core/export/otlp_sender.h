// Requests to an OTLP receiver until they are taken, refused, or time is over.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <stop_token>

#include "core/base/result.h"
#include "core/export/export_tally.h"
#include "core/export/otlp_transport.h"

namespace orb8 {

// Of one thread. What is wrong is in the tally while it lasts.
class OtlpSender {
 public:
  // Opens one anew; errors are tried again, as files may come later.
  using OpenFn = std::function<Result<std::unique_ptr<OtlpTransport>>()>;
  struct Limits {
    // Between two tries: doubles from the one to the other, and half of each is chance. A receiver
    // that says when is obeyed, within `all`.
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds most{30'000};
    std::chrono::milliseconds all{300'000};  // for one request
  };

  OtlpSender(OpenFn open, Limits limits, std::shared_ptr<ExportTally> tally);

  // `count`: of the records in it; each is exported, failed or dropped when this returns. Whether
  // the request was taken.
  template <class Request>
  bool send(const Request& request, std::uint64_t count, const std::stop_token& give_up);

 private:
  template <class Request>
  OtlpAnswer try_once(const Request& request, const std::stop_token& give_up);
  std::chrono::nanoseconds pause(unsigned tries, const OtlpAnswer& answer);

  OpenFn open_;
  Limits limits_;
  std::shared_ptr<ExportTally> tally_;
  std::unique_ptr<OtlpTransport> transport_;
  std::minstd_rand random_;
};

}  // namespace orb8
