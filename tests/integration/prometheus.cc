// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/prometheus.h"

#include <httplib.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/integration/process_fixture.h"

namespace orb8::integration {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr int kOk = 200;
constexpr auto kBetweenQuestions = 50ms;

std::string configuration(const std::vector<std::string>& targets) {
  // As the PodMonitor in deploy/monitoring has it: each target has labels of the agent's own pod.
  const Json labels = {{"namespace", "orb8-system"}, {"pod", "orb8-agent-x7k2p"}};
  Json job = {{"job_name", "orb8-agent"}, {"honor_labels", true}};
  job["static_configs"] = Json::array({{{"targets", targets}, {"labels", labels}}});
  const Json all = {{"global", {{"scrape_interval", "1s"}, {"scrape_timeout", "1s"}}},
                    {"scrape_configs", Json::array({job})}};
  return all.dump();  // JSON is YAML
}

}  // namespace

std::string Prometheus::program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto whole = folder + "/" + name;
    if (::access(whole.c_str(), X_OK) == 0) return whole;
  }
  return "";
}

bool Prometheus::is_installed() {
  return !program("prometheus").empty() && !program("promtool").empty();
}

Prometheus::Prometheus(const std::vector<std::string>& targets) : port_(free_port()) {
  std::ofstream(folder_ / "prometheus.yml") << configuration(targets);
  process_ = std::make_unique<Process>(
      program("prometheus"),
      Command{.arguments = {"--config.file=" + (folder_ / "prometheus.yml"),
                            "--storage.tsdb.path=" + (folder_ / "data"),
                            "--web.listen-address=127.0.0.1:" + std::to_string(port_),
                            "--log.level=warn"}});
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    httplib::Client client("127.0.0.1", port_);
    const auto answer = client.Get("/-/ready");
    if (answer && answer->status == kOk) return;
    const bool ended = process_->exit_status(kBetweenQuestions).has_value();
    if (ended || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("prometheus does not get ready: " + process_->err());
    }
  }
}

std::string Prometheus::get(const std::string& path) const {
  httplib::Client client("127.0.0.1", port_);
  const auto answer = client.Get(path.c_str());
  if (!answer) throw std::runtime_error("prometheus: " + to_string(answer.error()));
  if (answer->status != kOk) throw std::runtime_error("prometheus: " + answer->body);
  return answer->body;
}

std::vector<Prometheus::Sample> Prometheus::query(const std::string& promql) const {
  const auto path = httplib::append_query_params("/api/v1/query", {{"query", promql}});
  const auto data = Json::parse(get(path)).at("data");
  const auto number = [](const Json& pair) { return std::stod(pair.at(1).get<std::string>()); };
  if (data.at("resultType") == "scalar") return {{.labels = {}, .value = number(data["result"])}};
  if (data.at("resultType") != "vector") throw std::runtime_error(promql + ": is no vector");
  std::vector<Sample> samples;
  for (const auto& one : data.at("result")) {
    samples.push_back({.labels = one.at("metric"), .value = number(one.at("value"))});
  }
  return samples;
}

std::vector<std::string> Prometheus::label_values(const std::string& selector,
                                                  const std::string& label) const {
  const auto path =
      httplib::append_query_params("/api/v1/label/" + label + "/values", {{"match[]", selector}});
  return Json::parse(get(path)).at("data");
}

double Prometheus::sum(const std::string& promql) const {
  double all = 0;
  for (const auto& sample : query(promql)) all += sample.value;
  return all;
}

bool Prometheus::comes_to(const std::string& promql, double value,
                          std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (sum(promql) != value) {
    if (std::chrono::steady_clock::now() > end) return false;
    process_->exit_status(kBetweenQuestions);  // waits, unless it is over
  }
  return true;
}

}  // namespace orb8::integration
