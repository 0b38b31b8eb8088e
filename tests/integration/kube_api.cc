// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_api.h"

#include <fmt/format.h>
#include <httplib.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/integration/process_fixture.h"

namespace orb8::integration {
namespace {

using Json = nlohmann::json;

constexpr int kOk = 200;
constexpr std::chrono::seconds kStartPatience{60};
constexpr std::chrono::milliseconds kBetweenQuestions{20};

// Where tests/e2e/kubernetes.sh puts them.
std::filesystem::path programs() {
  if (const char* folder = std::getenv("ORB8_KUBE_PROGRAMS")) {
    return std::filesystem::path(folder) / "bin";
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const auto base = cache != nullptr
                        ? std::filesystem::path(cache)
                        : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return base / "orb8/kube/bin";
}

std::string loopback(const std::string& scheme, std::uint16_t port) {
  return scheme + "://127.0.0.1:" + std::to_string(port);
}

// A Go program that gives up says why first, and then what each of its goroutines was doing.
std::string last_words(Process& process) {
  constexpr std::size_t kEnough = 2000;
  const auto all = process.err();
  const auto stacks = std::min(all.find("\ngoroutine "), all.size());
  const auto begin = stacks - std::min(stacks, kEnough);
  return all.substr(begin, stacks - begin);
}

// One key pair for everything: the server's certificate, which vouches for itself, and the
// signatures of service accounts' tokens.
void make_certificate(const TempFolder& folder) {
  Process openssl("/usr/bin/openssl",
                  {.arguments = {"req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                                 "/CN=orb8-test", "-addext", "subjectAltName=IP:127.0.0.1",
                                 "-keyout", folder / "server.key", "-out", folder / "server.crt"}});
  if (openssl.exit_status() != 0) {
    throw std::runtime_error("openssl made no certificate: " + last_words(openssl));
  }
}

// It ends with these words when clients of its last run change Services while it looks at their
// addresses and node ports, and is to be started again (upstream's pkg/controlplane/controller.go,
// Start: "We should restart and retry").
bool ended_by_its_clients(Process& server) {
  const auto words = server.err();
  return words.contains("Unable to perform initial IP allocation check") ||
         words.contains("Unable to perform initial service nodePort check");
}

Json ask_etcd(std::uint16_t port, const std::string& path, const Json& body) {
  httplib::Client client(loopback("http", port));
  const auto answer = client.Post(path.c_str(), body.dump(), "application/json");
  if (!answer || answer->status != kOk) {
    throw std::runtime_error("etcd: " + path + ": " +
                             (answer ? answer->body : to_string(answer.error())));
  }
  return Json::parse(answer->body);
}

}  // namespace

std::string KubeApi::program(const std::string& name) {
  return programs() / name;
}

bool KubeApi::is_installed() {
  return std::filesystem::exists(program("etcd")) &&
         std::filesystem::exists(program("kube-apiserver")) &&
         std::filesystem::exists(program("kubectl"));
}

KubeApi::KubeApi(std::vector<std::string> flags)
    : flags_(std::move(flags)), etcd_port_(free_port()), port_(free_port()) {
  make_files();
  const auto clients = loopback("http", etcd_port_);
  const std::string peers = "http://127.0.0.1:0";
  etcd_ = std::make_unique<Process>(
      program("etcd"),
      Command{.arguments = {"--data-dir=" + (folder_ / "etcd"), "--unsafe-no-fsync",
                            "--listen-client-urls=" + clients, "--advertise-client-urls=" + clients,
                            "--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers,
                            "--initial-cluster=default=" + peers, "--log-level=warn"}});
  start_server();
}

void KubeApi::make_files() const {
  make_certificate(folder_);
  std::ofstream(folder_ / "tokens.csv") << token() << ",admin,1,\"system:masters\"\n"
                                        << weak_token() << ",nobody,2\n";
  const Json config = {
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", "test"},
      {"clusters",
       {{{"name", "test"},
         {"cluster", {{"server", url()}, {"certificate-authority", ca_file()}}}}}},
      {"users", {{{"name", "admin"}, {"user", {{"token", token()}}}}}},
      {"contexts", {{{"name", "test"}, {"context", {{"cluster", "test"}, {"user", "admin"}}}}}}};
  std::ofstream(kubeconfig()) << config.dump(2) << '\n';  // JSON is YAML
}

void KubeApi::start_server() {
  // Nothing runs that would make service accounts' tokens or the addresses of the API's own
  // Service.
  std::vector<std::string> arguments = {
      "--etcd-servers=" + loopback("http", etcd_port_),
      "--bind-address=127.0.0.1",
      "--secure-port=" + std::to_string(port_),
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      "--disable-admission-plugins=ServiceAccount",
      "--tls-cert-file=" + ca_file(),
      "--tls-private-key-file=" + (folder_ / "server.key"),
      "--token-auth-file=" + (folder_ / "tokens.csv"),
      "--authorization-mode=RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-account-key-file=" + ca_file(),
      "--service-account-signing-key-file=" + (folder_ / "server.key"),
      "--service-cluster-ip-range=10.96.0.0/16"};
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  const Command command{.arguments = std::move(arguments)};
  server_ = std::make_unique<Process>(program("kube-apiserver"), command);
  const auto end = std::chrono::steady_clock::now() + kStartPatience;
  while (!is_ready()) {
    const bool ended = server_->exit_status(kBetweenQuestions).has_value();
    const bool again = ended && ended_by_its_clients(*server_);
    if ((ended && !again) || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error(fmt::format(
          "kube-apiserver {}: {}", ended ? "ended" : "does not get ready", last_words(*server_)));
    }
    if (again) server_ = std::make_unique<Process>(program("kube-apiserver"), command);
  }
}

void KubeApi::kill_server() {
  server_.reset();
}

bool KubeApi::is_ready() const {
  try {
    // The namespace is made when it calls itself ready already.
    return call("GET", "/readyz").status == kOk &&
           call("GET", "/api/v1/namespaces/default").status == kOk;
  } catch (const std::runtime_error&) {
    return false;  // it does not listen yet
  }
}

std::string KubeApi::url() const {
  return loopback("https", port_);
}

HttpAnswer KubeApi::call(const std::string& method, const std::string& path,
                         const std::string& body, const std::string& token) const {
  return KubeConnection(url(), ca_file(), token).call(method, path, body);
}

std::string KubeApi::discovery() const {
  const std::string group = "/apis/discovery.k8s.io/";
  const bool has_v1 = call("GET", group + "v1").status == kOk;
  return group + (has_v1 ? "v1" : "v1beta1");
}

KubeConnection KubeApi::connect() const {
  return {url(), ca_file(), token()};
}

void KubeApi::compact() const {
  const auto status = ask_etcd(etcd_port_, "/v3/maintenance/status", Json::object());
  ask_etcd(etcd_port_, "/v3/kv/compaction",
           {{"revision", status["header"]["revision"]}, {"physical", true}});
}

}  // namespace orb8::integration
