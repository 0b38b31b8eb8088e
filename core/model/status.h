// How the parts are, and what was counted, dropped and lost: the truth behind `orb8 status`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orb8 {

struct Component {
  std::string name;  // "flow-source", "flow-table", "grpc", ...
  bool healthy = true;
  std::string reason;  // one sentence; empty when healthy
};

struct AttachedProgram {
  std::string program;    // "network_probe"
  std::string interface;  // "eth0"; or the tracepoint, or the cgroup
  std::uint32_t ifindex = 0;
  std::string direction;  // "ingress" or "egress"; empty: neither
  std::string mechanism;  // "tcx", "clsact", "tp_btf" or "cgroup"
};

// What became of every packet that met a probe. Packets are wire packets, bytes wire bytes.
struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct Accounting {
  Tally counted;                    // added to a flow in the kernel
  Tally spilled;                    // kernel map full: sent to user space and added to a flow there
  Tally lost;                       // kernel map full and no room to send: in no flow
  Tally duplicate;                  // counted before, on another interface or hook
  Tally own;                        // this agent's own gRPC traffic, left out on purpose
  Tally not_ip;                     // ARP, LLDP, ...
  Tally truncated;                  // headers cut short
  Tally unparsed;                   // more stacked headers than the parser follows
  std::uint64_t packet_events = 0;  // on-demand packet events sent to user space
  std::uint64_t packet_events_lost = 0;  // the packet ring was full
};

// How full something in the kernel was when it was last looked at: entries, or bytes.
struct Fill {
  std::string name;
  std::uint64_t used = 0;
  std::uint64_t size = 0;
};

// Counted by the kernel while kernel.bpf_stats_enabled is 1.
struct ProgramRuns {
  std::string program;
  std::uint64_t run_time_ns = 0;
  std::uint64_t runs = 0;
};

struct SourceStatus {
  std::string name;    // "tc" or "socket"
  std::string reason;  // why this source, and why not another
  Accounting accounting;
  // True: the kernel keeps no sum of what was counted, and the flow table's is the one.
  bool counted_by_table = false;
  // Sockets whose last record may have been missed: so many at most.
  std::uint64_t socket_ends_missed = 0;
  // Times that the kernel had no memory to remember a TCP socket.
  std::uint64_t sockets_untracked = 0;
  std::vector<AttachedProgram> programs;
  std::vector<Component> components;
  std::vector<Fill> maps;
  std::vector<Fill> rings;
  std::vector<ProgramRuns> runs;  // empty: nobody counts them
};

// What became of watching Kubernetes, of all kinds of objects together.
struct WatchCounters {
  std::uint64_t skipped_objects = 0;  // malformed, or longer than an object can be
  std::uint64_t relists = 0;          // lists after the first: there was no going on without
  std::uint64_t reconnects = 0;       // watches that broke and went on from where they were
  std::uint64_t failed_requests = 0;  // not answered, or refused
};

// What became of the records that go to one place, such as a file or a collector.
struct ExporterStatus {
  std::string name;    // "file", "otlp-logs", "otlp-metrics"
  std::string target;  // path or URL
  bool healthy = true;
  std::uint64_t exported = 0;  // written, or accepted
  std::uint64_t dropped = 0;   // never handed over: the queue was full, or there was no time left
  std::uint64_t failed = 0;    // handed over and not taken
  std::string reason = {};     // what is wrong now, one sentence; empty when healthy
};

struct Status {
  SourceStatus source;
  std::vector<Component> components;
  std::vector<ExporterStatus> exporters;
  std::uint64_t events_processed = 0;  // flow records and packet events handled
  std::uint64_t events_dropped = 0;  // all that was lost: packets, packet events, subscriber drops
  std::uint64_t subscriber_drops = 0;
  std::uint64_t flows_evicted = 0;
  std::uint64_t flows_expired = 0;
  std::uint64_t history_overwritten = 0;    // flows that ended, before their time
  std::int64_t history_from_ns = 0;         // Unix epoch: each flow that ended since is remembered
  std::uint64_t flows_ended_unseen = 0;     // their socket was gone: what they moved last is lost
  std::optional<WatchCounters> kubernetes;  // absent: no cluster is to be watched
  std::uint64_t pods_evicted = 0;           // that still ran
  std::uint64_t metric_series_folded = 0;   // for want of room
  std::uint64_t metric_series_expired = 0;  // with their pods
  std::uint32_t metric_series = 0;          // of flow metrics, now
  std::uint32_t metric_max_series = 0;
  std::uint32_t pods_tracked = 0;
  std::uint32_t active_flows = 0;
  std::uint32_t max_flows = 0;
  std::uint32_t history_flows = 0;  // that have ended, and are remembered
  std::uint32_t subscribers = 0;
  std::int64_t started_ns = 0;  // Unix epoch

  bool healthy() const;
};

}  // namespace orb8
