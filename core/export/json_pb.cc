// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_pb.h"

#include <google/protobuf/util/json_util.h>

#include "core/export/json_text.h"

namespace orb8 {

void append_json_pb(const google::protobuf::Message& message, std::string& out) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  if (status.ok()) {
    out += text;
    return;
  }
  // Of no message of the contract; but a line that is missing would be missed by nobody.
  out += R"({"error":{"message":)";
  append_quoted(status.ToString(), out);
  out += "}}";
}

}  // namespace orb8
