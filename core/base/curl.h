// libcurl, loaded by whoever is the first to need it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "core/base/result.h"

namespace orb8 {

// libcurl's functions. It is not linked, since with what it brings along (a second TLS library,
// LDAP, Kerberos) it takes 3 MiB of memory, and a machine without Kubernetes asks nobody over HTTP.
struct Curl {
  decltype(&curl_global_init) global_init;
  decltype(&curl_free) free;

  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_strerror) easy_strerror;

  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_poll) multi_poll;
  decltype(&curl_multi_wakeup) multi_wakeup;
  decltype(&curl_multi_info_read) multi_info_read;

  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;

  decltype(&curl_url) url;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_url_get) url_get;
  decltype(&curl_url_set) url_set;
};

// Any thread. kUnavailable: there is no libcurl, or one that lacks something; what to install. What
// went wrong once goes wrong again: it is tried once.
Result<void> load_curl();

// After load_curl() has succeeded, and until the process ends.
const Curl& curl();

struct FreeCurlEasy {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, FreeCurlEasy>;

struct FreeCurlMulti {
  void operator()(CURLM* multi) const { curl().multi_cleanup(multi); }
};
using CurlMulti = std::unique_ptr<CURLM, FreeCurlMulti>;

struct FreeCurlList {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, FreeCurlList>;

// Appends a copy of the text; false: there was no memory.
bool append(CurlList& to, const std::string& text);

}  // namespace orb8
