// SPDX-License-Identifier: Apache-2.0
#include "core/export/scrape_format.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/export/open_metrics.h"
#include "core/export/prometheus.h"

namespace orb8 {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What is before the separator, and takes it and that off the text.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const auto part = trimmed(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  });
  return lower;
}

// How much a type is wanted, from 0 to 1.
struct Wish {
  std::string_view type;
  std::string_view version;
  double weight = 1;
};

Wish read_wish(std::string_view text) {
  Wish wish{.type = cut(text, ';')};
  while (!text.empty()) {
    auto value = cut(text, ';');
    const auto name = cut(value, '=');
    if (name == "version") wish.version = value;
    if (name == "q") {
      double weight = 0;  // as good as not wanted, if it is no number
      std::from_chars(value.data(), value.data() + value.size(), weight);
      wish.weight = weight >= 0 && weight <= 1 ? weight : 0;
    }
  }
  return wish;
}

}  // namespace

ScrapeFormat scrape_format(std::string_view accept) {
  const auto lower = lower_case(accept);
  std::string_view rest = lower;
  double open = 0;
  double plain = 0;
  while (!rest.empty()) {
    const auto wish = read_wish(cut(rest, ','));
    if (wish.type == "application/openmetrics-text") {
      if (wish.version.empty() || wish.version == "1.0.0") open = std::max(open, wish.weight);
    } else if (wish.type == "text/plain" || wish.type == "text/*" || wish.type == "*/*") {
      plain = std::max(plain, wish.weight);
    }
  }
  return open > plain ? ScrapeFormat::kOpenMetrics : ScrapeFormat::kText;
}

const char* content_type(ScrapeFormat format) {
  return format == ScrapeFormat::kOpenMetrics ? kOpenMetricsContentType : kPrometheusContentType;
}

std::string scrape_text(ScrapeFormat format, const CollectFn& collect) {
  return format == ScrapeFormat::kOpenMetrics ? open_metrics_text(collect)
                                              : prometheus_text(collect);
}

}  // namespace orb8
