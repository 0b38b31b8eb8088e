// What is measured, part by part. A part that fails has measured nothing that counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "tests/bench/report.h"

namespace orb8::bench {

// Nanoseconds that each program adds to a packet.
Result<void> measure_kernel(Report& report);

// How much of a flood is accounted, here and by the classic design.
Result<void> measure_flood(Report& report);

// What the agent takes, and how fast it answers.
Result<void> measure_agent(Report& report);

// What the socket source takes to look at many live connections.
Result<void> measure_snapshot(Report& report);

// How fast connections open and close, with the agent and without.
Result<void> measure_churn(Report& report);

// How much goes over a wire, with the agent and without.
Result<void> measure_throughput(Report& report);

// What the agent weighs with many live connections.
Result<void> measure_memory(Report& report);

// What the names of a cluster's pods cost.
Result<void> measure_kube(Report& report);
// The share of it that takes a real API server; without one, nothing.
Result<void> measure_kube_api(Report& report);

// What it costs to hold a flow against a filter.
Result<void> measure_filter(Report& report);

// How fast events become lines, by the renderer and by the whole program.
Result<void> measure_json(Report& report);

// What it costs to count flows for Prometheus, and to tell it.
Result<void> measure_metrics(Report& report);

// Whether the agent grows or loses anything while traffic goes on.
Result<void> measure_soak(Report& report);

}  // namespace orb8::bench
