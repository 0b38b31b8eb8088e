// The filters of kernels before TCX: they account alike, leave nothing behind, and let others be.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <thread>

#include "core/kernel/clsact_filter.h"
#include "core/kernel/libbpf_log.h"
#include "core/kernel/network_probes.h"
#include "tests/netns/attached.h"
#include "tests/netns/child.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"
#include "tests/netns/witness.h"

namespace orb8::netns {
namespace {

constexpr auto kBoth = {Direction::kIngress, Direction::kEgress};

class ClsactTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
  }

  const TwoHosts& net() const { return *net_; }
  const NetNs& here() const { return net_->b.ns; }
  static TcSource::Options options(TcPlace place = TcPlace::kHead) {
    return {.interfaces = {"eth0"},
            .mechanism = TcMechanism::kClsact,
            .place = place,
            .reason = "test"};
  }

  // So many datagrams to the watched host; the receiver got them all.
  void send(std::size_t count) const {
    const Ends ends = {net_->a.v4(), 5000, net_->b.v4(), 7000};
    UdpSink sink(here(), ends.dst, ends.dst_port);
    UdpSender(net_->a.ns, ends).send(count, 50);
    EXPECT_EQ(sink.receive(count), count);
  }
  FlowKey sent_flow() const {
    return Ends{net_->a.v4(), 5000, net_->b.v4(), 7000}.flow(kUdp, Direction::kIngress);
  }
  Totals sent(std::size_t count) const { return Totals{1, udp_frame(net_->a.v4(), 50)} * count; }

 private:
  std::unique_ptr<TwoHosts> net_;
};

TEST_F(ClsactTest, AccountsLikeTheInterface) {
  Watcher watcher(here(), options());
  ASSERT_EQ(watcher.status().programs.size(), 2U);
  EXPECT_EQ(watcher.status().programs[0].mechanism, "clsact");
  net().up();
  for (const int family : {AF_INET, AF_INET6}) {
    const Ends ends = {net().a.addr(family), 5000, net().b.addr(family), 7000};
    UdpSink sink(here(), ends.dst, ends.dst_port);
    UdpSender(net().a.ns, ends).send(500, 200);
    EXPECT_EQ(sink.receive(500), 500U);
    const auto datagrams = Totals{1, udp_frame(ends.src, 200)} * 500;
    EXPECT_EQ(watcher.flow(ends.flow(kUdp, Direction::kIngress), datagrams), datagrams);
    transfer_tcp(net().a.ns, here(), ends, 3'000'000, 1'000'000);
    ping(net().a.ns, ends.src, ends.dst, 20, 100);
  }
  Totals accounted;
  Totals counted;
  eventually([&] {
    accounted = watcher.everything();
    counted = net().b.counters().all();
    return accounted == counted;
  });
  EXPECT_EQ(accounted, counted);
}

TEST_F(ClsactTest, LeavesNeitherFilterNorQdiscBehind) {
  {
    Watcher watcher(here(), options());
    EXPECT_TRUE(has_clsact(here(), "eth0"));
    for (const auto direction : kBoth) EXPECT_EQ(filters(here(), "eth0", direction).size(), 1U);
  }
  EXPECT_FALSE(has_clsact(here(), "eth0"));
}

TEST_F(ClsactTest, LeavesTheQdiscOfSomebodyElse) {
  here().sh("tc qdisc add dev eth0 clsact");
  {
    Watcher watcher(here(), options());
  }
  EXPECT_TRUE(has_clsact(here(), "eth0"));
  for (const auto direction : kBoth) EXPECT_TRUE(filters(here(), "eth0", direction).empty());
}

TEST_F(ClsactTest, LeavesItsOwnQdiscWhereSomebodyElseUsesItMeanwhile) {
  std::optional<Witness> witness;
  {
    Watcher watcher(here(), options());
    witness.emplace(Witness::on_clsact(here(), "eth0", Direction::kEgress, {7, 3}));
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kEgress).size(), 1U);
  EXPECT_TRUE(filters(here(), "eth0", Direction::kIngress).empty());
}

TEST_F(ClsactTest, LetsAFilterAtTheSamePriorityBeAndWork) {
  // What most agents take without asking.
  const auto witness = Witness::on_clsact(here(), "eth0", Direction::kIngress, {1, 1});
  const auto before = filters(here(), "eth0", Direction::kIngress);
  ASSERT_EQ(before.size(), 1U);
  net().up();
  send(100);
  const auto seen = [&] { return witness.seen().packets; };
  EXPECT_GE(seen(), 100U);
  {
    Watcher watcher(here(), options());
    const auto both = filters(here(), "eth0", Direction::kIngress);
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[1], before[0]) << "ours runs first";
    const auto earlier = seen();
    send(100);
    EXPECT_EQ(watcher.flow(sent_flow(), sent(100)), sent(100));
    EXPECT_GE(seen(), earlier + 100) << "the filter behind ours is asked";
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress), before);
  const auto earlier = seen();
  send(100);
  EXPECT_GE(seen(), earlier + 100);
}

TEST_F(ClsactTest, RunsLastWhereAskedTo) {
  const auto dropper =
      Witness::on_clsact(here(), "eth0", Direction::kIngress, {100, 1}, Witness::kDrop);
  Watcher first(here(), options(TcPlace::kHead));
  Watcher last(here(), options(TcPlace::kTail));
  ASSERT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 3U);
  net().up();
  UdpSender(net().a.ns, {net().a.v4(), 5000, net().b.v4(), 7000}).send(100, 50);
  EXPECT_EQ(first.flow(sent_flow(), sent(100)), sent(100));
  EXPECT_EQ(last.read().of(sent_flow()), Totals{});
}

