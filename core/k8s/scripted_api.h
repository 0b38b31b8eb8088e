// An HTTP server on loopback that answers as a test tells it to, and whose streams the test holds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orb8::k8s {

// The body of an answer, as long as the test likes it to go on.
class Stream {
 public:
  void send(const std::string& bytes) {
    change([&] { waiting_ += bytes; });
  }
  void end() {
    change([&] { ended_ = true; });
  }
  // The connection is closed in the middle of the body.
  void cut() {
    change([&] { cut_ = true; });
  }

  // Called by the server, again and again, until it is false or done.
  bool write_to(httplib::DataSink& sink) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || ended_ || cut_; });
    const auto bytes = std::exchange(waiting_, {});
    if (!bytes.empty() && !sink.write(bytes.data(), bytes.size())) return false;
    if (cut_) return false;
    if (ended_) sink.done();
    return true;
  }

 private:
  template <class Change>
  void change(Change how) {
    const std::scoped_lock lock(mutex_);
    how();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  bool ended_ = false;
  bool cut_ = false;
};

struct Answer {
  int status = 200;
  std::string body = {};
  httplib::Headers headers = {};
  std::shared_ptr<Stream> stream = nullptr;  // in place of the body
};

struct TlsFiles {
  std::string cert;
  std::string key;
  std::string client_ca;  // whose certificates clients must have
};

class ScriptedApi {
 public:
  using Script = std::function<Answer(const httplib::Request&)>;

  explicit ScriptedApi(Script script, int port = 0)
      : ScriptedApi(std::move(script), port, nullptr) {}
  ScriptedApi(Script script, const TlsFiles& tls, int port = 0)
      : ScriptedApi(std::move(script), port, &tls) {}

  ~ScriptedApi() {
    server_->stop();
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    for (const auto& stream : streams_) stream->cut();
  }
  ScriptedApi(const ScriptedApi&) = delete;
  ScriptedApi& operator=(const ScriptedApi&) = delete;

  int port() const { return port_; }
  std::string url() const { return scheme_ + "127.0.0.1:" + std::to_string(port_); }

  // What was asked for so far that has all of these words in it.
  std::vector<std::string> asked(const std::vector<std::string>& words) const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> found;
    for (const auto& target : targets_) {
      const auto has = [&](const std::string& word) { return target.contains(word); };
      if (std::ranges::all_of(words, has)) found.push_back(target);
    }
    return found;
  }

 private:
  ScriptedApi(Script script, int port, const TlsFiles* tls)
      : script_(std::move(script)), scheme_(tls == nullptr ? "http://" : "https://") {
    if (tls == nullptr) {
      server_ = std::make_unique<httplib::Server>();
    } else {
      server_ = std::make_unique<httplib::SSLServer>(
          tls->cert.c_str(), tls->key.c_str(),
          tls->client_ca.empty() ? nullptr : tls->client_ca.c_str());
    }
    // A watch holds a thread, and so does one whose client is gone, until the test ends it.
    server_->new_task_queue = [] { return new httplib::ThreadPool(64); };
    server_->set_tcp_nodelay(true);
    server_->Get(".*", [this](const auto& request, auto& response) { answer(request, response); });
    port_ = port == 0 ? server_->bind_to_any_port("127.0.0.1") : port;
    if (port_ <= 0 || (port != 0 && !server_->bind_to_port("127.0.0.1", port))) {
      throw std::runtime_error("cannot listen on loopback");
    }
    thread_ = std::jthread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();  // stop() before that is lost
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    {
      const std::scoped_lock lock(mutex_);
      targets_.push_back(request.target);
    }
    auto answer = script_(request);
    response.status = answer.status;
    response.headers = answer.headers;
    // Of a type that httplib leaves as it is.
    const char* const type = "application/octet-stream";
    if (!answer.stream) return response.set_content(answer.body, type);
    {
      const std::scoped_lock lock(mutex_);
      streams_.push_back(answer.stream);
      if (stopped_) answer.stream->cut();
    }
    response.set_chunked_content_provider(
        type, [stream = answer.stream](std::size_t, httplib::DataSink& sink) {
          return stream->write_to(sink);
        });
  }

  Script script_;
  std::string scheme_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> targets_;
  std::vector<std::shared_ptr<Stream>> streams_;
  bool stopped_ = false;
  std::unique_ptr<httplib::Server> server_;
  std::jthread thread_;
};

}  // namespace orb8::k8s
