// Whether the kernel counts the runs and the time of BPF programs, which adds to what they cost.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

namespace orb8 {

// So for as long as this lives, for the whole machine.
class BpfStats {
 public:
  explicit BpfStats(bool counted) {
    std::getline(std::ifstream(kSwitch), before_);
    std::ofstream(kSwitch) << (counted ? "1" : "0");
  }
  ~BpfStats() { std::ofstream(kSwitch) << before_; }
  BpfStats(const BpfStats&) = delete;
  BpfStats& operator=(const BpfStats&) = delete;

 private:
  static constexpr auto* kSwitch = "/proc/sys/kernel/bpf_stats_enabled";
  std::string before_;
};

}  // namespace orb8
