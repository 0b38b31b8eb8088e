// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_truth.h"

#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/integration/kube_churn.h"

namespace orb8::integration {
namespace {

using Json = nlohmann::json;

std::string line(const std::string& name, const std::string& node, const std::string& workload,
                 std::vector<std::string> ips) {
  std::ranges::sort(ips);
  return fmt::format("{} on {} of {} at {}", name, node, workload, fmt::join(ips, ","));
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

// At its address, by the ports that it has and by those that it had or will have; and by its node
// ports, on an address of this machine.
void compare_service(const k8s::Service& service, const KubeStore& store, Differences& found) {
  const auto compare = [&](const Addr& addr, std::uint16_t port, bool own,
                           const std::string& name) {
    const FlowKey key = {.dst = addr, .dst_port = port, .protocol = IPPROTO_TCP};
    const auto at = store.sides_of(key, false, own).dst.service;
    if (!at) {
      found.add(fmt::format("not held: the Service {}, port {}", service.name, port));
    } else if (at->uid != service.uid || at->name != service.name || at->port != name) {
      found.add(fmt::format("held as {}, port {} '{}': the Service {} with '{}'", at->name, port,
                            at->port, service.name, name));
    }
  };
  std::map<std::uint16_t, std::string> names;
  for (const auto port : kChurnedPorts) names[port] = "";
  for (const auto& port : service.ports) {
    names[port.port] = port.name;
    if (port.node_port != 0) compare({}, port.node_port, true, port.name);
  }
  for (const auto& ip : service.cluster_ips) {
    for (const auto& [port, name] : names) compare(ip, port, false, name);
  }
}

bool has(const std::vector<Addr>& ips, const Addr& ip) {
  return std::ranges::find(ips, ip) != ips.end();
}

int number_of(const std::string& name) {
  return std::stoi(name.substr(name.rfind('-') + 1));
}

void compare_node(const k8s::Node& node, const KubeStore& store, Differences& found) {
  const auto named = store.node_named(node.name);
  if (!named || named->uid != node.uid || named->zone != node.zone) {
    found.add(fmt::format("{}: the node {} in {}", named ? "held in " + named->zone : "not held",
                          node.name, node.zone));
  }
  for (const auto& ip : churned_node_ips(number_of(node.name))) {
    const auto at = store.endpoint_at(ip);
    const std::string uid = has(node.ips, ip) ? node.uid : "";
    if ((at ? at->uid : "") != uid) {
      found.add(fmt::format("held '{}' at {}: the node {}", at ? at->name : "", to_string(ip),
                            uid.empty() ? "that was there" : node.name));
    }
  }
}

// The one of its slices' ports that is at this address; null: none is.
const k8s::SlicePort* port_at(const Truth& truth, const k8s::Service& headless, const Addr& ip) {
  const auto slice = std::ranges::find(truth.slices, headless.name, &k8s::EndpointSlice::service);
  if (slice == truth.slices.end() || !has(slice->ips, ip)) return nullptr;
  return &slice->ports.at(0);
}

// The pod that the slice names at one of its addresses, where it still is.
void compare_behind(const Truth& truth, const KubeStore& store, const Endpoint& service,
                    const Addr& ip, std::uint16_t port, Differences& found) {
  const auto slice = std::ranges::find(truth.slices, service.name, &k8s::EndpointSlice::service);
  for (const auto& target : slice->targets) {
    if (target.ip != ip || !truth.pods.contains(target.pod_uid)) continue;
    const auto pod = store.behind(service, ip, port, IPPROTO_TCP);
    if (!pod || pod->uid != target.pod_uid) {
      found.add(fmt::format("held '{}' behind {}: {}", pod ? pod->name : "", service.name,
                            truth.pods.at(target.pod_uid)));
    }
  }
}

void compare_slices(const Truth& truth, const k8s::Service& headless, const KubeStore& store,
                    Differences& found) {
  for (const auto& ip : churned_slice_ips(number_of(headless.name))) {
    const auto* port = port_at(truth, headless, ip);
    for (const auto number : kChurnedPorts) {
      const bool is_there = port != nullptr && port->port == number;
      const auto expected = is_there ? headless.name + ":" + port->name : "";
      const FlowKey key = {.dst = ip, .dst_port = number, .protocol = IPPROTO_TCP};
      const auto at = store.sides_of(key, false, false).dst.service;
      const auto held = at ? at->name + ":" + at->port : "";
      if (held != expected) {
        found.add(fmt::format("held '{}' at {}:{}, which is '{}'", held, to_string(ip), number,
                              expected));
      } else if (at) {
        compare_behind(truth, store, *at, ip, number, found);
      }
    }
  }
}

std::string pod_line(const Json& pod) {
  std::vector<std::string> ips;
  for (const auto& ip : pod["status"].value("podIPs", Json::array())) ips.push_back(ip["ip"]);
  return line(pod["metadata"]["name"], pod["spec"].value("nodeName", ""),
              pod["metadata"]["labels"]["is-of"], std::move(ips));
}

Addr addr_of(const Json& text) {
  const auto addr = parse_addr(text.get<std::string>());
  if (!addr) throw std::runtime_error("no address: " + text.dump());
  return *addr;
}

k8s::Service service_of(const Json& object) {
  k8s::Service service;
  service.uid = object["metadata"]["uid"];
  service.name = object["metadata"]["name"];
  const auto ip = parse_addr(object["spec"]["clusterIP"].get<std::string>());  // or "None"
  if (ip) service.cluster_ips = {*ip};
  for (const auto& port : object["spec"]["ports"]) {
    service.ports.push_back({.name = port.value("name", ""),
                             .protocol = IPPROTO_TCP,
                             .port = port["port"],
                             .node_port = port.value("nodePort", std::uint16_t{0})});
  }
  return service;
}

k8s::Node node_of(const Json& object) {
  k8s::Node node;
  node.uid = object["metadata"]["uid"];
  node.name = object["metadata"]["name"];
  node.zone = object["metadata"]["labels"].value("topology.kubernetes.io/zone", "");
  for (const auto& address : object["status"]["addresses"]) {
    node.ips.push_back(addr_of(address["address"]));
  }
  return node;
}

k8s::EndpointSlice slice_of(const Json& object) {
  k8s::EndpointSlice slice;
  slice.uid = object["metadata"]["uid"];
  slice.name = object["metadata"]["name"];
  slice.service = object["metadata"]["labels"]["kubernetes.io/service-name"];
  for (const auto& endpoint : object["endpoints"]) {
    const auto ip = addr_of(endpoint["addresses"][0]);
    slice.ips.push_back(ip);
    if (!endpoint.contains("targetRef")) continue;
    slice.targets.push_back({.ip = ip, .pod_uid = endpoint["targetRef"]["uid"]});
  }
  for (const auto& port : object["ports"]) {
    slice.ports.push_back({.name = port["name"], .protocol = IPPROTO_TCP, .port = port["port"]});
  }
  return slice;
}

}  // namespace

Truth truth(const KubeApi& api) {
  const auto listed = [&](const std::string& path) {
    const auto answer = api.call("GET", path);
    if (answer.status != 200) throw std::runtime_error(path + ": " + answer.body);
    return Json::parse(answer.body)["items"];
  };
  Truth all;
  for (const auto& pod : listed("/api/v1/pods")) {
    all.pods[pod["metadata"]["uid"]] = pod_line(pod);
  }
  for (const auto& object : listed("/api/v1/services")) all.services.push_back(service_of(object));
  for (const auto& object : listed("/api/v1/nodes")) all.nodes.push_back(node_of(object));
  for (const auto& object : listed(api.discovery() + "/endpointslices")) {
    all.slices.push_back(slice_of(object));
  }
  return all;
}

std::string difference(const Truth& truth, const KubeStore& store) {
  Differences found;
  compare_pods(truth.pods, held_pods(store), found);
  for (const auto& service : truth.services) {
    compare_service(service, store, found);
    if (service.cluster_ips.empty()) compare_slices(truth, service, store, found);
  }
  for (const auto& node : truth.nodes) compare_node(node, store, found);
  const auto held = store.counts();
  if (held.services != truth.services.size()) {
    found.add(fmt::format("{} Services are held", held.services));
  }
  if (held.nodes != truth.nodes.size()) found.add(fmt::format("{} nodes are held", held.nodes));
  if (found.count == 0) return "";
  return fmt::format("{} of {} pods, {} Services, {} nodes and {} EndpointSlices: {}", found.count,
                     truth.pods.size(), truth.services.size(), truth.nodes.size(),
                     truth.slices.size(), found.first);
}

}  // namespace orb8::integration
