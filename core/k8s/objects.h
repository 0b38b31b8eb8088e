// What is kept of Kubernetes' objects: as much as it takes to name who is behind a flow.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/model/addr.h"

namespace orb8::k8s {

using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by key

// The owner reference that is marked `controller`; empty where there is none.
struct Controller {
  std::string kind;  // "ReplicaSet", "Job", "PyTorchJob", ...
  std::string name;
  bool operator==(const Controller&) const = default;
};

struct Container {
  std::string name;
  std::string id;  // 64 hexadecimal digits, without "containerd://"; empty before it has started
  bool operator==(const Container&) const = default;
};

struct Pod {
  std::string uid;
  std::string name_space;
  std::string name;
  std::string node;                   // spec.nodeName; empty before it is scheduled
  std::vector<Addr> ips;              // status.podIPs
  std::vector<Container> containers;  // init and ephemeral containers as well
  Controller controller;
  Labels labels;
  std::int64_t start_ns = 0;  // status.startTime, Unix epoch; the creation time before that
  bool host_network = false;
  bool finished = false;  // Succeeded or Failed: its addresses may already be another's
  // The annotation kubernetes.io/config.mirror: what the kubelet calls this static pod, in the
  // names of its cgroups too; empty for all others.
  std::string static_uid;
  bool operator==(const Pod&) const = default;
};

struct ServicePort {
  std::string name;           // empty where the only port has none
  std::uint8_t protocol = 0;  // IPPROTO_*
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  // 0: none
  bool operator==(const ServicePort&) const = default;
};

struct Service {
  std::string uid;
  std::string name_space;
  std::string name;
  std::vector<Addr> cluster_ips;   // empty: headless, or ExternalName
  std::vector<Addr> external_ips;  // spec.externalIPs and the load balancer's addresses
  std::vector<ServicePort> ports;
  bool operator==(const Service&) const = default;
};

struct Node {
  std::string uid;
  std::string name;
  std::vector<Addr> ips;          // of every type, and of the tunnels that its CNI tells of
  std::vector<Prefix> pod_cidrs;  // spec.podCIDRs: where its pods get theirs from, with many CNIs
  std::string zone;               // topology.kubernetes.io/zone, or its older name
  bool operator==(const Node&) const = default;
};

struct SlicePort {
  std::string name;
  std::uint8_t protocol = 0;  // IPPROTO_*
  std::uint16_t port = 0;     // 0: all ports
  bool operator==(const SlicePort&) const = default;
};

// Whose an endpoint's address is, as the slice says: of pods on the host's network nothing else
// tells.
struct SliceTarget {
  Addr ip;
  std::string pod_uid;
  bool operator==(const SliceTarget&) const = default;
};

// Of discovery.k8s.io/v1 or v1beta1: who stands behind a Service.
struct EndpointSlice {
  std::string uid;
  std::string name_space;
  std::string name;
  std::string service;    // the label kubernetes.io/service-name; empty: nobody's
  std::vector<Addr> ips;  // of all endpoints, ready or not
  std::vector<SlicePort> ports;
  std::vector<SliceTarget> targets = {};  // of those of `ips` that are said to be a pod's
  bool operator==(const EndpointSlice&) const = default;
};

using Object = std::variant<Pod, Service, Node, EndpointSlice>;

}  // namespace orb8::k8s
