// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_pods.h"

#include <netinet/in.h>
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
constexpr int kSteps = 6;
constexpr auto* kTouch = R"({"metadata":{"labels":{"touched":"yes"}}})";
constexpr auto* kPods = "/api/v1/namespaces/default/pods";
constexpr int kFirstOfChurn = 1'000'000;  // its pods' numbers are beyond all others

constexpr auto* kServices = "/api/v1/namespaces/default/services";
constexpr std::uint16_t kServicePort = 80;
constexpr std::uint16_t kChangedPort = 81;

std::string service_name(int number) {
  return fmt::format("service-{:07}", number);
}

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

std::string service_object(int number, std::uint16_t port_number) {
  const Json port = {{"name", fmt::format("port-{}", port_number)}, {"port", port_number}};
  return Json{{"metadata", {{"name", service_name(number)}}},
              {"spec", {{"ports", Json::array({port})}}}}
      .dump();
}

struct Differences {
  int count = 0;
  std::string first;
  void add(const std::string& text) {
    if (++count == 1) first = text;
  }
};

using Lines = std::map<std::string, std::string>;

Lines held_pods(const KubeStore& store) {
  Lines lines;
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

void compare_pods(const Lines& truth, const Lines& held, Differences& found) {
  for (const auto& [uid, line] : truth) {
    const auto at = held.find(uid);
    if (at == held.end()) {
      found.add("not held: " + line);
    } else if (at->second != line) {
      found.add("held as " + at->second + ": " + line);
    }
  }
  for (const auto& [uid, line] : held) {
    if (!truth.contains(uid)) found.add("held, but gone: " + line);
  }
}

// At its address, by the ports that it has and by those that it had or will have.
void compare_service(const k8s::Service& service, const KubeStore& store, Differences& found) {
  std::map<std::uint16_t, std::string> ports = {{kServicePort, ""}, {kChangedPort, ""}};
  for (const auto& port : service.ports) ports[port.port] = port.name;
  for (const auto& [port, name] : ports) {
    const FlowKey key = {
        .dst = service.cluster_ips.at(0), .dst_port = port, .protocol = IPPROTO_TCP};
    const auto at = store.sides_of(key, false, false).dst.service;
    if (!at) {
      found.add("not held: the Service " + service.name);
    } else if (at->uid != service.uid || at->name != service.name || at->port != name) {
      found.add(fmt::format("held as {}, port {} '{}': the Service {} with '{}'", at->name, port,
                            at->port, service.name, name));
    }
  }
}

// The next of its changes; they are to the pod and the Service of this `number`, which it chooses.
HttpAnswer change(KubeConnection& connection, int step, int which, int& number) {
  static std::atomic<int> next = kFirstOfChurn;  // no name twice in a process
  const int round = step / kSteps;
  const auto service = std::string(kServices) + "/" + service_name(number);
  switch (step % kSteps) {
    case 0:
      number = next++;
      return connection.call("POST", kPods, pod_object(number).dump());
    case 1:
      return connection.call("PATCH", pod_path(number) + "/status", running_at(pod_ip(number)));
    case 2: {  // of a pod that was there before: another address
      const int before = (round * kConnections + which) % 1'000;
      return connection.call("PATCH", pod_path(before) + "/status",
                             running_at(pod_ip(number + kFirstOfChurn)));
    }
    case 3:
      if (round % 2 == 0) {
        return connection.call("DELETE", pod_path(number) + "?gracePeriodSeconds=0");
      }
      return connection.call("PATCH", pod_path(number), kTouch);
    case 4:
      return connection.call("POST", kServices, service_object(number, kServicePort));
    default:
      if (round % 3 == 0) return connection.call("DELETE", service);
      return connection.call("PATCH", service, service_object(number, kChangedPort));
  }
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

Truth truth(const KubeApi& api) {
  const auto listed = [&](const std::string& resource) {
    const auto answer = api.call("GET", "/api/v1/" + resource);
    expect(200, answer);
    return Json::parse(answer.body)["items"];
  };
  Truth all;
  for (const auto& pod : listed("pods")) {
    const auto& metadata = pod["metadata"];
    std::vector<std::string> ips;
    for (const auto& ip : pod["status"].value("podIPs", Json::array())) ips.push_back(ip["ip"]);
    all.pods[metadata["uid"]] = line(metadata["name"], pod["spec"].value("nodeName", ""),
                                     metadata["labels"]["is-of"], std::move(ips));
  }
  for (const auto& service : listed("services")) {
    const auto& metadata = service["metadata"];
    k8s::Service made;
    made.uid = metadata["uid"];
    made.name = metadata["name"];
    made.cluster_ips = {*parse_addr(service["spec"]["clusterIP"].get<std::string>())};
    for (const auto& port : service["spec"]["ports"]) {
      made.ports.push_back(
          {.name = port.value("name", ""), .protocol = IPPROTO_TCP, .port = port["port"]});
    }
    all.services.push_back(std::move(made));
  }
  return all;
}

std::string difference(const Truth& truth, const KubeStore& store) {
  Differences found;
  compare_pods(truth.pods, held_pods(store), found);
  for (const auto& service : truth.services) compare_service(service, store, found);
  const auto held = store.counts().services;
  if (held != truth.services.size()) found.add(fmt::format("{} Services are held", held));
  if (found.count == 0) return "";
  return fmt::format("{} of {} pods and {} Services: {}", found.count, truth.pods.size(),
                     truth.services.size(), found.first);
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
  auto connection = api.connect();
  int number = 0;
  auto due = begin_;
  for (int step = 0; !stop_; ++step, due += kBetween) {
    std::this_thread::sleep_until(due);  // the pace that is asked for
    try {
      ++(change(connection, step, which, number).status < 300 ? made_ : refused_);
    } catch (const std::runtime_error&) {
      ++failed_;  // the server is away: that is what some tests are about
    }
  }
}

}  // namespace orb8::integration