TEST_F(ClsactTest, SaysWhatToDoWhereAnotherKindOfFilterHoldsItsPriority) {
  here().sh(
      "tc qdisc add dev eth0 clsact;"
      "tc filter add dev eth0 ingress protocol ip prio 1 u32 match u32 0 0 flowid 1:1");
  const auto before = filters(here(), "eth0", Direction::kIngress);
  ASSERT_EQ(before.size(), 1U);
  {
    const auto visit = here().enter();
    const auto source = TcSource::open(options());
    ASSERT_FALSE(source);
    EXPECT_NE(source.error().what.find("--tc-anchor=tail"), std::string::npos)
        << source.error().what;
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress), before);
  EXPECT_TRUE(filters(here(), "eth0", Direction::kEgress).empty());
  Watcher watcher(here(), options(TcPlace::kTail));
  EXPECT_EQ(watcher.status().programs.size(), 2U);
  const auto both = filters(here(), "eth0", Direction::kIngress);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0], before[0]);
}

// The calling thread can make no unix socket any more, as where a process is out of descriptors.
void refuse_unix_sockets() {
  std::array<sock_filter, 6> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program = {.len = filter.size(), .filter = filter.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST_F(ClsactTest, LeavesNoQdiscWhereItCannotClaimAFilter) {
  auto probes = NetworkProbes::load({});
  ASSERT_TRUE(probes) << probes.error().what;
  std::thread([&] {
    const auto visit = here().enter();
    const auto ifindex = ifindex_of(here(), "eth0");
    const auto program = probes->program_fd(Direction::kIngress, LinkLayer::kEthernet);
    refuse_unix_sockets();
    const auto filter = ClsactFilter::attach(program, ifindex, Direction::kIngress, true);
    ASSERT_FALSE(filter);
    EXPECT_NE(filter.error().what.find("no unix socket can be bound"), std::string::npos)
        << filter.error().what;
  }).join();
  EXPECT_FALSE(has_clsact(here(), "eth0"));
}

TEST_F(ClsactTest, RemovesWhatAKilledProcessLeftAndNothingElse) {
  const auto witness = Witness::on_clsact(here(), "eth0", Direction::kIngress, {1, 1});
  const auto foreign = filters(here(), "eth0", Direction::kIngress);
  Child holder = watch_elsewhere(here(), options());
  holder.kill();
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 2U) << "filters outlive it";
  EXPECT_EQ(filters(here(), "eth0", Direction::kEgress).size(), 1U);
  {
    Watcher watcher(here(), options());
    EXPECT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 2U);
    EXPECT_EQ(filters(here(), "eth0", Direction::kEgress).size(), 1U);
    net().up();
    send(100);
    EXPECT_EQ(watcher.flow(sent_flow(), sent(100)), sent(100));
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress), foreign);
  EXPECT_TRUE(filters(here(), "eth0", Direction::kEgress).empty());
}

TEST_F(ClsactTest, RemovesWhatAKilledProcessLeftWhereItWillNotAttachItself) {
  here().sh("ip link add spare type veth peer name other");
  {
    auto both = options();
    both.interfaces = {"eth0", "spare"};
    Child holder = watch_elsewhere(here(), both);
    const Child alive = watch_elsewhere(here(), options());
    holder.kill();
    EXPECT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 2U);
    EXPECT_EQ(filters(here(), "spare", Direction::kEgress).size(), 1U);
    Watcher watcher(here(), {.interfaces = {"eth0"}, .mechanism = TcMechanism::kTcx});
    EXPECT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 1U) << "who lives, keeps his";
    for (const auto direction : kBoth) EXPECT_TRUE(filters(here(), "spare", direction).empty());
  }
}

TEST_F(ClsactTest, LetsAnotherLiveProcessOfItsKindBe) {
  const Child holder = watch_elsewhere(here(), options());
  const auto theirs_in = filters(here(), "eth0", Direction::kIngress);
  const auto theirs_out = filters(here(), "eth0", Direction::kEgress);
  net().up();
  {
    Watcher watcher(here(), options());
    EXPECT_EQ(filters(here(), "eth0", Direction::kIngress).size(), 2U);
    send(50);
    EXPECT_EQ(watcher.flow(sent_flow(), sent(50)), sent(50));
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress), theirs_in);
  EXPECT_EQ(filters(here(), "eth0", Direction::kEgress), theirs_out);
}

// An agent of another make may call its program as we do, and claims nothing.
TEST_F(ClsactTest, LetsAFilterOfTheSameNameBeThatItDidNotMake) {
  auto probes = NetworkProbes::load({});
  ASSERT_TRUE(probes) << probes.error().what;
  {
    const LibbpfLog log;
    const auto visit = here().enter();
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex_of(here(), "eth0")),
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts,
                .prog_fd = probes->program_fd(Direction::kIngress, LinkLayer::kEthernet),
                .handle = 1, .priority = 1);
    ASSERT_EQ(bpf_tc_hook_create(&hook), 0);
    ASSERT_EQ(bpf_tc_attach(&hook, &opts), 0);
  }
  const auto before = filters(here(), "eth0", Direction::kIngress);
  ASSERT_EQ(before.size(), 1U);
  {
    Watcher watcher(here(), options());
  }
  EXPECT_EQ(filters(here(), "eth0", Direction::kIngress), before);
}

}  // namespace
}  // namespace orb8::netns
