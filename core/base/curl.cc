// SPDX-License-Identifier: Apache-2.0
#include "core/base/curl.h"

#include <dlfcn.h>

#include <string>
#include <utility>

namespace orb8 {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

struct Loaded {
  Curl functions{};
  std::string problem;  // empty: there is none
};

class Loader {
 public:
  Loader() : library_(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) loaded_.problem = ::dlerror();  // NOLINT(concurrency-mt-unsafe)
  }

  template <class Function>
  void find(Function& function, const char* name) {
    if (library_ == nullptr) return;
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr) loaded_.problem = std::string(kLibrary) + " has no " + name;
  }

  Loaded take() {
    if (loaded_.problem.empty() && loaded_.functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      loaded_.problem = "it does not start";
    }
    return std::move(loaded_);
  }

  Curl& functions() { return loaded_.functions; }

 private:
  void* library_;  // stays loaded: it cannot be unloaded while a thread of it may run
  Loaded loaded_;
};

Loaded load() {
  Loader loader;
  auto& to = loader.functions();
  loader.find(to.global_init, "curl_global_init");
  loader.find(to.free, "curl_free");
  loader.find(to.easy_init, "curl_easy_init");
  loader.find(to.easy_cleanup, "curl_easy_cleanup");
  loader.find(to.easy_getinfo, "curl_easy_getinfo");
  loader.find(to.easy_reset, "curl_easy_reset");
  loader.find(to.easy_setopt, "curl_easy_setopt");
  loader.find(to.easy_strerror, "curl_easy_strerror");
  loader.find(to.multi_init, "curl_multi_init");
  loader.find(to.multi_cleanup, "curl_multi_cleanup");
  loader.find(to.multi_add_handle, "curl_multi_add_handle");
  loader.find(to.multi_remove_handle, "curl_multi_remove_handle");
  loader.find(to.multi_perform, "curl_multi_perform");
  loader.find(to.multi_poll, "curl_multi_poll");
  loader.find(to.multi_wakeup, "curl_multi_wakeup");
  loader.find(to.multi_info_read, "curl_multi_info_read");
  loader.find(to.slist_append, "curl_slist_append");
  loader.find(to.slist_free_all, "curl_slist_free_all");
  loader.find(to.url, "curl_url");
  loader.find(to.url_cleanup, "curl_url_cleanup");
  loader.find(to.url_get, "curl_url_get");
  loader.find(to.url_set, "curl_url_set");
  return loader.take();
}

const Loaded& loaded() {
  static const auto once = load();
  return once;
}

}  // namespace

Result<void> load_curl() {
  const auto& problem = loaded().problem;
  if (problem.empty()) return {};
  return fail(Errc::kUnavailable, "load libcurl: " + problem + " (install the package libcurl4)");
}

const Curl& curl() {
  return loaded().functions;
}

bool append(CurlList& to, const std::string& text) {
  auto* const longer = curl().slist_append(to.get(), text.c_str());
  if (longer == nullptr) return false;
  // The same list, longer by one: let go of, not freed.
  [[maybe_unused]] auto* const same = to.release();
  to.reset(longer);
  return true;
}

}  // namespace orb8
