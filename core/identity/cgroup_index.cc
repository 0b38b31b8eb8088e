// SPDX-License-Identifier: Apache-2.0
#include "core/identity/cgroup_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace orb8 {

CgroupIndex::CgroupIndex(std::size_t max_entries, std::int64_t grace_ns, Dropped dropped)
    : max_entries_(std::max<std::size_t>(max_entries, 1)),
      grace_ns_(grace_ns),
      dropped_(std::move(dropped)) {}

CgroupIndex::Cgroup* CgroupIndex::find(Id id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

CgroupIndex::Cgroup* CgroupIndex::live_at(const std::string& path) {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : find(found->second);
}

CgroupIndex::Cgroup* CgroupIndex::use(Id id) {
  auto* const cgroup = find(id);
  if (cgroup != nullptr && !cgroup->gone) live_.splice(live_.begin(), live_, by_id_.at(id));
  return cgroup;
}

bool CgroupIndex::has_room() const {
  return live_.size() < max_entries_;
}

CgroupIndex::Cgroup& CgroupIndex::add(Id id, std::string path, std::int64_t now_ns) {
  if (auto* const before = live_at(path); before != nullptr) mark_gone(*before, now_ns);
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    drop(known->second->gone ? gone_ : live_, known->second);
  }
  while (by_id_.size() >= max_entries_) {
    if (gone_.empty()) {
      drop(live_, std::prev(live_.end()));
    } else {
      drop(gone_, gone_.begin());
    }
  }
  by_path_[path] = id;
  live_.push_front({.id = id, .path = std::move(path)});
  by_id_[id] = live_.begin();
  return live_.front();
}

void CgroupIndex::mark_gone(Cgroup& cgroup, std::int64_t now_ns) {
  if (cgroup.gone) return;
  cgroup.gone = true;
  cgroup.gone_ns = now_ns;
  by_path_.erase(cgroup.path);
  gone_.splice(gone_.end(), live_, by_id_.at(cgroup.id));
}

void CgroupIndex::expire(std::int64_t now_ns) {
  while (!gone_.empty() && now_ns - gone_.front().gone_ns >= grace_ns_) drop(gone_, gone_.begin());
}

std::vector<CgroupIndex::Id> CgroupIndex::missed_by(std::uint64_t scan) const {
  std::vector<Id> missed;
  for (const auto& cgroup : live_) {
    if (cgroup.scan != scan) missed.push_back(cgroup.id);
  }
  return missed;
}

void CgroupIndex::drop(List& from, List::iterator which) {
  List out;  // told of when it is in no list any more
  out.splice(out.begin(), from, which);
  by_id_.erase(which->id);
  if (!which->gone) by_path_.erase(which->path);
  if (dropped_) dropped_(*which);
}

}  // namespace orb8
