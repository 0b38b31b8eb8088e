// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/reflector.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/k8s/limits.h"
#include "core/k8s/problem.h"

namespace orb8::k8s {
namespace {

constexpr std::string_view kPageLimit = "limit=500";

enum Http : std::uint16_t {
  kOk = 200,
  kBadRequest = 400,
  kUnauthorized = 401,
  kForbidden = 403,
  kNotFound = 404,
  kGone = 410,
  kTooManyRequests = 429,
  kServerError = 500,
  kGatewayTimeout = 504,
};

// It is about who asks, or how often, and not about what is asked for.
bool is_about_the_client(int code) {
  return code == kUnauthorized || code == kForbidden || code == kTooManyRequests;
}

// All but letters, digits and -._~ as %XX (RFC 3986).
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return encoded;
}

}  // namespace

Reflector::Reflector(Kind kind, const WatchOptions& options, Sink& sink, ClientStatus& status)
    : kind_(kind),
      options_(options),
      status_(status),
      list_(kind, sink, status),
      watch_(kind, sink, status),
      backoff_(options.backoff),
      random_(std::random_device{}()) {}

std::optional<Reflector::Clock::time_point> Reflector::due() const {
  return due_;
}

// The first list comes from the server's cache, of any age, so that agents that start together ask
// nothing of etcd. A later one must not be older than what is known already; with a limit that
// would mean "at exactly this version", so it comes in one piece, and from the cache as well.
std::string Reflector::list_query() const {
  if (!page_.empty()) return std::string(kPageLimit) + "&continue=" + percent_encoded(page_);
  if (version_lost_) return std::string(in_one_page_ ? "" : kPageLimit);
  if (!version_.empty()) return "resourceVersion=" + percent_encoded(version_);
  return (in_one_page_ ? "" : std::string(kPageLimit) + "&") + "resourceVersion=0";
}

// The server ends a watch after a while, each at another time.
std::string Reflector::watch_query() {
  constexpr int kLeastSeconds = 300;
  const auto seconds = std::uniform_int_distribution(kLeastSeconds, 2 * kLeastSeconds)(random_);
  return "watch=1&allowWatchBookmarks=true&resourceVersion=" + percent_encoded(version_) +
         "&timeoutSeconds=" + std::to_string(seconds);
}

HttpRequest Reflector::begin() {
  due_.reset();
  head_ = {};
  error_body_.clear();
  std::string query;
  if (phase_ == Phase::kWatch) {
    watch_.begin(version_);
    query = watch_query();
  } else {
    page_.empty() ? list_.begin_list() : list_.begin_page();
    query = list_query();
  }
  if (kind_ == Kind::kPod && !options_.node.empty()) {
    query += "&fieldSelector=spec.nodeName%3D" + percent_encoded(options_.node);
  }
  return {.target = std::string(paths_of(kind_)[api_version_]) + "?" + query,
          .idle_limit = phase_ == Phase::kList ? options_.list_idle : options_.watch_idle};
}

void Reflector::head(const HttpHead& head) {
  head_ = head;
  opened_ = Clock::now();
  if (head.status == kOk && phase_ == Phase::kWatch) status_.works(kind_);
}

bool Reflector::body(std::string_view part) {
  if (head_.status != kOk) {
    error_body_ += part.substr(0, kMaxErrorBytes - error_body_.size());
    return error_body_.size() < kMaxErrorBytes;
  }
  return phase_ == Phase::kList ? list_.feed(part) : watch_.feed(part);
}

void Reflector::end(const Result<void>& complete) {
  if (head_.status == 0) {
    failed(complete ? "the API server answered nothing" : complete.error().what);
  } else if (head_.status != kOk) {
    refused();
  } else if (phase_ == Phase::kList) {
    list_ended(complete);
  } else {
    watch_ended(complete);
  }
}

void Reflector::list_ended(const Result<void>& complete) {
  if (!complete) return failed(complete.error().what);
  auto head = list_.end_page();
  if (!head) {
    return failed("the API server's list of " + std::string(resource_of(kind_)) +
                  " is cut short, or is none");
  }
  page_ = std::move(head->next_page);
  page_failures_ = 0;
  if (page_.empty()) {
    list_.end_list();
    version_ = std::move(head->version);
    version_lost_ = in_one_page_ = false;
    error_at_.clear();
    phase_ = Phase::kWatch;
    status_.listed(kind_);
  }
  backoff_.reset();
  status_.works(kind_);
  in({});
}

