// Keeps the sink as the API server has one kind of object: lists it, and watches it from there.
// It says which request comes next and hears the answer; who sends it is not its matter.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "core/k8s/backoff.h"
#include "core/k8s/client_status.h"
#include "core/k8s/http_listener.h"
#include "core/k8s/list_reader.h"
#include "core/k8s/watch_reader.h"

namespace orb8::k8s {

struct WatchOptions {
  std::string node;  // pods of this node only; empty: of all
  Backoff::Limits backoff;
  std::chrono::milliseconds list_idle{30'000};
  // A quiet watch gets a bookmark each minute.
  std::chrono::milliseconds watch_idle{150'000};
};

class Reflector final : public HttpListener {
 public:
  using Clock = std::chrono::steady_clock;

  Reflector(Kind kind, const WatchOptions& options, Sink& sink, ClientStatus& status);

  // When the next request is due; absent while one is under way.
  std::optional<Clock::time_point> due() const;

  // The request that is due. Its answer, or its failure, is to be told to this listener.
  HttpRequest begin();

  void head(const HttpHead& head) override;
  bool body(std::string_view part) override;
  void end(const Result<void>& complete) override;

 private:
  enum class Phase : std::uint8_t { kList, kWatch };

  std::string list_query() const;
  std::string watch_query();
  const char* verb() const { return phase_ == Phase::kList ? "list" : "watch"; }

  void list_ended(const Result<void>& complete);
  void watch_ended(const Result<void>& complete);
  void watch_failed(const ApiStatus& error);
  void watch_broke(const std::string& why);
  void refused();
  void list_refused(const ApiStatus& error);
  bool page_is_lost();
  void list_all_at_once();
  void relist();
  void list_from_the_start();
  void failed(const std::string& problem, std::chrono::seconds retry_after = {});
  void in(std::chrono::milliseconds delay) { due_ = Clock::now() + delay; }

  Kind kind_;
  WatchOptions options_;
  ClientStatus& status_;
  ListReader list_;
  WatchReader watch_;
  Backoff backoff_;
  std::minstd_rand random_;

  Phase phase_ = Phase::kList;
  std::string version_;          // of the last list; empty before
  std::string page_;             // the continue token of the page that is due
  unsigned page_failures_ = 0;   // of the server's, when asked for that page
  bool in_one_page_ = false;     // a token was of no use: all at once this time
  bool version_lost_ = false;    // the server cannot list from version_ on
  std::size_t api_version_ = 0;  // in paths_of()
  std::string error_at_;         // where the server told of an error in the watch; empty: nowhere

  std::optional<Clock::time_point> due_ = Clock::now();
  Clock::time_point opened_;  // the answer's head came
  HttpHead head_;
  std::string error_body_;
};

}  // namespace orb8::k8s
