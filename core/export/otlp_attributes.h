// Attributes of OTLP: what a record or a resource says of itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/export/utf8.h"
#include "opentelemetry/proto/common/v1/common.pb.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"

namespace orb8 {

// Adds attributes to a list of them. What is not known is not there: no empty text, no 0 that would
// mean "nobody knows".
class OtlpAttributes {
 public:
  using List = google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>;
  explicit OtlpAttributes(List& list) : list_(list) {}

  void add(std::string_view key, std::string_view text) {
    if (!text.empty()) added(key).set_string_value(valid_utf8(text));
  }
  void add(std::string_view key, const char* text) { add(key, std::string_view(text)); }
  void add_count(std::string_view key, std::uint64_t count);  // also 0
  void add_if_not_0(std::string_view key, std::uint64_t number) {
    if (number != 0) add_count(key, number);
  }

 private:
  opentelemetry::proto::common::v1::AnyValue& added(std::string_view key);
  List& list_;
};

// Who this agent is, in each request.
struct OtlpIdentity {
  std::string node;
  std::string version;
  std::string instance;     // made anew by each process
  bool kubernetes = false;  // the node is one of Kubernetes
  // What the user adds; one of a name above counts instead.
  std::map<std::string, std::string, std::less<>> more = {};
};

// A random UUID (RFC 9562, version 4).
std::string random_uuid();

void to_otlp(const OtlpIdentity& identity, opentelemetry::proto::resource::v1::Resource& out);
void to_otlp(const OtlpIdentity& identity,
             opentelemetry::proto::common::v1::InstrumentationScope& out);

}  // namespace orb8
