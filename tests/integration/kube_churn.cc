// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_churn.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/integration/kube_pods.h"

namespace orb8::integration {
namespace {

using Json = nlohmann::json;

constexpr int kConnections = 4;
constexpr int kFirst = 1'000'000;  // its objects' numbers are beyond all others
constexpr auto* kTouch = R"({"metadata":{"labels":{"touched":"yes"}}})";
constexpr auto* kServices = "/api/v1/namespaces/default/services";
constexpr auto* kNodes = "/api/v1/nodes";

std::string named(const char* kind, int number) {
  return fmt::format("{}-{:07}", kind, number);
}

std::array<Addr, 2> two_ips(int number, int which) {
  return {pod_ip(number + which * kFirst), pod_ip(number + (which + 1) * kFirst)};
}

Json ports(std::size_t change) {
  const auto number = kChurnedPorts.at(change);
  return Json::array({{{"name", fmt::format("port-{}", number)}, {"port", number}}});
}

// Some have node ports, of which the cluster has 2,768.
std::string service(int number, std::size_t change) {
  return Json{
      {"metadata", {{"name", named("service", number)}}},
      {"spec", {{"type", number % 4 == 0 ? "NodePort" : "ClusterIP"}, {"ports", ports(change)}}}}
      .dump();
}

std::string headless_service(int number) {
  return Json{{"metadata", {{"name", named("headless", number)}}},
              {"spec", {{"clusterIP", "None"}, {"ports", ports(0)}}}}
      .dump();
}

Json node_status(int number, std::size_t change) {
  const auto ip = to_string(churned_node_ips(number).at(change));
  return {{"addresses", Json::array({{{"type", "InternalIP"}, {"address", ip}}})}};
}

Json node_metadata(int number, std::size_t change) {
  return {{"name", named("churned", number)},
          {"labels", {{"topology.kubernetes.io/zone", fmt::format("zone-{}", change)}}}};
}

// `pod_uid`: behind it; empty: nobody that it would name.
Json slice_content(int number, std::size_t change, const std::string& pod_uid) {
  const auto ip = to_string(churned_slice_ips(number).at(change));
  Json endpoint = {{"addresses", Json::array({ip})}};
  if (!pod_uid.empty()) endpoint["targetRef"] = {{"kind", "Pod"}, {"uid", pod_uid}};
  return {{"endpoints", Json::array({endpoint})}, {"ports", ports(change)}};
}

std::string slice(int number, const std::string& pod_uid) {
  const auto name = named("headless", number);
  auto object = slice_content(number, 0, pod_uid);
  object["metadata"] = {{"name", name}, {"labels", {{"kubernetes.io/service-name", name}}}};
  object["addressType"] = "IPv4";
  return object.dump();
}

// One after the other, over one connection; each round is about new objects of one number.
class Changes {
 public:
  Changes(const KubeApi& api, int which)
      : connection_(api.connect()),
        slices_(api.discovery() + "/namespaces/default/endpointslices"),
        which_(which) {}

  HttpAnswer next() {
    const int step = step_++ % kSteps;
    if (step == 0) {
      static std::atomic<int> next_number = kFirst;  // no name twice in a process
      number_ = next_number++;
      pod_uid_.clear();
      ++round_;
    }
    if (step < 4) return change_pod(step);
    if (step < 6) return change_service(step - 4);
    if (step < 9) return change_node(step - 6);
    return change_slice(step - 9);
  }

 private:
  static constexpr int kSteps = 12;

  HttpAnswer change_pod(int step) {
    switch (step) {
      case 0: {
        auto answer = connection_.call("POST", kPods, numbered_pod(number_));
        if (answer.status == 201) pod_uid_ = Json::parse(answer.body)["metadata"]["uid"];
        return answer;
      }
      case 1:
        return connection_.call("PATCH", pod_path(number_) + "/status",
                                running_at(pod_ip(number_)));
      case 2: {  // of a pod that was there before: another address
        const int before = (round_ * kConnections + which_) % 1'000;
        return connection_.call("PATCH", pod_path(before) + "/status",
                                running_at(pod_ip(number_ + kFirst)));
      }
      default:
        if (round_ % 2 == 0) {
          return connection_.call("DELETE", pod_path(number_) + "?gracePeriodSeconds=0");
        }
        return connection_.call("PATCH", pod_path(number_), kTouch);
    }
  }

  HttpAnswer change_service(int step) {
    if (step == 0) return connection_.call("POST", kServices, service(number_, 0));
    const auto path = std::string(kServices) + "/" + named("service", number_);
    if (round_ % 3 == 0) return connection_.call("DELETE", path);
    return connection_.call("PATCH", path, service(number_, 1));
  }

  HttpAnswer change_node(int step) {
    const auto path = std::string(kNodes) + "/" + named("churned", number_);
    switch (step) {
      case 0:
        return connection_.call(
            "POST", kNodes,
            Json{{"metadata", node_metadata(number_, 0)}, {"status", node_status(number_, 0)}}
                .dump());
      case 1:
        return connection_.call("PATCH", path + "/status",
                                Json{{"status", node_status(number_, 1)}}.dump());
      default:
        if (round_ % 3 == 0) return connection_.call("DELETE", path);
        return connection_.call("PATCH", path,
                                Json{{"metadata", node_metadata(number_, 1)}}.dump());
    }
  }

  HttpAnswer change_slice(int step) {
    const auto path = slices_ + "/" + named("headless", number_);
    switch (step) {
      case 0:
        return connection_.call("POST", kServices, headless_service(number_));
      case 1:
        return connection_.call("POST", slices_, slice(number_, pod_uid_));
      default:
        if (round_ % 3 == 0) return connection_.call("DELETE", path);
        return connection_.call("PATCH", path, slice_content(number_, 1, pod_uid_).dump());
    }
  }

  KubeConnection connection_;
  std::string slices_;
  int which_;
  int step_ = 0;
  int round_ = -1;
  int number_ = 0;
  std::string pod_uid_;
};

}  // namespace

std::array<Addr, 2> churned_node_ips(int number) {
  return two_ips(number, 2);
}

std::array<Addr, 2> churned_slice_ips(int number) {
  return two_ips(number, 4);
}

Churn::Churn(const KubeApi& api) {
  for (int which = 0; which < kConnections; ++which) {
    threads_.emplace_back([this, &api, which] { run(api, which); });
  }
}

void Churn::stop() {
  stop_ = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

double Churn::made_per_second() const {
  return made_ / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void Churn::run(const KubeApi& api, int which) {
  constexpr auto kBetween = std::chrono::milliseconds(1000 * kConnections / kPerSecond);
  Changes changes(api, which);
  for (auto due = begin_; !stop_; due += kBetween) {
    std::this_thread::sleep_until(due);  // the pace that is asked for
    try {
      ++(changes.next().status < 300 ? made_ : refused_);
    } catch (const std::runtime_error&) {
      ++failed_;  // the server is away: that is what some tests are about
    }
  }
}

}  // namespace orb8::integration
