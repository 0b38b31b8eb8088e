// Which of the formats a scraper gets, by what it says that it takes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/metrics/metric.h"

namespace orb8 {

enum class ScrapeFormat : std::uint8_t { kText, kOpenMetrics };

// By the value of the request's Accept: OpenMetrics 1.0 where that is wanted more than plain text,
// which whoever says nothing gets, and who wants neither as well. Any bytes.
ScrapeFormat scrape_format(std::string_view accept);

const char* content_type(ScrapeFormat format);
std::string scrape_text(ScrapeFormat format, const CollectFn& collect);

}  // namespace orb8
