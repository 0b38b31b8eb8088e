// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/bpf_iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

// The kernel hands over 8 pages at most (bpf_seq_read()), and a bit that was cut off before.
constexpr std::size_t kBufferBytes = 64UL * 1024;

}  // namespace

void BpfIterator::Destroy::operator()(bpf_link* link) const {
  bpf_link__destroy(link);
}

BpfIterator::BpfIterator(std::unique_ptr<bpf_link, Destroy> link, std::string name,
                         std::size_t record_bytes)
    : link_(std::move(link)), name_(std::move(name)), record_bytes_(record_bytes) {}

Result<BpfIterator> BpfIterator::open(const bpf_program* program, int map_fd,
                                      std::size_t record_bytes) {
  std::string name = bpf_program__name(program);
  bpf_iter_link_info info = {};
  LIBBPF_OPTS(bpf_iter_attach_opts, opts);
  if (map_fd >= 0) {
    info.map.map_fd = static_cast<std::uint32_t>(map_fd);
    opts.link_info = &info;
    opts.link_info_len = sizeof(info);
  }
  std::unique_ptr<bpf_link, Destroy> link(bpf_program__attach_iter(program, &opts));
  if (!link) return sys_error(errno, "attach the iterator " + name);
  return BpfIterator(std::move(link), std::move(name), record_bytes);
}

Result<void> BpfIterator::walk(const RecordFn& record) {
  const UniqueFd walker(bpf_iter_create(bpf_link__fd(link_.get())));
  if (!walker) return sys_error(errno, "start a walk of " + name_);
  if (buffer_.empty()) buffer_.resize(kBufferBytes);
  std::size_t filled = 0;
  for (;;) {
    const auto got = ::read(walker.get(), &buffer_[filled], buffer_.size() - filled);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;  // EAGAIN: many were skipped
    if (got < 0) return sys_error(errno, "read from " + name_);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    std::size_t at = 0;
    for (; filled - at >= record_bytes_; at += record_bytes_) {
      record(std::span(&buffer_[at], record_bytes_));
    }
    std::memmove(buffer_.data(), &buffer_[at], filled - at);
    filled -= at;
  }
  if (filled != 0) return fail(Errc::kInternal, "read from " + name_ + ": the last record is cut");
  return {};
}

Result<bool> BpfIterator::walk_with_pauses(const std::function<void()>& pause) {
  const UniqueFd walker(bpf_iter_create(bpf_link__fd(link_.get())));
  if (!walker) return sys_error(errno, "start a walk of " + name_);
  for (bool paused = false;; paused = true) {
    std::byte nothing{};
    const auto got = ::read(walker.get(), &nothing, sizeof(nothing));
    const int err = got < 0 ? errno : 0;
    pause();
    if (err != 0 && err != EINTR && err != EAGAIN) return sys_error(err, "read from " + name_);
    if (got == 0) return paused;
  }
}

}  // namespace orb8
