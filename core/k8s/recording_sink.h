// A sink that remembers, for tests: what is there now, and what was told.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/k8s/sink.h"

namespace orb8::k8s {

class RecordingSink : public Sink {
 public:
  void set(Object object) override {
    change([&] {
      const auto kind = static_cast<Kind>(object.index());
      auto uid = std::visit([](const auto& o) { return o.uid; }, object);
      objects_.insert_or_assign({kind, std::move(uid)}, std::move(object));
    });
  }
  void gone(Kind kind, std::string_view uid) override {
    change([&] { objects_.erase({kind, std::string(uid)}); });
  }
  void listed(Kind kind, const std::unordered_set<std::string>& uids) override {
    change([&] {
      std::erase_if(objects_, [&](const auto& entry) {
        return entry.first.first == kind && !uids.contains(entry.first.second);
      });
      ++lists_[kind];
    });
  }

  // Of the objects of a kind that are there, by name.
  template <class T>
  std::map<std::string, T> of() const {
    const std::scoped_lock lock(mutex_);
    std::map<std::string, T> found;
    for (const auto& [key, object] : objects_) {
      if (const auto* one = std::get_if<T>(&object)) found.emplace(one->name, *one);
    }
    return found;
  }

  int lists(Kind kind) const {
    const std::scoped_lock lock(mutex_);
    const auto found = lists_.find(kind);
    return found == lists_.end() ? 0 : found->second;
  }

  // Until it holds; false after ten seconds. Asked again at each change, and ten times a second for
  // what other objects know.
  template <class Holds>
  bool wait(Holds holds) const {
    using Clock = std::chrono::steady_clock;
    for (const auto end = Clock::now() + std::chrono::seconds(10); Clock::now() < end;) {
      if (holds()) return true;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    return holds();
  }

 private:
  template <class Change>
  void change(Change how) {
    const std::scoped_lock lock(mutex_);
    how();
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::pair<Kind, std::string>, Object> objects_;
  std::map<Kind, int> lists_;
};

}  // namespace orb8::k8s
