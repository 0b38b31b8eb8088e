// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/boot_clock.h"

#include <bpf/bpf.h>

#include <array>
#include <cstring>
#include <ctime>

#include "common/clock.h"

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kSmallestFrame = 64;

std::int64_t read_clock(clockid_t clock) {
  timespec now = {};
  ::clock_gettime(clock, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

}  // namespace

Result<BootClock> BootClock::open(int clock_program_fd) {
  BootClock clock(clock_program_fd);
  if (auto ok = clock.refresh(); !ok) return std::unexpected(ok.error());
  return clock;
}

Result<void> BootClock::refresh() {
  std::array<std::uint8_t, kSmallestFrame> frame = {};
  std::array<std::uint8_t, kSmallestFrame> out = {};
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data(), .data_out = out.data(),
              .data_size_in = frame.size(), .data_size_out = out.size());
  if (const int err = bpf_prog_test_run_opts(program_fd_, &opts); err != 0) {
    return sys_error(-err, "read the kernel's clocks (BPF_PROG_TEST_RUN of orb8_clock)");
  }
  orb8_clock_pair pair = {};
  std::memcpy(&pair, out.data(), sizeof(pair));
  boot_to_wall_ns_ = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
  jiffies_ = pair.jiffies;
  jiffies_wall_ns_ = wall_ns(pair.boot_ns);
  return {};
}

std::int64_t BootClock::wall_ns(std::uint64_t boot_ns) const noexcept {
  return static_cast<std::int64_t>(boot_ns) + boot_to_wall_ns_;
}

std::int64_t BootClock::wall_of_jiffies(std::uint64_t jiffies) const noexcept {
  const auto ticks = static_cast<std::int64_t>(jiffies - jiffies_);
  return jiffies_wall_ns_ + ticks * tick_ns();
}

std::int64_t BootClock::now_ns() const noexcept {
  return read_clock(CLOCK_REALTIME);
}

std::uint64_t BootClock::jiffies_per_second() const noexcept {
  return static_cast<std::uint64_t>(kNsPerSecond / tick_ns());
}

std::int64_t BootClock::tick_ns() {
  static const std::int64_t tick = [] {
    timespec resolution = {};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
    return resolution.tv_sec * kNsPerSecond + resolution.tv_nsec;
  }();
  return tick;
}

}  // namespace orb8
