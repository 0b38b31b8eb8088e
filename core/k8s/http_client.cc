// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/http_client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/curl.h"
#include "core/k8s/transfer.h"

namespace orb8::k8s {

class HttpClient::Impl {
 public:
  Impl(const Access& access, Server server, CommandLimits limits)
      : access_(access),
        server_(std::move(server)),
        authenticator_(access, limits),
        multi_(curl().multi_init()) {}

  ~Impl() {
    for (const auto& transfer : transfers_) {
      curl().multi_remove_handle(multi_.get(), transfer->handle());
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void get(const HttpRequest& request, HttpListener& listener) {
    const auto credential = authenticator_.credential();
    if (!credential) return listener.end(std::unexpected(credential.error()));
    auto transfer = Transfer::create(access_, server_, request, *credential);
    if (!transfer) return listener.end(std::unexpected(transfer.error()));
    (*transfer)->listen(listener, authenticator_);
    if (curl().multi_add_handle(multi_.get(), (*transfer)->handle()) != CURLM_OK) {
      return listener.end(fail(Errc::kInternal, "begin a request: libcurl refused"));
    }
    transfers_.push_back(std::move(*transfer));
  }

  void poll(std::chrono::milliseconds at_most) {
    if (perform()) return;  // a listener may have something to ask now
    for (const auto& transfer : transfers_) at_most = std::min(at_most, left_of(*transfer));
    const auto wait = static_cast<int>(std::max<std::int64_t>(at_most.count(), 0));
    curl().multi_poll(multi_.get(), nullptr, 0, wait, nullptr);
    perform();
  }

  void wake() { curl().multi_wakeup(multi_.get()); }

 private:
  static std::chrono::milliseconds left_of(const Transfer& transfer) {
    return std::chrono::ceil<std::chrono::milliseconds>(transfer.dead_at() -
                                                        Transfer::Clock::now());
  }

  // Whether an answer has ended.
  bool perform() {
    bool ended = false;
    int running = 0;
    curl().multi_perform(multi_.get(), &running);
    int queued = 0;
    while (const auto* message = curl().multi_info_read(multi_.get(), &queued)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto code = message->data.result;  // the message goes with the handle
      take(message->easy_handle)->end(code);
      ended = true;
    }
    std::vector<CURL*> silent;
    for (const auto& transfer : transfers_) {
      if (left_of(*transfer).count() <= 0) silent.push_back(transfer->handle());
    }
    for (auto* const handle : silent) take(handle)->end_silent();
    return ended || !silent.empty();
  }

  // Out of libcurl's hands and of the list. Taking one that runs drops its connection.
  std::unique_ptr<Transfer> take(CURL* handle) {
    curl().multi_remove_handle(multi_.get(), handle);
    const auto found = std::ranges::find(transfers_, handle, &Transfer::handle);
    auto transfer = std::move(*found);
    transfers_.erase(found);
    return transfer;
  }

  Access access_;
  Server server_;
  Authenticator authenticator_;
  CurlMulti multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
};

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::create(const Access& access, CommandLimits limits) {
  if (auto ok = load_curl(); !ok) return std::unexpected(ok.error());
  auto server = server_of(access);
  if (!server) return std::unexpected(server.error());
  return std::unique_ptr<HttpClient>(
      new HttpClient(std::make_unique<Impl>(access, std::move(*server), limits)));
}

void HttpClient::get(const HttpRequest& request, HttpListener& listener) {
  impl_->get(request, listener);
}

void HttpClient::poll(std::chrono::milliseconds at_most) {
  impl_->poll(at_most);
}

void HttpClient::wake() {
  impl_->wake();
}

}  // namespace orb8::k8s
