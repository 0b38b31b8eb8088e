// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_pods.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <exception>
#include <future>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace orb8::integration {
namespace {

using Json = nlohmann::json;

constexpr int kConnections = 4;
constexpr auto* kPods = "/api/v1/namespaces/default/pods";
constexpr int kFirstOfChurn = 1'000'000;  // its pods' numbers are beyond all others

std::string name_of(int number) {
  return fmt::format("pod-{:07}", number);
}

// What its label "is-of" says is what it is to be taken for.
Json pod_object(int number) {
  const auto app = fmt::format("app-{}", number / 20);
  Json metadata = {{"name", name_of(number)}, {"labels", {{"app", app}}}};
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
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", metadata},
          {"spec",
           {{"nodeName", fmt::format("node-{}", number % 10)},
            {"containers", {{{"name", "main"}, {"image", "web:1"}}}}}}};
}

void expect(int status, const HttpAnswer& answer) {
  if (answer.status != status) {
    throw std::runtime_error(fmt::format("HTTP {}: {}", answer.status, answer.body));
  }
}

std::string line(const std::string& name, const std::string& node, const std::string& workload,
                 std::vector<std::string> ips) {
  std::ranges::sort(ips);
  return fmt::format("{} on {} of {} at {}", name, node, workload, fmt::join(ips, ","));
}

}  // namespace

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

void make_pods(const KubeApi& api, int first, int end, bool running) {
  std::vector<std::future<void>> all;
  for (int which = 0; which < kConnections; ++which) {
    all.push_back(std::async(std::launch::async, [=, &api] {
      auto connection = api.connect();
      for (int number = first + which; number < end; number += kConnections) {
        expect(201, connection.call("POST", kPods, pod_object(number).dump()));
        if (!running) continue;
        expect(200,
               connection.call("PATCH", pod_path(number) + "/status", running_at(pod_ip(number))));
      }
    }));
  }
  for (auto& one : all) one.get();
}

PodLines truth(const KubeApi& api) {
  const auto answer = api.call("GET", "/api/v1/pods");
  expect(200, answer);
  PodLines lines;
  const auto list = Json::parse(answer.body);
  for (const auto& pod : list["items"]) {
    const auto& metadata = pod["metadata"];
    std::vector<std::string> ips;
    for (const auto& ip : pod["status"].value("podIPs", Json::array())) ips.push_back(ip["ip"]);
    lines[metadata["uid"]] = line(metadata["name"], pod["spec"].value("nodeName", ""),
                                  metadata["labels"]["is-of"], std::move(ips));
  }
  return lines;
}

PodLines held(const KubeStore& store) {
  PodLines lines;
  for (const auto& [pod, cgroup] : store.pods()) {
    const auto& endpoint = pod->endpoint;
    std::vector<std::string> ips;
    for (const auto& ip : pod->ips) {
      const auto found = store.endpoint_at(ip);
      ips.push_back(found && found->uid == endpoint.uid ? to_string(ip)
                                                        : to_string(ip) + " (another's)");
    }
    lines[endpoint.uid] = line(endpoint.name, endpoint.node,
                               endpoint.workload_kind + "." + endpoint.workload, std::move(ips));
  }
  return lines;
}

std::string difference(const PodLines& truth, const PodLines& held) {
  int differing = 0;
  std::string first;
  const auto differs = [&](const std::string& text) {
    if (++differing == 1) first = text;
  };
  for (const auto& [uid, line] : truth) {
    const auto found = held.find(uid);
    if (found == held.end()) {
      differs("not held: " + line);
    } else if (found->second != line) {
      differs("held as " + found->second + ": " + line);
    }
  }
  for (const auto& [uid, line] : held) {
    if (!truth.contains(uid)) differs("held, but gone: " + line);
  }
  return differing == 0 ? "" : fmt::format("{} of {} pods: {}", differing, truth.size(), first);
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

void Churn::run(const KubeApi& api, int which) {
  constexpr auto kBetween = std::chrono::milliseconds(1000 * kConnections / 200);
  constexpr auto* kTouch = R"({"metadata":{"labels":{"touched":"yes"}}})";
  static std::atomic<int> next_pod = kFirstOfChurn;  // no name twice in a process
  auto connection = api.connect();
  int number = 0;
  auto due = std::chrono::steady_clock::now();
  for (int step = 0; !stop_; ++step, due += kBetween) {
    std::this_thread::sleep_until(due);  // the pace that is asked for
    try {
      HttpAnswer answer;
      switch (step % 4) {
        case 0:
          number = next_pod++;
          answer = connection.call("POST", kPods, pod_object(number).dump());
          break;
        case 1:
          answer =
              connection.call("PATCH", pod_path(number) + "/status", running_at(pod_ip(number)));
          break;
        case 2:  // of a pod that was there before: another address
          answer = connection.call("PATCH", pod_path(step * kConnections + which) + "/status",
                                   running_at(pod_ip(number + kFirstOfChurn)));
          break;
        default:
          answer = step % 8 == 3
                       ? connection.call("DELETE", pod_path(number) + "?gracePeriodSeconds=0")
                       : connection.call("PATCH", pod_path(number), kTouch);
      }
      if (answer.status < 300) ++made_;
    } catch (const std::runtime_error&) {
      ++failed_;  // the server is away: that is what some tests are about
    }
  }
}

}  // namespace orb8::integration
