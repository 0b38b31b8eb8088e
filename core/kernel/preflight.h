// What this machine must allow before probes can be loaded, checked one by one with the remedy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace orb8 {

enum class CheckOutcome : std::uint8_t {
  kOk,
  kWarning,  // something will be missing, the rest works
  kFailed,   // nothing works without it
};

struct PreflightCheck {
  std::string name;
  CheckOutcome outcome = CheckOutcome::kOk;
  std::string detail;  // what was found
  std::string remedy;  // what to do; empty when ok
};

// Raises this process's limit on locked memory as far as it may be, and says how far; ~0 is none.
std::uint64_t raise_memlock_bytes();

// What the kernel's structs look like, without which the programs at sockets do not load.
constexpr std::string_view kKernelBtf = "/sys/kernel/btf/vmlinux";
bool can_read_kernel_btf(const std::string& root = "");

struct PreflightOptions {
  std::string root;            // "" for this machine; tests put a made-up /proc and /sys under it
  std::string kernel_release;  // "" for uname(2)'s
  // Called on kernels before 5.11 alone, which charge BPF maps to that limit.
  std::function<std::uint64_t()> raise_memlock = raise_memlock_bytes;
};

std::vector<PreflightCheck> run_preflight(const PreflightOptions& options);

// "kernel: 6.18.44 (5.8 or later is needed)". The outcome is the level that it is logged at.
std::string to_line(const PreflightCheck& check);

// No check failed; warnings pass.
bool passed(const std::vector<PreflightCheck>& checks);

// The failed checks in one sentence, with what to do.
std::string failure_text(const std::vector<PreflightCheck>& checks);

}  // namespace orb8
