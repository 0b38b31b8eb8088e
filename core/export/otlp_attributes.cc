// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>

namespace orb8 {

void OtlpAttributes::add_count(std::string_view key, std::uint64_t count) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  added(key).set_int_value(static_cast<std::int64_t>(std::min(count, kMost)));
}

opentelemetry::proto::common::v1::AnyValue& OtlpAttributes::added(std::string_view key) {
  auto& entry = *list_.Add();
  entry.set_key(std::string(key));
  return *entry.mutable_value();
}

std::string random_uuid() {
  std::random_device device;
  const auto word = [&] { return static_cast<std::uint32_t>(device()); };
  const auto version = (word() & 0xffffU) >> 4U | 0x4000U;
  const auto variant = (word() & 0x3fffU) | 0x8000U;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", word(), word() & 0xffffU, version,
                     variant, word() & 0xffffU, word());
}

void to_otlp(const OtlpIdentity& identity, opentelemetry::proto::resource::v1::Resource& out) {
  OtlpAttributes attributes(*out.mutable_attributes());
  const auto add_own = [&](std::string_view key, std::string_view text) {
    const auto given = identity.more.find(key);
    if (given == identity.more.end() || given->second.empty()) attributes.add(key, text);
  };
  add_own("service.name", "orb8-agent");
  add_own("service.version", identity.version);
  add_own("service.instance.id", identity.instance);
  add_own("host.name", identity.node);
  if (identity.kubernetes) add_own("k8s.node.name", identity.node);
  for (const auto& [key, text] : identity.more) attributes.add(key, text);
}

void to_otlp(const OtlpIdentity& identity,
             opentelemetry::proto::common::v1::InstrumentationScope& out) {
  out.set_name("orb8");
  out.set_version(identity.version);
}

}  // namespace orb8
