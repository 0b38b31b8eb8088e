// SPDX-License-Identifier: Apache-2.0
#include "core/base/result.h"

#include <cerrno>
#include <system_error>

namespace orb8 {
namespace {

Errc classify(int err) {
  switch (err) {
    case EPERM:
    case EACCES:
      return Errc::kDenied;
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return Errc::kNotFound;
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
      return Errc::kUnsupported;
    case ENOSPC:
    case ENOMEM:
    case E2BIG:
    case EMFILE:
      return Errc::kExhausted;
    case EAGAIN:
    case EBUSY:
      return Errc::kUnavailable;
    default:
      return Errc::kInternal;
  }
}

}  // namespace

std::unexpected<Error> sys_error(int err, std::string doing) {
  return std::unexpected(
      Error{classify(err), err, std::move(doing) + ": " + std::generic_category().message(err)});
}

}  // namespace orb8
