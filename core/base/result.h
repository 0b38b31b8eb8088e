// The one way a function says that it failed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace orb8 {

// What the caller can do about it, not where it happened.
enum class Errc {
  kNotFound,     // the object is not there (any more)
  kDenied,       // rights are missing
  kUnsupported,  // this kernel or build cannot do it
  kInvalid,      // the caller's input is wrong
  kExhausted,    // a bound was reached
  kUnavailable,  // not now; ask again later
  kInternal,
};

struct Error {
  Errc code = Errc::kInternal;
  int sys = 0;       // errno of the failed call; 0 when there was none
  std::string what;  // one sentence with the object in it: "attach tcx to eth0: No such device"
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string what) {
  return std::unexpected(Error{code, 0, std::move(what)});
}

// An Error from errno. Takes errno as a value, because building `doing` may allocate and change it.
std::unexpected<Error> sys_error(int err, std::string doing);

}  // namespace orb8
