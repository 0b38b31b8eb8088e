// SPDX-License-Identifier: Apache-2.0
#include "core/export/rotating_file.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace orb8 {
namespace {

constexpr mode_t kMode = 0640;                   // it tells who talks to whom
constexpr off_t kLongestLine = off_t{1} << 20U;  // far above what a record takes

// What is wrong, and what to do about it.
std::unexpected<Error> file_error(int err, const std::string& doing) {
  auto made = sys_error(err, doing);
  auto& what = made.error().what;
  switch (err) {
    case ENOSPC:
    case EDQUOT:
      what += "; free some, or lower export_file_max_size and export_file_keep";
      break;
    case ENOENT:
    case ENOTDIR:
      what += "; make the folder, or change export_file";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      what += "; let the agent write there, or change export_file";
      break;
    default:
      break;
  }
  return made;
}

}  // namespace

RotatingFile::Appended RotatingFile::append(std::string_view lines) {
  Appended all;
  const auto failed = [&](Error error) {
    all.error = std::move(error);
    return all;
  };
  if (fd_ && !is_still_there()) {
    const auto kept = options_.sync ? sync() : Result<void>();
    fd_ = {};  // in any case: a disk that is gone must not keep the next file from being written
    if (!kept) return failed(kept.error());
  }
  while (!lines.empty()) {
    if (!fd_) {
      if (auto ok = open(); !ok) return failed(ok.error());
    }
    const auto present = size();
    if (!present) return failed(present.error());
    // As many lines as there is room for; into an empty file the first in any case.
    const auto room = options_.max_size - std::min(*present, options_.max_size);
    auto fits = lines.substr(0, std::min<std::uint64_t>(room, lines.size()));
    fits = fits.substr(0, fits.rfind('\n') + 1);
    if (fits.empty() && *present > 0) {
      if (auto ok = rotate(); !ok) return failed(ok.error());
      continue;
    }
    if (fits.empty()) fits = lines.substr(0, lines.find('\n') + 1);
    auto part = write(fits);
    all.bytes += part.bytes;
    if (part.error) return failed(std::move(*part.error));
    lines.remove_prefix(fits.size());
  }
  return all;
}

RotatingFile::Appended RotatingFile::write(std::string_view lines) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const auto written = ::write(fd_.get(), lines.data() + done, lines.size() - done);
    if (written > 0) {
      done += static_cast<std::size_t>(written);
      continue;
    }
    const int err = written < 0 ? errno : ENOSPC;
    if (err == EINTR) continue;
    // What does not fit goes in whole later, or not at all: the half line is taken back.
    const auto whole = lines.substr(0, done).rfind('\n') + 1;  // 0 where there is none
    const auto present = size();
    if (done > whole &&
        (!present || ::ftruncate(fd_.get(), static_cast<off_t>(*present - (done - whole))) != 0)) {
      fd_ = {};  // who opens it next mends it
    }
    return {.bytes = whole, .error = file_error(err, "write to " + options_.path).error()};
  }
  return {.bytes = done, .error = {}};
}

Result<void> RotatingFile::open() {
  const auto doing = "open " + options_.path;
  // Non-blocking: a pipe nobody reads would hang here.
  UniqueFd fd(::open(options_.path.c_str(),
                     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kMode));
  if (!fd) return file_error(errno, doing);
  struct stat about = {};
  if (::fstat(fd.get(), &about) != 0) return file_error(errno, doing);
  if (!S_ISREG(about.st_mode)) return fail(Errc::kInvalid, doing + ": it is no regular file");
  names_changed_ = true;  // it may be a new one
  device_ = about.st_dev;
  inode_ = about.st_ino;
  fd_ = std::move(fd);
  auto ok = mend(about.st_size);
  if (!ok) fd_ = {};
  return ok;
}

// Cuts off a last line without an end, if it looks like one of ours; else ends it.
Result<void> RotatingFile::mend(off_t size) {
  const auto doing = "mend the last line of " + options_.path;
  if (size == 0) return {};
  std::string tail(static_cast<std::size_t>(std::min(size, kLongestLine)), '\0');
  const auto got =
      ::pread(fd_.get(), tail.data(), tail.size(), size - static_cast<off_t>(tail.size()));
  if (got < 0) return file_error(errno, doing);
  tail.resize(static_cast<std::size_t>(got));
  if (tail.ends_with('\n')) return {};
  const auto last_end = tail.rfind('\n');
  const auto torn = std::string_view(tail).substr(last_end + 1);
  const bool begins_here = last_end != std::string::npos || size <= kLongestLine;
  if (begins_here && torn.starts_with('{')) {
    if (::ftruncate(fd_.get(), size - static_cast<off_t>(torn.size())) != 0) {
      return file_error(errno, doing);
    }
    spdlog::warn("{} ended in the midst of a line: {} bytes cut off", options_.path, torn.size());
    return {};
  }
  if (::write(fd_.get(), "\n", 1) != 1) return file_error(errno, doing);
  return {};
}

Result<std::uint64_t> RotatingFile::size() {
  struct stat about = {};
  if (::fstat(fd_.get(), &about) != 0) return file_error(errno, "look at " + options_.path);
  return static_cast<std::uint64_t>(about.st_size);
}

bool RotatingFile::is_still_there() const {
  struct stat about = {};
  return ::stat(options_.path.c_str(), &about) == 0 && about.st_dev == device_ &&
         about.st_ino == inode_;
}

Result<void> RotatingFile::rotate() {
  const auto& path = options_.path;
  if (options_.sync) {
    if (auto ok = sync(); !ok) return ok;
  }
  names_changed_ = true;
  if (options_.keep == 0) {
    if (::unlink(path.c_str()) != 0) return file_error(errno, "remove " + path);
    fd_ = {};
    return {};
  }
  const auto kept = [&](std::uint32_t number) { return path + "." + std::to_string(number); };
  for (auto number = options_.keep; number > 1; --number) {
    if (::rename(kept(number - 1).c_str(), kept(number).c_str()) != 0 && errno != ENOENT) {
      return file_error(errno, "rename " + kept(number - 1));
    }
  }
  if (::rename(path.c_str(), kept(1).c_str()) != 0) return file_error(errno, "rename " + path);
  fd_ = {};
  return {};
}

Result<void> RotatingFile::sync() {
  if (fd_ && options_.sync_file(fd_.get()) != 0) {
    return file_error(errno, "bring " + options_.path + " to the disk");
  }
  return names_changed_ ? sync_names() : Result<void>();
}

Result<void> RotatingFile::sync_names() {
  const auto folder = std::filesystem::path(options_.path).parent_path().string();
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // One that may be written and not read, and a file system that brings no folder to the disk by
  // itself: there is nothing that could be done.
  const int err = fd && options_.sync_folder(fd.get()) == 0 ? 0 : errno;
  if (err != 0 && err != EACCES && err != EINVAL) {
    return file_error(err, "bring the folder " + folder + " to the disk");
  }
  names_changed_ = false;
  return {};
}

}  // namespace orb8
