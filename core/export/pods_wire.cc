// SPDX-License-Identifier: Apache-2.0
#include "core/export/pods_wire.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "core/export/utf8.h"
#include "core/flow/name_pattern.h"

namespace orb8 {
namespace {

// Patterns, as a filter of flows has them; a text that is none matches nothing.
template <class Texts, class Parse, class Test>
bool empty_or_any(const Texts& texts, Parse parse, Test test) {
  return texts.empty() || std::ranges::any_of(texts, [&](const std::string& text) {
           const auto pattern = parse(text);
           return pattern && test(*pattern);
         });
}

bool is_asked_for(const Endpoint& pod, const v1::QueryPodsRequest& request) {
  return empty_or_any(request.namespaces(), parse_name_pattern,
                      [&](const auto& pattern) { return pattern.matches(pod.name_space); }) &&
         empty_or_any(request.pod_names(), parse_scoped_pattern, [&](const auto& pattern) {
           return pattern.matches(pod.name_space, pod.name);
         });
}

void put(const KubeStore::ListedPod& listed, v1::Pod& out) {
  const auto& pod = *listed.pod;
  const auto& endpoint = pod.endpoint;
  out.set_namespace_(valid_utf8(endpoint.name_space));
  out.set_name(valid_utf8(endpoint.name));
  out.set_uid(valid_utf8(endpoint.uid));
  for (const auto& ip : pod.ips) out.add_ips(to_string(ip));
  out.set_node(valid_utf8(endpoint.node));
  out.set_zone(valid_utf8(endpoint.zone));
  out.set_workload_kind(valid_utf8(endpoint.workload_kind));
  out.set_workload(valid_utf8(endpoint.workload));
  for (const auto& container : pod.containers) {
    auto& row = *out.add_containers();
    row.set_name(valid_utf8(container.name));
    row.set_id(valid_utf8(container.id));
  }
  out.set_host_network(pod.host_network);
  out.set_finished(pod.finished);
  out.set_cgroup_found(listed.cgroup);
  for (const auto& [key, value] : endpoint.labels) {
    (*out.mutable_labels())[valid_utf8(key)] = valid_utf8(value);
  }
}

}  // namespace

v1::QueryPodsResponse answer_pods(const v1::QueryPodsRequest& request, const KubeStore* kube,
                                  const NodeInfo& node) {
  v1::QueryPodsResponse answer;
  answer.set_node_name(valid_utf8(node.name));
  answer.set_kubernetes(kube != nullptr);
  if (kube == nullptr) return answer;
  auto pods = kube->pods();
  std::erase_if(pods, [&](const KubeStore::ListedPod& listed) {
    return !is_asked_for(listed.pod->endpoint, request);
  });
  std::ranges::sort(pods, {}, [](const KubeStore::ListedPod& listed) {
    const auto& endpoint = listed.pod->endpoint;
    return std::tie(endpoint.name_space, endpoint.name, endpoint.uid);
  });
  for (const auto& listed : pods) put(listed, *answer.add_pods());
  return answer;
}

}  // namespace orb8
