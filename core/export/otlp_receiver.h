// For tests: OTLP receivers as real servers on loopback, over gRPC and over HTTP, which keep what
// they get and answer by a script.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/read_file.h"
#include "core/export/otlp_transport.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"

namespace orb8 {

struct OtlpReply {
  int code = 0;  // of gRPC, or an HTTP status; 0: taken
  std::string message = {};
  std::optional<int> retry_seconds = {};
  std::int64_t rejected = 0;
  bool hang = false;  // until the receiver ends, or is told to go on
};

// What a receiver says, one reply for each request and then "taken", and what it got.
class OtlpScript {
 public:
  void say(std::deque<OtlpReply> replies) {
    const std::lock_guard lock(mutex_);
    replies_ = std::move(replies);
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }
  std::vector<OtlpLogs> logs() const {
    const std::lock_guard lock(mutex_);
    return logs_;
  }
  std::vector<OtlpMetrics> metrics() const {
    const std::lock_guard lock(mutex_);
    return metrics_;
  }
  std::vector<opentelemetry::proto::logs::v1::LogRecord> records() const {
    std::vector<opentelemetry::proto::logs::v1::LogRecord> all;
    for (const auto& request : logs()) {
      for (const auto& record : request.resource_logs(0).scope_logs(0).log_records()) {
        all.push_back(record);
      }
    }
    return all;
  }
  std::size_t requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string header(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = headers_.find(name);
    return found == headers_.end() ? "" : found->second;
  }

  // Called by servers.
  OtlpReply next(std::map<std::string, std::string> headers) {
    std::unique_lock lock(mutex_);
    ++requests_;
    headers_ = std::move(headers);
    if (replies_.empty()) return {};
    const auto reply = replies_.front();
    replies_.pop_front();
    if (reply.hang) changed_.wait(lock, [&] { return let_go_; });
    return reply;
  }
  void keep(const OtlpLogs& request) {
    const std::lock_guard lock(mutex_);
    logs_.push_back(request);
  }
  void keep(const OtlpMetrics& request) {
    const std::lock_guard lock(mutex_);
    metrics_.push_back(request);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<OtlpReply> replies_;
  std::vector<OtlpLogs> logs_;
  std::vector<OtlpMetrics> metrics_;
  std::map<std::string, std::string> headers_;  // of the last request
  std::size_t requests_ = 0;
  bool let_go_ = false;
};

inline void reject(std::int64_t count, const std::string& why,
                   opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse& out) {
  out.mutable_partial_success()->set_rejected_log_records(count);
  out.mutable_partial_success()->set_error_message(why);
}
inline void reject(
    std::int64_t count, const std::string& why,
    opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse& out) {
  out.mutable_partial_success()->set_rejected_data_points(count);
  out.mutable_partial_success()->set_error_message(why);
}

// Certificates, where it speaks TLS: its own, and of whom its clients' must be.
struct OtlpTlsFiles {
  std::string cert;
  std::string key;
  std::string client_ca;
};

class OtlpGrpcReceiver {
 public:
  // `port` 0: any that is free.
  explicit OtlpGrpcReceiver(OtlpScript& script, const std::optional<OtlpTlsFiles>& tls = {},
                            int port = 0)
      : script_(script), logs_(script), metrics_(script), tls_(tls.has_value()) {
    auto credentials = grpc::InsecureServerCredentials();
    if (tls) {
      const auto text = [](const std::string& file) { return *read_file(file, 1UL << 20U, ""); };
      grpc::SslServerCredentialsOptions options(
          GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
      options.pem_root_certs = text(tls->client_ca);
      options.pem_key_cert_pairs.push_back({text(tls->key), text(tls->cert)});
      credentials = grpc::SslServerCredentials(options);
    }
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), credentials, &port_);
    builder.RegisterService(&logs_);
    builder.RegisterService(&metrics_);
    server_ = builder.BuildAndStart();
  }
  OtlpGrpcReceiver(const OtlpGrpcReceiver&) = delete;
  OtlpGrpcReceiver& operator=(const OtlpGrpcReceiver&) = delete;
  ~OtlpGrpcReceiver() {
    script_.let_go();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  int port() const { return port_; }
  std::string url() const {
    return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_);
  }

