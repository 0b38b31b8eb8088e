// GET /metrics: what Prometheus scrapes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>

#include "core/export/scrape_format.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace orb8 {

// 200 with the text in the format that the client wants, gzip'd where it takes that; 503 before
// there is anything to tell. A scrape holds one of the health server's threads until it is read to
// its end: so there are two at once at most, further ones get 503 at once, and one that is not read
// in time is cut off.
class MetricsPage {
 public:
  using TextFn = std::function<std::string(ScrapeFormat)>;

  MetricsPage();

  void follow(TextFn text);
  void answer(const httplib::Request& request, httplib::Response& response);

 private:
  static constexpr std::ptrdiff_t kAtOnce = 2;
  using Places = std::counting_semaphore<kAtOnce>;

  std::mutex mutex_;
  TextFn text_;
  std::shared_ptr<Places> places_;  // shared with the answers that are being sent
};

}  // namespace orb8
