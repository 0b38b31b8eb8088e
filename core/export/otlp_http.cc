// OTLP over HTTP, in protobuf.
// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/curl.h"
#include "core/export/otlp_answer.h"
#include "core/export/otlp_transport.h"

namespace orb8 {
namespace {

namespace logs = opentelemetry::proto::collector::logs::v1;
namespace metrics = opentelemetry::proto::collector::metrics::v1;

constexpr std::size_t kLongestAnswer = 64UL << 10U;
constexpr int kOk = 200;
constexpr int kFirstOther = 300;

std::string body_of(const google::protobuf::MessageLite& message, bool gzip) {
  std::string body;
  if (!gzip) {
    message.SerializeToString(&body);
    return body;
  }
  google::protobuf::io::StringOutputStream out(&body);
  google::protobuf::io::GzipOutputStream zipped(&out);
  message.SerializeToZeroCopyStream(&zipped);
  zipped.Close();
  return body;
}

class OtlpHttp final : public OtlpTransport {
 public:
  explicit OtlpHttp(const OtlpEndpoint& endpoint)
      : endpoint_(endpoint), easy_(curl().easy_init()), multi_(curl().multi_init()) {
    while (endpoint_.url.ends_with('/')) endpoint_.url.pop_back();
    add_header("Content-Type: application/x-protobuf");
    if (endpoint_.gzip) add_header("Content-Encoding: gzip");
    add_header("Expect:");  // no round trip before the body
    for (auto header : endpoint_.headers) {
      add_header(header.replace(header.find('='), 1, ": "));
    }
  }
  OtlpHttp(const OtlpHttp&) = delete;
  OtlpHttp& operator=(const OtlpHttp&) = delete;
  ~OtlpHttp() override = default;

  // Whether libcurl had the memory for all of it.
  bool sound() const { return easy_ && multi_ && sound_; }

  OtlpAnswer send(const OtlpLogs& request, const std::stop_token& give_up) override {
    return post<logs::ExportLogsServiceResponse>("/v1/logs", request, give_up);
  }
  OtlpAnswer send(const OtlpMetrics& request, const std::stop_token& give_up) override {
    return post<metrics::ExportMetricsServiceResponse>("/v1/metrics", request, give_up);
  }

 private:
  template <class Response, class Request>
  OtlpAnswer post(std::string_view path, const Request& request, const std::stop_token& give_up) {
    const auto body = body_of(request, endpoint_.gzip);
    set_up(endpoint_.url + std::string(path), body);
    const auto code = perform(give_up);
    if (code != CURLE_OK) return {.fate = OtlpFate::kNotNow, .why = why(code)};
    long status = 0;
    curl_off_t retry_after = 0;
    curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl().easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
    if (status < kOk || status >= kFirstOther) {
      return answer_of_http(static_cast<int>(status), std::chrono::seconds(retry_after), answer_);
    }
    Response response;
    // Taken is taken: what cannot be read says nothing of a part.
    if (!response.ParseFromString(answer_)) return {};
    return answer_of_success(response);
  }

  void set_up(const std::string& url, const std::string& body) {
    curl().easy_reset(easy_.get());  // keeps its connection
    answer_.clear();
    error_.fill('\0');
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // does not wait for a resolver that hangs
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(endpoint_.timeout.count()));
    set(CURLOPT_USERAGENT, "orb8");
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_WRITEFUNCTION, &OtlpHttp::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!endpoint_.ca_file.empty()) {
      set(CURLOPT_CAINFO, endpoint_.ca_file.c_str());
      // Else the system's authorities would be trusted beside it.
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (!endpoint_.cert_file.empty()) {
      set(CURLOPT_SSLCERT, endpoint_.cert_file.c_str());
      set(CURLOPT_SSLKEY, endpoint_.key_file.c_str());
    }
  }

  // Through a multi handle, which another thread can wake.
  CURLcode perform(const std::stop_token& give_up) {
    constexpr int kLookAroundMs = 1000;
    const std::stop_callback wake(give_up, [this] { curl().multi_wakeup(multi_.get()); });
    curl().multi_add_handle(multi_.get(), easy_.get());
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    for (int running = 1; running > 0 && !give_up.stop_requested();) {
      if (curl().multi_perform(multi_.get(), &running) != CURLM_OK) break;
      if (running > 0) curl().multi_poll(multi_.get(), nullptr, 0, kLookAroundMs, nullptr);
    }
    int queued = 0;
    while (const auto* message = curl().multi_info_read(multi_.get(), &queued)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl().multi_remove_handle(multi_.get(), easy_.get());
    return code;
  }

  static std::size_t on_body(const char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& answer = static_cast<OtlpHttp*>(self)->answer_;
    if (answer.size() + size <= kLongestAnswer) answer.append(data, size);
    return size;
  }

  // Without what differs from try to try: it is logged once.
  std::string why(CURLcode code) const {
    std::string text = curl().easy_strerror(code);
    long os_errno = 0;
    if (code == CURLE_COULDNT_CONNECT) {
      curl().easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_errno);
      if (os_errno != 0) {
        text = std::strerror(static_cast<int>(os_errno));  // NOLINT(concurrency-mt-unsafe)
      }
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
      text = "no answer in time";
    } else if (error_[0] != '\0') {
      text = quotable(error_.data());
    }
    return text;
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl().easy_setopt(easy_.get(), option, value);
  }

  void add_header(const std::string& header) { sound_ = append(headers_, header) && sound_; }

  OtlpEndpoint endpoint_;
  CurlList headers_;
  CurlEasy easy_;
  CurlMulti multi_;
  std::string answer_;
  std::array<char, CURL_ERROR_SIZE> error_ = {};
  bool sound_ = true;
};

}  // namespace

Result<std::unique_ptr<OtlpTransport>> open_otlp_http(const OtlpEndpoint& endpoint) {
  if (auto ok = load_curl(); !ok) return std::unexpected(ok.error());
  auto made = std::make_unique<OtlpHttp>(endpoint);
  if (!made->sound()) return fail(Errc::kInternal, "set up requests to " + endpoint.url);
  return made;
}

}  // namespace orb8
