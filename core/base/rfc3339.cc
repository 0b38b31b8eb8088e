// SPDX-License-Identifier: Apache-2.0
#include "core/base/rfc3339.h"

#include <chrono>

namespace orb8 {
namespace {

// Takes a text from its front, piece by piece; once a piece is wrong, it stays wrong.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    if (text_.size() < count) return wrong();
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return wrong();
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }

  bool next_is(char c) const { return text_.starts_with(c); }

  void skip(char c) {
    if (!next_is(c)) {
      wrong();
      return;
    }
    text_.remove_prefix(1);
  }

  // Digits after a point, as nanoseconds; those beyond the ninth are cut.
  int fraction_ns() {
    int value = 0;
    int unit = 100'000'000;
    if (text_.empty()) return wrong();
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1)) {
      value += (text_[0] - '0') * unit;
      unit /= 10;
    }
    return value;
  }

  bool at_end() const { return sound_ && text_.empty(); }

 private:
  int wrong() {
    sound_ = false;
    return 0;
  }

  std::string_view text_;
  bool sound_ = true;
};

// East of Greenwich.
std::chrono::minutes take_offset(Cursor& at) {
  if (at.next_is('Z')) {
    at.skip('Z');
    return {};
  }
  const bool west = at.next_is('-');
  at.skip(west ? '-' : '+');
  const std::chrono::hours hours(at.digits(2));
  at.skip(':');
  const auto offset = hours + std::chrono::minutes(at.digits(2));
  return west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  namespace ch = std::chrono;
  Cursor at(text);
  const ch::year year(at.digits(4));
  at.skip('-');
  const ch::month month(static_cast<unsigned>(at.digits(2)));
  at.skip('-');
  const ch::year_month_day date(year, month, ch::day(static_cast<unsigned>(at.digits(2))));
  at.skip('T');
  const int hour = at.digits(2);
  at.skip(':');
  const int minute = at.digits(2);
  at.skip(':');
  const int second = at.digits(2);
  int fraction_ns = 0;
  if (at.next_is('.')) {
    at.skip('.');
    fraction_ns = at.fraction_ns();
  }
  const auto offset = take_offset(at);
  constexpr int kFirstYear = 1678;
  constexpr int kLastYear = 2261;
  if (!at.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60 ||
      date.year() < ch::year(kFirstYear) || date.year() > ch::year(kLastYear)) {
    return std::nullopt;
  }
  const ch::sys_time<ch::nanoseconds> time = ch::sys_days(date) + ch::hours(hour) +
                                             ch::minutes(minute) - offset + ch::seconds(second) +
                                             ch::nanoseconds(fraction_ns);
  return time.time_since_epoch().count();
}

}  // namespace orb8
