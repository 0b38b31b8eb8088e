// SPDX-License-Identifier: Apache-2.0
#include "core/export/open_metrics.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "core/export/prometheus.h"

namespace orb8 {
namespace {

void add_escaped(std::string& out, std::string_view text) {
  for (const char byte : text) {
    if (byte == '\n') {
      out += "\\n";
      continue;
    }
    if (byte == '\\' || byte == '"') out += '\\';
    out += byte;
  }
}

// What is between the braces.
std::string labels_of(const MetricSample& sample) {
  std::string out;
  for (const auto& label : sample.labels) {
    if (!is_scraped(label)) continue;
    if (!out.empty()) out += ',';
    out += label.name;
    out += "=\"";
    add_escaped(out, label.value);
    out += '"';
  }
  return out;
}

// A bound is told as a number with a point, by which all that tell the same name the same series.
std::string bound_text(const HistogramValue& histogram, std::size_t bucket) {
  if (bucket >= histogram.bounds.size()) return "+Inf";
  auto text = fmt::format("{}", histogram.bounds[bucket]);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

class Page {
 public:
  void add(const MetricFamily& family) {
    const auto& info = family.info;
    // The name is the family's; a counter's samples have a suffix.
    auto name = info.name;
    const bool counter = info.type == MetricType::kCounter;
    if (counter && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
    print("# TYPE {} {}\n# HELP {} ", name, to_string(info.type), name);
    add_escaped(text_, info.help);
    text_ += '\n';
    for (const auto& sample : family.samples) add(name, counter ? kTotal : "", sample);
  }

  std::string finish() {
    text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kTotal = "_total";

  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  void add(std::string_view name, std::string_view suffix, const MetricSample& sample) {
    const auto labels = labels_of(sample);
    if (const auto* histogram = std::get_if<HistogramValue>(&sample.value)) {
      add_histogram(name, labels, *histogram);
    } else if (const auto* whole = std::get_if<std::uint64_t>(&sample.value)) {
      add_line(name, suffix, labels, *whole);
    } else {
      add_line(name, suffix, labels, std::get<double>(sample.value));
    }
  }

  void add_histogram(std::string_view name, const std::string& labels,
                     const HistogramValue& histogram) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      count += histogram.counts[i];
      print("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, labels.empty() ? "" : ",",
            bound_text(histogram, i), count);
    }
    add_line(name, "_count", labels, count);
    add_line(name, "_sum", labels, histogram.sum);
  }

  template <class Number>
  void add_line(std::string_view name, std::string_view suffix, const std::string& labels,
                Number value) {
    print("{}{}", name, suffix);
    if (!labels.empty()) print("{{{}}}", labels);
    print(" {}\n", value);
  }

  std::string text_;
};

}  // namespace

std::string open_metrics_text(const CollectFn& collect) {
  Page page;
  collect([&](const MetricFamily& family) { page.add(family); });
  return page.finish();
}

}  // namespace orb8
