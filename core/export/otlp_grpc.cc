// OTLP over gRPC.
// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/read_file.h"
#include "core/export/otlp_answer.h"
#include "core/export/otlp_transport.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"

namespace orb8 {
namespace {

namespace logs = opentelemetry::proto::collector::logs::v1;
namespace metrics = opentelemetry::proto::collector::metrics::v1;

constexpr std::string_view kDefaultPort = "4317";
constexpr std::size_t kLargestPem = 1UL << 20U;
constexpr int kReconnectWithinMs = 5'000;  // how often to try is the sender's to say
constexpr int kPingEveryMs = 60'000;       // or a receiver that vanished is noticed by a timeout

class OtlpGrpc final : public OtlpTransport {
 public:
  OtlpGrpc(const OtlpEndpoint& endpoint, const std::shared_ptr<grpc::Channel>& channel)
      : timeout_(endpoint.timeout),
        logs_(logs::LogsService::NewStub(channel)),
        metrics_(metrics::MetricsService::NewStub(channel)) {
    for (const auto& header : endpoint.headers) {
      auto name = header.substr(0, header.find('='));
      std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      headers_.emplace_back(std::move(name), header.substr(header.find('=') + 1));
    }
  }

  OtlpAnswer send(const OtlpLogs& request, const std::stop_token& give_up) override {
    return call<logs::ExportLogsServiceResponse>(*logs_, request, give_up);
  }
  OtlpAnswer send(const OtlpMetrics& request, const std::stop_token& give_up) override {
    return call<metrics::ExportMetricsServiceResponse>(*metrics_, request, give_up);
  }

 private:
  template <class Response, class Stub, class Request>
  OtlpAnswer call(Stub& stub, const Request& request, const std::stop_token& give_up) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout_);
    for (const auto& [name, value] : headers_) context.AddMetadata(name, value);
    const std::stop_callback cancel(give_up, [&] { context.TryCancel(); });
    Response response;
    const auto status = stub.Export(&context, request, &response);
    if (status.ok()) return answer_of_success(response);
    return answer_of_grpc(status.error_code(), status.error_message(), status.error_details());
  }

  std::chrono::milliseconds timeout_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::unique_ptr<logs::LogsService::Stub> logs_;
  std::unique_ptr<metrics::MetricsService::Stub> metrics_;
};

Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const OtlpEndpoint& endpoint) {
  if (!endpoint.url.starts_with("https://")) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  for (const auto& [file, text] : {std::pair{&endpoint.ca_file, &options.pem_root_certs},
                                   {&endpoint.cert_file, &options.pem_cert_chain},
                                   {&endpoint.key_file, &options.pem_private_key}}) {
    if (file->empty()) continue;
    auto pem = read_file(*file, kLargestPem, "read " + *file);
    if (!pem) return std::unexpected(pem.error());
    *text = std::move(*pem);
  }
  return grpc::SslCredentials(options);
}

// "HOST:PORT"; empty: there is a path behind it.
std::string authority_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find('/') != std::string_view::npos) return "";
  const auto port = url.rfind(':');
  const bool has_port =
      port != std::string_view::npos && url.find(']', port) == std::string_view::npos;
  return std::string(url) + (has_port ? "" : ":" + std::string(kDefaultPort));
}

}  // namespace

Result<std::unique_ptr<OtlpTransport>> open_otlp_grpc(const OtlpEndpoint& endpoint) {
  const auto authority = authority_of(endpoint.url);
  if (authority.empty()) {
    return fail(Errc::kInvalid, "otlp_endpoint: " + endpoint.url +
                                    " has a path, which gRPC does not; leave it out, or set "
                                    "otlp_protocol to http/protobuf");
  }
  const auto credentials = credentials_of(endpoint);
  if (!credentials) return std::unexpected(credentials.error());
  grpc::ChannelArguments arguments;
  // A connection of its own, that no other exporter's settings decide.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectWithinMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // the sender's
  arguments.SetUserAgentPrefix("orb8");
  if (endpoint.gzip) arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  return std::make_unique<OtlpGrpc>(endpoint,
                                    grpc::CreateCustomChannel(authority, *credentials, arguments));
}

}  // namespace orb8