void Reflector::watch_ended(const Result<void>& complete) {
  if (complete && watch_.stop() == WatchReader::Stop::kNone) watch_.end();
  version_ = watch_.version();
  // A watch that the server closes at once, again and again, is not to be asked for in a rush.
  constexpr std::chrono::seconds kBrief(1);
  const bool brief = Clock::now() - opened_ < kBrief;
  const bool useful = !brief || watch_.events() > 0;
  if (useful && watch_.stop() == WatchReader::Stop::kNone) {
    backoff_.reset();
    error_at_.clear();
  }
  switch (watch_.stop()) {
    case WatchReader::Stop::kError:
      return watch_failed(watch_.error());
    case WatchReader::Stop::kGarbage:
      return watch_broke("a line that is no event");
    case WatchReader::Stop::kNone:
      break;
  }
  if (!complete) return watch_broke(complete.error().what);
  if (!useful) return watch_broke("the server closed it at once");
  in(brief ? backoff_.next() : std::chrono::milliseconds(0));
}

// A trouble of the server's own is one of all its watches, and a list for each of them would be the
// next: so it is asked to go on from here, and for a list when it fails at the same place again.
void Reflector::watch_failed(const ApiStatus& error) {
  if (error.code == kGone) return relist();
  failed(problem_of(error.code, error.message, verb(), kind_),
         std::chrono::seconds(error.retry_after_s));
  if (is_about_the_client(error.code)) return;
  if (std::exchange(error_at_, version_) == version_) list_from_the_start();
}

// Goes on from where it was, without a new list.
void Reflector::watch_broke(const std::string& why) {
  spdlog::debug("Kubernetes: the watch of {} broke off: {}", resource_of(kind_), why);
  status_.count(&WatchCounters::reconnects);
  constexpr unsigned kOften = 3;
  if (backoff_.tries() < kOften) return in(backoff_.next());
  failed("each watch of " + std::string(resource_of(kind_)) + " breaks off: " + why);
}

void Reflector::refused() {
  const auto error = ObjectParser(kind_)
                         .status(error_body_)
                         .value_or(ApiStatus{.code = head_.status, .message = error_body_});
  if (phase_ == Phase::kList) return list_refused(error);
  if (head_.status == kGone) return relist();
  failed(problem_of(head_.status, error.message, verb(), kind_),
         std::max(head_.retry_after, std::chrono::seconds(error.retry_after_s)));
  if (!is_about_the_client(head_.status) && head_.status < kServerError) list_from_the_start();
}

void Reflector::list_refused(const ApiStatus& error) {
  if (head_.status == kGone && !page_.empty()) {
    // So long since the first page that its version is compacted away.
    list_all_at_once();
    return in(backoff_.next());
  }
  const bool version_unknown = head_.status == kGone || head_.status == kGatewayTimeout;
  if (version_unknown && !version_.empty() && !version_lost_) {
    version_lost_ = true;  // forgotten, or from before the server was set back
    return in(backoff_.next());
  }
  const auto versions = paths_of(kind_).size();
  if (head_.status == kNotFound && versions > 1) {
    api_version_ = (api_version_ + 1) % versions;
    if (api_version_ != 0) return in({});
  }
  if (page_is_lost()) list_all_at_once();
  failed(problem_of(head_.status, error.message, verb(), kind_),
         std::max(head_.retry_after, std::chrono::seconds(error.retry_after_s)));
}

// Whether its token is of no use, though not for its age: the server does not take it, or fails at
// it, as one that was set back to a backup does. A server in trouble may answer the second time.
bool Reflector::page_is_lost() {
  if (page_.empty()) return false;
  if (head_.status == kBadRequest) return true;
  constexpr unsigned kMostFailures = 3;
  return head_.status >= kServerError && ++page_failures_ >= kMostFailures;
}

void Reflector::list_all_at_once() {
  page_.clear();
  page_failures_ = 0;
  in_one_page_ = true;
}

// What was missed is found by listing anew.
void Reflector::relist() {
  list_from_the_start();
  in(backoff_.next());
}

void Reflector::list_from_the_start() {
  status_.count(&WatchCounters::relists);
  phase_ = Phase::kList;
  page_.clear();
}

void Reflector::failed(const std::string& problem, std::chrono::seconds retry_after) {
  status_.failed(kind_, problem);
  constexpr std::chrono::seconds kLongestWait(300);
  const auto delay = backoff_.next();
  // On top of what the server asks for, so that its clients do not come back together.
  in(retry_after.count() > 0 ? std::min(retry_after, kLongestWait) + delay : delay);
}

}  // namespace orb8::k8s
