// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_sender.h"

#include <algorithm>
#include <utility>

#include "core/export/export_thread.h"

namespace orb8 {

OtlpSender::OtlpSender(OpenFn open, Limits limits, std::shared_ptr<ExportTally> tally)
    : open_(std::move(open)),
      limits_(limits),
      tally_(std::move(tally)),
      random_(std::random_device{}()) {}

template <class Request>
OtlpAnswer OtlpSender::try_once(const Request& request, const std::stop_token& give_up) {
  if (!transport_) {
    auto opened = open_();
    if (!opened) return {.fate = OtlpFate::kNotNow, .why = opened.error().what};
    transport_ = std::move(*opened);
  }
  auto answer = transport_->send(request, give_up);
  // The next one reads its certificates anew, which may have been what was wrong.
  if (answer.fate == OtlpFate::kNotNow) transport_.reset();
  return answer;
}

std::chrono::nanoseconds OtlpSender::pause(unsigned tries, const OtlpAnswer& answer) {
  auto longest = limits_.first;
  for (unsigned i = 1; i < tries && longest < limits_.most; ++i) longest *= 2;
  longest = std::min(longest, limits_.most);
  std::uniform_int_distribution<std::int64_t> chance(longest.count() / 2, longest.count());
  const std::chrono::nanoseconds own = std::chrono::milliseconds(chance(random_));
  return std::max(own, answer.wait.value_or(std::chrono::nanoseconds(0)));
}

template <class Request>
bool OtlpSender::send(const Request& request, std::uint64_t count, const std::stop_token& give_up) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + limits_.all;
  for (unsigned tries = 1;; ++tries) {
    const auto answer = try_once(request, give_up);
    if (answer.fate == OtlpFate::kTaken) {
      const auto rejected = std::min(answer.rejected, count);
      tally_->add_exported(count - rejected);
      tally_->add_failed(rejected);
      if (rejected == 0) tally_->all_is_well();
      if (rejected > 0) tally_->trouble("the receiver rejected some: " + answer.why);
      return true;
    }
    if (give_up.stop_requested()) {
      tally_->add_dropped(count);
      return false;
    }
    if (answer.fate == OtlpFate::kRefused) {
      tally_->trouble("the receiver refused: " + answer.why);
      tally_->add_failed(count);
      return false;
    }
    tally_->trouble(answer.why);
    const auto time = pause(tries, answer);
    if (Clock::now() + time > end) {
      tally_->add_failed(count);
      return false;
    }
    if (!wait_unless_stopped(time, give_up)) {
      tally_->add_dropped(count);
      return false;
    }
  }
}

template bool OtlpSender::send(const OtlpLogs&, std::uint64_t, const std::stop_token&);
template bool OtlpSender::send(const OtlpMetrics&, std::uint64_t, const std::stop_token&);

}  // namespace orb8
