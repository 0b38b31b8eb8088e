// The store after random events, against a model that keeps all objects in a list and looks at
// each of them for each question.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <tuple>

#include "core/identity/kube_store.h"
#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

constexpr std::int64_t kGraceNs = 60;
constexpr int kSteps = 3000;

class Model {
 public:
  void set(const k8s::Pod& pod) { pods_[pod.uid] = {pod, std::nullopt}; }
  void set(const k8s::Node& node) { put(nodes_, node); }
  void set(const k8s::Service& service) { put(services_, service); }
  void set(const k8s::EndpointSlice& slice) { put(slices_, slice); }

  void gone_pod(const std::string& uid, std::int64_t now_ns) {
    const auto found = pods_.find(uid);
    if (found != pods_.end() && !found->second.gone_ns) found->second.gone_ns = now_ns;
  }
  void gone(k8s::Kind kind, const std::string& uid, std::int64_t now_ns) {
    if (kind == k8s::Kind::kPod) gone_pod(uid, now_ns);
    if (kind == k8s::Kind::kNode) nodes_.erase(uid);
    if (kind == k8s::Kind::kService) services_.erase(uid);
    if (kind == k8s::Kind::kEndpointSlice) slices_.erase(uid);
  }
  void listed(k8s::Kind kind, const std::unordered_set<std::string>& uids, std::int64_t now_ns) {
    std::vector<std::string> missing;
    const auto look = [&](const auto& all) {
      for (const auto& [uid, object] : all) {
        if (!uids.contains(uid)) missing.push_back(uid);
      }
    };
    if (kind == k8s::Kind::kPod) look(pods_);
    if (kind == k8s::Kind::kNode) look(nodes_);
    if (kind == k8s::Kind::kService) look(services_);
    if (kind == k8s::Kind::kEndpointSlice) look(slices_);
    for (const auto& uid : missing) gone(kind, uid, now_ns);
  }
  void tick(std::int64_t now_ns) {
    std::erase_if(pods_, [&](const auto& entry) {
      return entry.second.gone_ns && now_ns - *entry.second.gone_ns >= kGraceNs;
    });
  }

  std::string pod_at(const Addr& addr) const {
    return best([&](const k8s::Pod& pod) {
      return !pod.host_network && !pod.finished && std::ranges::count(pod.ips, addr) > 0;
    });
  }
  std::string pod_of(const ContainerRef& container) const {
    auto uid = best([&](const k8s::Pod& pod) {
      return std::ranges::count(pod.containers, container.id, &k8s::Container::id) > 0;
    });
    if (!uid.empty()) return uid;
    if (pods_.contains(container.pod_uid)) return container.pod_uid;
    return best([&](const k8s::Pod& pod) { return pod.static_uid == container.pod_uid; });
  }
  std::string node_at(const Addr& addr) const {
    const auto* node =
        newest(nodes_, [&](const auto& n) { return std::ranges::count(n.ips, addr) > 0; });
    return node == nullptr ? "" : node->uid;
  }
  // "name:port", and whether the address is its own.
  std::pair<std::string, bool> service_at(const Addr& addr, std::uint16_t port,
                                          std::uint8_t protocol, bool node) const {
    const auto has_port = [&](const auto& ports) {
      return std::ranges::find_if(
          ports, [&](const auto& p) { return p.port == port && p.protocol == protocol; });
    };
    const auto* by_ip = newest(services_, [&](const k8s::Service& s) {
      return std::ranges::count(s.cluster_ips, addr) + std::ranges::count(s.external_ips, addr) >
                 0 &&
             has_port(s.ports) != s.ports.end();
    });
    if (by_ip != nullptr) return {by_ip->name + ":" + has_port(by_ip->ports)->name, true};
    if (node) {
      const auto node_port = [&](const k8s::ServicePort& p) {
        return p.node_port != 0 && p.node_port == port && p.protocol == protocol;
      };
      const auto* found = newest(services_, [&](const k8s::Service& s) {
        return std::ranges::any_of(s.ports, node_port);
      });
      if (found != nullptr) {
        return {found->name + ":" + std::ranges::find_if(found->ports, node_port)->name, false};
      }
    }
    const auto* behind = newest(slices_, [&](const k8s::EndpointSlice& s) {
      return port != 0 && is_headless(s.service) && std::ranges::count(s.ips, addr) > 0 &&
             has_port(s.ports) != s.ports.end();
    });
    if (behind != nullptr) return {behind->service + ":" + has_port(behind->ports)->name, false};
    const auto* any = newest(services_, [&](const k8s::Service& s) {
      return std::ranges::count(s.cluster_ips, addr) > 0;
    });
    if (any != nullptr) return {any->name + ":", true};
    return {"", false};
  }
  std::size_t pods() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(pods_, [](const auto& entry) { return !entry.second.gone_ns; }));
  }

 private:
  struct HeldPod {
    k8s::Pod pod;
    std::optional<std::int64_t> gone_ns;
  };
  template <class T>
  struct Held {
    T object;
    int order = 0;
  };
  template <class T>
  using All = std::map<std::string, Held<T>>;

  template <class T>
  void put(All<T>& all, const T& object) {
    auto& held = all[object.uid];
    if (held.order != 0 && held.object == object) return;  // no news
    held = {object, ++order_};
  }
  template <class T, class Test>
  static const T* newest(const All<T>& all, const Test& test) {
    const Held<T>* best = nullptr;
    for (const auto& [uid, held] : all) {
      if (test(held.object) && (best == nullptr || held.order > best->order)) best = &held;
    }
    return best == nullptr ? nullptr : &best->object;
  }
  template <class Test>
  std::string best(const Test& test) const {
    const HeldPod* best = nullptr;
    const auto order = [](const HeldPod& held) {
      return std::tuple(!held.gone_ns, held.pod.start_ns, held.pod.uid);
    };
    for (const auto& [uid, held] : pods_) {
      if (test(held.pod) && (best == nullptr || order(held) > order(*best))) best = &held;
    }
    return best == nullptr ? "" : best->pod.uid;
  }
  bool is_headless(const std::string& name) const {
    const auto* found = newest(services_, [&](const auto& s) { return s.name == name; });
    return found != nullptr && found->cluster_ips.empty();
  }

  std::map<std::string, HeldPod> pods_;
  All<k8s::Node> nodes_;
  All<k8s::Service> services_;
  All<k8s::EndpointSlice> slices_;
  int order_ = 0;
};

