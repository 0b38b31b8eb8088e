// Who is behind a socket: by its cgroup, and what runtimes and Kubernetes know of that.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/identity/cgroup_tree.h"
#include "core/identity/container_names.h"
#include "core/identity/kube_store.h"
#include "core/model/owner.h"
#include "core/model/status.h"

namespace orb8 {

struct IdentityOptions {
  CgroupTreeOptions cgroups;  // `appeared` and `dropped` are taken
  ContainerNamesOptions names;
  std::string root;           // below it is /proc; "" for this machine
  std::string node;           // what this machine is called
  KubeStore* kube = nullptr;  // outlives this; null: without Kubernetes nobody is a pod
  // How many owners are kept, and for how long after their last use when nobody holds them.
  std::size_t max_owners = 65536;
  std::int64_t grace_ns = 60'000'000'000;
};

// For the use of one thread; the owners that it gives may be read by any. Times are of any clock
// that never goes back.
class Identity {
 public:
  // Where there is no cgroup v2, processes are known all the same, and components() says so.
  static std::unique_ptr<Identity> open(IdentityOptions options, std::int64_t now_ns);

  // What is not known is 0 or empty; all unknown gives null. An empty `comm` is looked up by `pid`.
  // The same three give the same pointer while anybody holds it, and for the grace period after:
  // unless more came to be known about them, the name of the container say.
  OwnerRef owner_of(std::uint64_t cgroup_id, std::uint32_t pid, std::string_view comm);

  // Readable when handle_ready() has something to take in; -1 where there is none.
  std::array<int, 2> fds() const;

  // Call it when one of fds() is readable, and once before each round of owner_of().
  void handle_ready(std::int64_t now_ns);

  std::vector<Component> components() const;
  std::size_t size() const noexcept { return owners_.size(); }

 private:
  struct Key {
    std::uint64_t cgroup_id = 0;
    std::uint32_t pid = 0;
    std::string comm;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Slot {
    Key key;
    OwnerRef owner;
    std::int64_t used_ns = 0;
    std::int64_t tried_ns = 0;  // when all that can be known was looked for
    std::uint64_t kube_version = 0;
  };
  using Slots = std::list<Slot>;

  Identity(IdentityOptions options, std::int64_t now_ns);
  void open_cgroups();
  std::uint64_t kube_version() const;
  void cgroup_appeared(const std::string& cgroup_path);
  void cgroup_dropped(const std::string& cgroup_path);
  OwnerRef make(const Key& key, const Owner* before);
  EndpointRef name_pod(Owner& owner, const Owner* before) const;
  EndpointRef endpoint_of(const Owner& owner) const;
  void refresh(Slot& slot);
  void make_room();
  void expire();

  IdentityOptions options_;
  std::int64_t now_ns_;
  std::int64_t next_expiry_ns_;
  ContainerNames names_;
  std::optional<CgroupTree> cgroups_;
  std::string no_cgroups_;  // why
  Slots slots_;             // used last in front
  std::unordered_map<Key, Slots::iterator, KeyHash> owners_;
};

}  // namespace orb8
