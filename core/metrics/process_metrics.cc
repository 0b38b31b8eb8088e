// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/read_file.h"
#include "core/metrics/registry.h"

namespace orb8 {
namespace {

constexpr double kNsPerSecond = 1e9;

// What proc(5) says of /proc/self/stat, behind the name in parentheses, which may have any bytes.
struct Stat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since the boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

std::optional<Stat> parse_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream in{std::string(text.substr(name_end + 1))};
  const std::vector<std::string> fields(std::istream_iterator<std::string>(in), {});
  constexpr std::size_t kFirst = 3;  // the first field there, as proc(5) counts
  constexpr std::size_t kRss = 24;
  if (fields.size() <= kRss - kFirst) return std::nullopt;
  const auto number = [&](std::size_t field) -> std::uint64_t {
    return std::strtoull(fields[field - kFirst].c_str(), nullptr, 10);
  };
  return Stat{.user_ticks = number(14),
              .system_ticks = number(15),
              .threads = number(20),
              .start_ticks = number(22),
              .virtual_bytes = number(23),
              .resident_pages = number(kRss)};
}

// Seconds since the Unix epoch, worked out once: a step of the clock is no new start.
double start_time(const Stat& stat, double ticks_per_second) {
  static const double start = [&] {
    timespec up = {};
    ::clock_gettime(CLOCK_BOOTTIME, &up);
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    const double booted = now.count() - static_cast<double>(up.tv_sec) -
                          static_cast<double>(up.tv_nsec) / kNsPerSecond;
    return booted + static_cast<double>(stat.start_ticks) / ticks_per_second;
  }();
  return start;
}

std::optional<std::uint64_t> count_entries(const std::string& folder) {
  std::error_code error;
  std::uint64_t count = 0;
  for (auto at = std::filesystem::directory_iterator(folder, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    ++count;
  }
  if (error || count == 0) return std::nullopt;
  return count - 1;  // without the one that this took
}

}  // namespace

void collect_process_metrics(const TakeFamilyFn& take) {
  constexpr std::size_t kLongest = 4096;
  const auto text = read_file("/proc/self/stat", kLongest, "read /proc/self/stat");
  const auto stat = text ? parse_stat(*text) : std::nullopt;
  if (!stat) return;
  const auto ticks = static_cast<double>(std::max(::sysconf(_SC_CLK_TCK), 1L));
  const auto start = start_time(*stat, ticks);
  const auto tell = [&](MetricId id, MetricValue value) {
    MetricFamily family{.info = metric(id), .samples = {}};
    family.add({}, std::move(value), static_cast<std::int64_t>(start * kNsPerSecond));
    take(family);
  };
  tell(MetricId::kProcessCpu, static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks);
  tell(MetricId::kProcessResident,
       stat->resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  tell(MetricId::kProcessVirtual, stat->virtual_bytes);
  if (const auto fds = count_entries("/proc/self/fd")) tell(MetricId::kProcessOpenFds, *fds);
  rlimit most = {};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0) {
    tell(MetricId::kProcessMaxFds, std::uint64_t{most.rlim_cur});
  }
  tell(MetricId::kProcessThreads, stat->threads);
  tell(MetricId::kProcessStart, start);
}

}  // namespace orb8
