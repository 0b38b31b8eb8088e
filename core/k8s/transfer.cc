// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/transfer.h"

#include <cstring>
#include <string_view>

#include "core/k8s/problem.h"

namespace orb8::k8s {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl().url_cleanup(url); }
};

struct FreeText {
  void operator()(char* text) const { curl().free(text); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl().url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  const std::unique_ptr<char, FreeText> owned(text);
  return text;
}

}  // namespace

Result<Server> server_of(const Access& access) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl().url());
  if (!url || curl().url_set(url.get(), CURLUPART_URL, access.server.c_str(), 0) != CURLUE_OK) {
    return fail(Errc::kInvalid, access.origin + ": " + access.server + " is no URL");
  }
  Server server{.url = access.server, .connect_to = {}, .host = {}};
  if (access.tls_server_name.empty()) return server;
  const auto host = part_of(url.get(), CURLUPART_HOST);
  const auto port = part_of(url.get(), CURLUPART_PORT);
  if (curl().url_set(url.get(), CURLUPART_HOST, access.tls_server_name.c_str(), 0) != CURLUE_OK) {
    return fail(Errc::kInvalid, access.origin + ": tls-server-name is no name of a host");
  }
  server.url = part_of(url.get(), CURLUPART_URL);
  while (server.url.ends_with('/')) server.url.pop_back();
  server.host = host + ":" + port;
  server.connect_to = "::" + server.host;
  return server;
}

void Transfer::add(CurlList& to, const std::string& text) {
  if (!append(to, text)) sound_ = false;
}

void Transfer::set_pem(const Pem& pem, CURLoption file, CURLoption blob) {
  if (!pem.file.empty()) set(file, pem.file.c_str());
  if (pem.text.empty()) return;
  curl_blob bytes{};
  bytes.data = const_cast<char*>(pem.text.data());  // it is copied, as the flag says
  bytes.len = pem.text.size();
  bytes.flags = CURL_BLOB_COPY;
  set(blob, &bytes);
}

// So that each connection reads the file, which is replaced when authorities are rotated: libcurl
// 7.87 and later would keep what was in it for a day. One before keeps nothing and refuses an
// option that it does not know, which does no harm.
void Transfer::forget_authorities() {
#if LIBCURL_VERSION_NUM >= 0x075700
  curl().easy_setopt(easy_.get(), CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
}

void Transfer::set_tls(const Access& access, const Credential& credential) {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!access.ca.empty()) {
    set_pem(access.ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
    forget_authorities();
    // Else the system's authorities would be trusted beside the cluster's.
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (access.insecure) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  set_pem(credential.cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
  set_pem(credential.key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
}

void Transfer::set_up(const Access& access, const Server& server, const HttpRequest& request,
                      const Credential& credential) {
  constexpr long kConnectMs = 10'000;
  constexpr long kKeepAliveSeconds = 30;
  server_ = access.server;
  idle_limit_ = request.idle_limit;
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_URL, (server.url + request.target).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // does not wait for a resolver that hangs
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
  set(CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_USERAGENT, "orb8");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  if (!access.proxy.empty()) set(CURLOPT_PROXY, access.proxy.c_str());
  set_tls(access, credential);
  add(headers_, "Accept: application/json");
  if (!credential.token.empty()) add(headers_, "Authorization: Bearer " + credential.token);
  if (!server.host.empty()) add(headers_, "Host: " + server.host);
  set(CURLOPT_HTTPHEADER, headers_.get());
  if (!server.connect_to.empty()) {
    add(connect_to_, server.connect_to);
    set(CURLOPT_CONNECT_TO, connect_to_.get());
  }
}

Result<std::unique_ptr<Transfer>> Transfer::create(const Access& access, const Server& server,
                                                   const HttpRequest& request,
                                                   const Credential& credential) {
  std::unique_ptr<Transfer> transfer(new Transfer);
  transfer->easy_.reset(curl().easy_init());
  if (transfer->easy_) transfer->set_up(access, server, request, credential);
  if (!transfer->easy_ || !transfer->sound_) {
    return fail(Errc::kInternal, "set up a request to " + access.server + ": libcurl refused");
  }
  return transfer;
}

// A header's line; an empty one ends the head. What comes after the body (trailers) is not heard.
std::size_t Transfer::on_header(const char* data, std::size_t /*one*/, std::size_t size,
                                void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.last_byte_ = Clock::now();
  const std::string_view line(data, size);
  if (transfer.head_told_ || (line != "\r\n" && line != "\n")) return size;
  long status = 0;
  curl_off_t retry_after = 0;
  curl().easy_getinfo(transfer.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl().easy_getinfo(transfer.easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
  constexpr long kFirstFinal = 200;
  if (status < kFirstFinal) return size;
  constexpr long kUnauthorized = 401;
  if (status == kUnauthorized) transfer.authenticator_->refused();
  transfer.head_told_ = true;
  transfer.listener_->head(
      {.status = static_cast<int>(status), .retry_after = std::chrono::seconds(retry_after)});
  return size;
}

std::size_t Transfer::on_body(const char* data, std::size_t /*one*/, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.last_byte_ = Clock::now();
  if (!transfer.enough_) transfer.enough_ = !transfer.listener_->body({data, size});
  return transfer.enough_ ? 0 : size;  // 0: libcurl drops the connection
}

// Without what differs from try to try, such as how many milliseconds it took: it is logged once.
std::string Transfer::why(CURLcode code) const {
  std::string text = curl().easy_strerror(code);
  long os_errno = 0;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      curl().easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_errno);
      if (os_errno != 0)
        text = std::strerror(static_cast<int>(os_errno));  // NOLINT(concurrency-mt-unsafe)
      break;
    case CURLE_OPERATION_TIMEDOUT:
      text = "no connection in time";
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      if (error_[0] != '\0') text = one_line(error_.data());
      break;
    default:
      break;
  }
  return "talk to " + server_ + ": " + text;
}

void Transfer::end(CURLcode code) {
  if (code == CURLE_OK || enough_) return listener_->end({});
  listener_->end(fail(Errc::kUnavailable, why(code)));
}

void Transfer::end_silent() {
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(idle_limit_).count();
  listener_->end(fail(Errc::kUnavailable,
                      "talk to " + server_ + ": silent for " + std::to_string(limit) + " s"));
}

}  // namespace orb8::k8s