// Few of everything, so that they meet.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  int below(int most) { return std::uniform_int_distribution<int>(0, most - 1)(random_); }
  bool once_in(int times) { return below(times) == 0; }
  Addr addr() { return Addr::v4(10, 0, 0, static_cast<std::uint8_t>(below(8))); }
  std::string uid() { return std::string(1, static_cast<char>('a' + below(6))); }
  std::string name() { return "n" + std::to_string(below(3)); }
  std::uint16_t port() { return static_cast<std::uint16_t>(80 + below(2)); }
  std::uint8_t protocol() { return once_in(2) ? IPPROTO_TCP : IPPROTO_UDP; }
  std::string container() { return std::string(64, static_cast<char>('0' + below(6))); }
  std::vector<Addr> addrs() {
    std::vector<Addr> some;
    for (int i = below(3); i > 0; --i) some.push_back(addr());
    return some;
  }

  k8s::Pod pod() {
    auto made = orb8::pod(uid(), name(), addrs(), below(4));
    made.host_network = once_in(6);
    made.finished = once_in(5);
    if (once_in(4)) made.static_uid = "static-" + uid();
    for (int i = below(3); i > 0; --i) made.containers.push_back({"c", container()});
    return made;
  }
  k8s::Service service() {
    auto made = orb8::service(uid(), name(), addrs());
    made.external_ips = addrs();
    // A Service has a port and protocol once.
    made.ports = {{.name = "x", .protocol = protocol(), .port = port(), .node_port = 0}};
    if (once_in(2)) made.ports[0].node_port = port();
    return made;
  }

 private:
  std::mt19937 random_;
};

class KubeStoreProperty : public testing::TestWithParam<unsigned> {
 protected:
  template <class T>
  void set(const T& object) {
    store_.set(object);
    model_.set(object);
  }

  void step(Draw& draw) {
    const auto kind = static_cast<k8s::Kind>(draw.below(4));
    switch (draw.below(12)) {
      case 0:
      case 1:
      case 2: {
        const auto uid = draw.uid();
        store_.gone(kind, uid);
        model_.gone(kind, uid, now_ns_);
        break;
      }
      case 3: {
        std::unordered_set<std::string> uids;
        for (int i = 0; i < 5; ++i) uids.insert(draw.uid());
        store_.listed(kind, uids);
        model_.listed(kind, uids, now_ns_);
        break;
      }
      case 4:
        now_ns_ += draw.below(40);
        break;
      default:
        if (kind == k8s::Kind::kPod) set(draw.pod());
        if (kind == k8s::Kind::kNode) set(node(draw.uid(), draw.name(), draw.addrs()));
        if (kind == k8s::Kind::kService) set(draw.service());
        if (kind == k8s::Kind::kEndpointSlice) {
          set(slice(draw.uid(), draw.name(), draw.addrs(), draw.port()));
        }
    }
    store_.tick();
    model_.tick(now_ns_);
  }

  void compare(Draw& draw) {
    const auto addr = draw.addr();
    const auto port = draw.port();
    const auto protocol = draw.protocol();
    const bool own = draw.once_in(2);
    const auto side =
        store_.sides_of({.src = addr, .src_port = port, .protocol = protocol}, own, false).src;
    const auto pod = model_.pod_at(addr);
    const auto at = pod.empty() ? model_.node_at(addr) : pod;
    const bool is_node = pod.empty() && !at.empty();
    const auto [service, address] = model_.service_at(addr, port, protocol, own || is_node);
    EXPECT_EQ(side.service ? side.service->name + ":" + side.service->port : "", service);
    if (!at.empty()) {
      ASSERT_TRUE(side.endpoint);
      EXPECT_EQ(side.endpoint->uid, at);
      EXPECT_EQ(side.endpoint->kind, is_node ? EndpointKind::kNode : EndpointKind::kPod);
    } else {
      EXPECT_EQ(side.endpoint != nullptr, address);
    }
    const ContainerRef container{.id = draw.container(),
                                 .pod_uid = (draw.once_in(2) ? "static-" : "") + draw.uid()};
    const auto found = store_.pod_of(container);
    EXPECT_EQ(found ? found->endpoint.uid : "", model_.pod_of(container));
    EXPECT_EQ(store_.counts().pods, model_.pods());
  }

  std::int64_t now_ns_ = 0;
  KubeStore store_{{.grace_ns = kGraceNs}, [this] { return now_ns_; }};
  Model model_;
};

TEST_P(KubeStoreProperty, AnswersAsAListOfAllObjectsWould) {
  Draw draw(GetParam());
  for (int i = 0; i < kSteps && !HasFailure(); ++i) {
    step(draw);
    for (int look = 0; look < 4; ++look) compare(draw);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, KubeStoreProperty, testing::Range(1U, 9U));

}  // namespace
}  // namespace orb8
