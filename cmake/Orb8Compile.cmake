# SPDX-License-Identifier: Apache-2.0
# How every C++ file of the project is compiled: language, warnings, sanitizers, output folders.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(ORB8_SANITIZE "" CACHE STRING "what -fsanitize= gets: address,undefined or thread; or nothing")
option(ORB8_WERROR "treat warnings as errors" ON)
option(ORB8_FUZZ "build the fuzz targets (clang only)" OFF)
set(ORB8_FUZZ_SECONDS 20 CACHE STRING "how long ctest runs each fuzz target")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# -g1: line numbers for stack traces at a third of the size, which is most of the link time.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
if(ORB8_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
  add_compile_options(-fsanitize=${ORB8_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ORB8_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The checks that a sanitizer adds make g++ see uninitialised values where there are none, in
    # <regex> for one; the documentation of -fsanitize says so of -Wmaybe-uninitialized.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
if(ORB8_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "ORB8_FUZZ needs clang, not ${CMAKE_CXX_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)  # the fuzzer steers by what the rooms cover
endif()

add_compile_options(
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wsuggest-override -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 warns of what its own std::stable_sort calls, and clang believes it.
  add_compile_options(-Wno-deprecated-declarations)
endif()
if(ORB8_WERROR)
  add_compile_options(-Werror)
endif()

# Paths relative to the source folder: the same bytes, and the same cache entries, from any clone.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
find_program(ORB8_CCACHE ccache)
if(ORB8_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${ORB8_CCACHE})
endif()

# A program loads what it calls, and nothing that a library's users might.
add_link_options(-Wl,--as-needed)

if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endif()
