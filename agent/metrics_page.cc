// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics_page.h"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kUnavailable = 503;
// As long as Prometheus itself waits for a scrape, if it is not told otherwise.
constexpr auto kReadWithin = std::chrono::seconds(10);
constexpr std::size_t kPiece = std::size_t{64} * 1024;

void refuse(httplib::Response& response, const char* why) {
  response.status = kUnavailable;
  response.set_content(why, "text/plain");
}

}  // namespace

MetricsPage::MetricsPage() : places_(std::make_shared<Places>(kAtOnce)) {}

void MetricsPage::follow(TextFn text) {
  const std::lock_guard lock(mutex_);
  text_ = std::move(text);
}

void MetricsPage::answer(const httplib::Request& request, httplib::Response& response) {
  TextFn text;
  {
    const std::lock_guard lock(mutex_);
    text = text_;
  }
  if (!text) return refuse(response, "there are no metrics yet: the agent is starting\n");
  if (!places_->try_acquire()) {
    return refuse(response,
                  "two scrapes are under way already: try again, and scrape less often\n");
  }
  // Given back when the library is through with the answer, however that ends.
  const std::shared_ptr<Places> place(places_.get(),
                                      [places = places_](Places* held) { held->release(); });
  const auto format = scrape_format(request.get_header_value("Accept"));
  const auto body = std::make_shared<const std::string>(text(format));
  const auto deadline = Clock::now() + kReadWithin;
  response.set_chunked_content_provider(
      content_type(format),
      [place, body, deadline, sent = std::size_t{0}](std::size_t, httplib::DataSink& out) mutable {
        if (Clock::now() >= deadline) return false;
        const auto piece = std::min(kPiece, body->size() - sent);
        if (piece > 0 && !out.write(body->data() + sent, piece)) return false;
        sent += piece;
        if (sent == body->size()) out.done();
        return true;
      });
}

}  // namespace orb8
