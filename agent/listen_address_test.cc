// SPDX-License-Identifier: Apache-2.0
#include "agent/listen_address.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

TEST(ListenAddress, TakesAndPrintsIpv6InBrackets) {
  EXPECT_EQ(ListenAddress("[::]", 1).host, "::");
  EXPECT_EQ(to_string(ListenAddress("[::]", 9090)), "[::]:9090");
  EXPECT_EQ(to_string(ListenAddress("::1", 9090)), "[::1]:9090");
  EXPECT_EQ(to_string(ListenAddress("127.0.0.1", 0)), "127.0.0.1:0");
  EXPECT_EQ(to_string(ListenAddress("localhost", 80)), "localhost:80");
}

// A port that somebody listens on.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }

 private:
  UniqueFd socket_;
  std::uint16_t port_ = 0;
};

TEST(ListenError, SaysThatThePortIsTakenAndHowToChooseAnother) {
  const TakenPort taken;
  const auto error = listen_error("gRPC", {"127.0.0.1", taken.port()});
  EXPECT_EQ(error.sys, EADDRINUSE);
  EXPECT_EQ(error.what, "listen on 127.0.0.1:" + std::to_string(taken.port()) +
                            " for gRPC: the port is taken by another program; choose another with "
                            "--grpc-port");
}

TEST(ListenError, SaysThatTheAddressIsAnother) {
  const auto error = listen_error("health", {"192.0.2.1", 0});
  EXPECT_EQ(error.sys, EADDRNOTAVAIL);
  EXPECT_EQ(error.what,
            "listen on 192.0.2.1:0 for health: the address is not this machine's; choose another "
            "with --health-address");
}

TEST(ListenError, SaysThatItIsNoAddress) {
  EXPECT_EQ(listen_error("health", {"1.2.3", 9091}).what.find("no address"), std::string::npos)
      << "an old way to write 1.2.0.3";
  EXPECT_THAT(listen_error("health", {"::1::", 9091}).what,
              ::testing::HasSubstr("'::1::' is no address; choose one with --health-address"));
}

TEST(ListenError, SaysThatItWouldWorkNow) {
  EXPECT_THAT(listen_error("gRPC", {"127.0.0.1", 0}).what, ::testing::HasSubstr("start again"));
}

}  // namespace
}  // namespace orb8
