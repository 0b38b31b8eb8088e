// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_pods.h"

#include <spdlog/fmt/fmt.h>

#include <future>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace orb8::integration {
namespace {

using Json = nlohmann::json;

constexpr int kConnections = 4;

std::string name_of(int number) {
  return fmt::format("pod-{:07}", number);
}

void expect(int status, const HttpAnswer& answer) {
  if (answer.status != status) {
    throw std::runtime_error(fmt::format("HTTP {}: {}", answer.status, answer.body));
  }
}

}  // namespace

std::string numbered_pod(int number, std::size_t ballast) {
  const auto app = fmt::format("app-{}", number / 20);
  Json metadata = {{"name", name_of(number)}, {"labels", {{"app", app}}}};
  if (ballast > 0) metadata["annotations"] = {{"ballast", std::string(ballast, 'x')}};
  const auto owned = [&](const std::string& kind, const std::string& name, const std::string& is) {
    metadata["ownerReferences"] = {
        {{"apiVersion", "v1"}, {"kind", kind}, {"name", name}, {"uid", app}, {"controller", true}}};
    metadata["labels"]["is-of"] = is;
  };
  switch (number % 4) {
    case 0:
      metadata["labels"]["is-of"] = "Pod." + name_of(number);
      break;
    case 1:
      metadata["labels"]["pod-template-hash"] = "7d9f8b6c5d";
      owned("ReplicaSet", app + "-7d9f8b6c5d", "Deployment." + app);
      break;
    case 2:
      owned("StatefulSet", app, "StatefulSet." + app);
      break;
    default:
      owned("Job", app + "-27000001", "CronJob." + app);
  }
  return Json{{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", metadata},
              {"spec",
               {{"nodeName", fmt::format("node-{}", number % 10)},
                {"containers", {{{"name", "main"}, {"image", "web:1"}}}}}}}
      .dump();
}

std::string pod_path(int number) {
  return std::string(kPods) + "/" + name_of(number);
}

Addr pod_ip(int number) {
  return Addr::v4(10, static_cast<std::uint8_t>(number >> 16),
                  static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

std::string running_at(const Addr& ip) {
  const auto text = to_string(ip);
  return Json{{"status", {{"phase", "Running"}, {"podIP", text}, {"podIPs", {{{"ip", text}}}}}}}
      .dump();
}

void make_pods(const KubeApi& api, int first, int end, bool running, std::size_t ballast) {
  std::vector<std::future<void>> all;
  all.reserve(kConnections);
  for (int which = 0; which < kConnections; ++which) {
    all.push_back(std::async(std::launch::async, [=, &api] {
      auto connection = api.connect();
      for (int number = first + which; number < end; number += kConnections) {
        expect(201, connection.call("POST", kPods, numbered_pod(number, ballast)));
        if (!running) continue;
        expect(200,
               connection.call("PATCH", pod_path(number) + "/status", running_at(pod_ip(number))));
      }
    }));
  }
  for (auto& one : all) one.get();
}

}  // namespace orb8::integration
