// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/libbpf_log.h"

#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace orb8 {
namespace {

constexpr std::size_t kKeptLines = 4;
constexpr std::size_t kLongestMessage = 64UL * 1024;  // a verifier log comes as one message

// Null outside a LibbpfLog: libbpf's print callback is one per process and has no context.
thread_local std::deque<std::string>* kept = nullptr;

void keep_lines(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (!line.empty() && !line.starts_with("-- ")) kept->emplace_back(line);
    if (kept->size() > kKeptLines) kept->pop_front();
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
}

[[gnu::format(printf, 2, 0)]] int print(libbpf_print_level level, const char* format,
                                        std::va_list args) {
  std::string text(kLongestMessage, '\0');
  const int length = std::vsnprintf(text.data(), text.size(), format, args);
  if (length < 0) return 0;
  text.resize(std::min<std::size_t>(static_cast<std::size_t>(length), text.size() - 1));
  while (text.ends_with('\n')) text.pop_back();
  spdlog::debug("libbpf: {}", text);
  if (level != LIBBPF_DEBUG && kept) keep_lines(text);
  return 0;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(kept) {
  kept = &lines_;
  libbpf_set_print(print);
}

LibbpfLog::~LibbpfLog() {
  kept = outer_;
}

std::string LibbpfLog::tail() const {
  std::string joined;
  for (const auto& line : lines_) joined += (joined.empty() ? "" : " | ") + line;
  return joined;
}

}  // namespace orb8
