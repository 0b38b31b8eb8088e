# SPDX-License-Identifier: Apache-2.0
# Every third-party library, under one name each, whatever the distribution calls it.
# All come from the distribution's packages; scripts/install-deps.sh lists them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.3)
pkg_check_modules(LIBMNL REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(LIBCURL REQUIRED libcurl>=7.88)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson>=3.0)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
find_package(spdlog REQUIRED)         # spdlog::spdlog
find_package(CLI11 REQUIRED)          # CLI11::CLI11
find_package(nlohmann_json REQUIRED)  # nlohmann_json::nlohmann_json
find_package(GTest REQUIRED)          # GTest::gtest, GTest::gmock, GTest::gtest_main
find_package(benchmark REQUIRED)      # benchmark::benchmark

# Called yaml-cpp up to 0.7 and yaml-cpp::yaml-cpp from 0.8 on.
find_package(yaml-cpp REQUIRED)
if(NOT TARGET yaml-cpp)
  add_library(yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp INTERFACE yaml-cpp::yaml-cpp)
endif()

# Debian and Ubuntu split httplib into a header and a library; upstream's is the header alone.
add_library(orb8_httplib INTERFACE)
add_library(orb8::httplib ALIAS orb8_httplib)
pkg_check_modules(HTTPLIB QUIET IMPORTED_TARGET cpp-httplib)
if(HTTPLIB_FOUND)
  target_link_libraries(orb8_httplib INTERFACE PkgConfig::HTTPLIB Threads::Threads)
  # Debian 13's header calls libcrypto itself, in inline functions of its thread pool.
  pkg_check_modules(LIBCRYPTO QUIET IMPORTED_TARGET libcrypto)
  if(LIBCRYPTO_FOUND)
    target_link_libraries(orb8_httplib INTERFACE PkgConfig::LIBCRYPTO)
  endif()
else()
  find_path(ORB8_HTTPLIB_DIR httplib.h REQUIRED)
  target_include_directories(orb8_httplib SYSTEM INTERFACE ${ORB8_HTTPLIB_DIR})
  target_link_libraries(orb8_httplib INTERFACE Threads::Threads)
endif()

# By name: Debian's CMake config for gRPC asks for packages that its -dev does not need, and through
# pkg-config it takes 13 s to configure and links a hundred parts of Abseil to every program.
find_path(ORB8_GRPC_DIR grpcpp/grpcpp.h REQUIRED)
add_library(orb8_grpc INTERFACE)
add_library(orb8::grpc ALIAS orb8_grpc)
target_include_directories(orb8_grpc SYSTEM INTERFACE ${ORB8_GRPC_DIR})
foreach(lib grpc++ grpc gpr protobuf absl_synchronization)  # absl: for inline functions of grpcpp
  find_library(ORB8_LIB_${lib} ${lib} REQUIRED)
  target_link_libraries(orb8_grpc INTERFACE ${ORB8_LIB_${lib}})
endforeach()
target_link_libraries(orb8_grpc INTERFACE Threads::Threads)

find_library(ORB8_GRPC_REFLECTION grpc++_reflection REQUIRED)
add_library(orb8_grpc_reflection INTERFACE)
add_library(orb8::grpc_reflection ALIAS orb8_grpc_reflection)
target_link_libraries(orb8_grpc_reflection INTERFACE ${ORB8_GRPC_REFLECTION} orb8::grpc)