 private:
  template <class Service, class Request, class Response>
  class Of final : public Service {
   public:
    explicit Of(OtlpScript& script) : script_(script) {}
    grpc::Status Export(grpc::ServerContext* context, const Request* request,
                        Response* response) override {
      std::map<std::string, std::string> headers;
      for (const auto& [name, value] : context->client_metadata()) {
        headers[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
      }
      const auto reply = script_.next(std::move(headers));
      if (reply.code == 0) {
        script_.keep(*request);
        if (reply.rejected > 0) reject(reply.rejected, reply.message, *response);
        return grpc::Status::OK;
      }
      google::rpc::Status details;
      if (reply.retry_seconds) {
        google::rpc::RetryInfo info;
        info.mutable_retry_delay()->set_seconds(*reply.retry_seconds);
        auto& any = *details.add_details();
        any.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
        any.set_value(info.SerializeAsString());
      }
      return {static_cast<grpc::StatusCode>(reply.code), reply.message,
              details.SerializeAsString()};
    }

   private:
    OtlpScript& script_;
  };
  using Logs = Of<opentelemetry::proto::collector::logs::v1::LogsService::Service, OtlpLogs,
                  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse>;
  using Metrics =
      Of<opentelemetry::proto::collector::metrics::v1::MetricsService::Service, OtlpMetrics,
         opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse>;

  OtlpScript& script_;
  Logs logs_;
  Metrics metrics_;
  bool tls_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class OtlpHttpReceiver {
 public:
  explicit OtlpHttpReceiver(OtlpScript& script, const std::optional<OtlpTlsFiles>& tls = {},
                            int port = 0)
      : script_(script), tls_(tls.has_value()) {
    if (tls) {
      server_ = std::make_unique<httplib::SSLServer>(tls->cert.c_str(), tls->key.c_str(),
                                                     tls->client_ca.c_str());
    } else {
      server_ = std::make_unique<httplib::Server>();
    }
    serve<OtlpLogs, opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse>(
        "/v1/logs");
    serve<OtlpMetrics, opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse>(
        "/v1/metrics");
    port_ = port == 0 ? server_->bind_to_any_port("127.0.0.1") : port;
    if (port != 0) server_->bind_to_port("127.0.0.1", port);
    thread_ = std::jthread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  OtlpHttpReceiver(const OtlpHttpReceiver&) = delete;
  OtlpHttpReceiver& operator=(const OtlpHttpReceiver&) = delete;
  ~OtlpHttpReceiver() {
    script_.let_go();
    server_->stop();
  }

  int port() const { return port_; }
  std::string url() const {
    return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_) + "/prefix";
  }

 private:
  template <class Request, class Response>
  void serve(const std::string& path) {
    server_->Post("/prefix" + path, [this](const httplib::Request& got, httplib::Response& answer) {
      const auto reply = script_.next({got.headers.begin(), got.headers.end()});
      if (reply.code != 0) {
        google::rpc::Status details;
        details.set_message(reply.message);
        answer.status = reply.code;
        if (reply.retry_seconds) {
          answer.set_header("Retry-After", std::to_string(*reply.retry_seconds));
        }
        answer.set_content(details.SerializeAsString(), "application/x-protobuf");
        return;
      }
      Request request;
      if (!request.ParseFromString(got.body)) {
        answer.status = 400;
        return;
      }
      script_.keep(request);
      Response response;
      if (reply.rejected > 0) reject(reply.rejected, reply.message, response);
      answer.set_content(response.SerializeAsString(), "application/x-protobuf");
    });
  }

  OtlpScript& script_;
  bool tls_;
  int port_ = 0;
  std::unique_ptr<httplib::Server> server_;
  std::jthread thread_;
};

}  // namespace orb8
