// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/storage_alone.h"

#include <cerrno>

#include "core/kernel/libbpf_log.h"
#include "storage.skel.h"

namespace orb8::bench {

void StorageAlone::Destroy::operator()(storage_bpf* skeleton) const {
  storage_bpf::destroy(skeleton);
}

Result<StorageAlone> StorageAlone::attach() {
  const LibbpfLog log;
  Skeleton skeleton(storage_bpf::open());
  if (!skeleton) return sys_error(errno, "open the storage program");
  if (const int err = storage_bpf::load(skeleton.get()); err != 0) {
    auto error = sys_error(-err, "load the storage program");
    error.error().what += " (" + log.tail() + ")";
    return error;
  }
  if (const int err = storage_bpf::attach(skeleton.get()); err != 0) {
    return sys_error(-err, "attach the storage program");
  }
  return StorageAlone(std::move(skeleton));
}

}  // namespace orb8::bench
