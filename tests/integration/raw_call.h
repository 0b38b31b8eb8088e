// A gRPC client that knows the bytes of a call and nothing of its messages.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace orb8::integration {

struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};

std::shared_ptr<grpc::Channel> channel_to(const std::string& host_and_port);

// `method`: "/package.Service/Method". Of a stream, the first message is taken.
RawAnswer call_raw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                   const std::string& request);

}  // namespace orb8::integration
