# SPDX-License-Identifier: Apache-2.0
# Tests, benchmarks and fuzz targets. One ctest entry each; of several presets, told apart by the
# preset's name in front (asan.flow_table_test), so that one ctest run can hold them all.
get_filename_component(orb8_preset ${CMAKE_BINARY_DIR} NAME)
set(ORB8_TEST_PREFIX "${orb8_preset}.")
if(orb8_preset STREQUAL "release")
  set(ORB8_TEST_PREFIX "")
endif()

# The sanitizers of g++ 12 and 13 need the address space where kernels with 32 random bits
# (Ubuntu's default) do not always leave it.
set(ORB8_TEST_LAUNCHER)
if(ORB8_SANITIZE)
  find_program(ORB8_SETARCH setarch REQUIRED)
  set(ORB8_TEST_LAUNCHER ${ORB8_SETARCH} -R)
endif()

set(ORB8_TEST_ENVIRONMENT
  ORB8_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
  ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/leak.supp:print_suppressions=0
  UBSAN_OPTIONS=print_stacktrace=1
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/thread.supp:ignore_noninstrumented_modules=1)

# The properties every test has. What is not a unit test loads programs, makes namespaces or
# starts servers: one of those at a time.
function(orb8_set_test_properties test labels timeout)
  set_tests_properties(${test} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout} ENVIRONMENT "${ORB8_TEST_ENVIRONMENT}")
  if(NOT labels STREQUAL "unit" AND NOT labels STREQUAL "fuzz")
    set_tests_properties(${test} PROPERTIES RESOURCE_LOCK machine)
  endif()
endfunction()

# orb8_test(<name> SOURCES <file>... [DEPS <room or target>...] [PROGRAMS <program>...]
#           [LABELS unit|kernel|netns|integration ...] [TIMEOUT <seconds>] [THREADS]):
# one GoogleTest program. It runs in the source folder; programs that it starts are named in
# PROGRAMS and found in $ORB8_BIN_DIR. The label `unit` is the default. THREADS: of the kernel and
# netns tests the thread sanitizer gets these, with threads at work or with what the pipeline's
# thread does. The others have nothing to tell it and would take it minutes: they are not made there.
function(orb8_test name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "THREADS" "TIMEOUT" "SOURCES;DEPS;PROGRAMS;LABELS")
  if(NOT TEST_LABELS)
    set(TEST_LABELS unit)
  endif()
  if(ORB8_SANITIZE STREQUAL "thread" AND TEST_LABELS MATCHES "^(kernel|netns)$"
     AND NOT TEST_THREADS)
    return()
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  orb8_targets(deps ${TEST_DEPS})
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${deps} GTest::gmock GTest::gtest_main GTest::gtest)
  # What is tested is optimised; what tests it is compiled in half the time without, and there is
  # more of it than of all the rest.
  target_compile_options(${name} PRIVATE -O0)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(TEST_PROGRAMS)
    add_dependencies(${name} ${TEST_PROGRAMS})
  endif()
  add_dependencies(orb8_tests ${name})
  add_test(NAME ${ORB8_TEST_PREFIX}${name}
    COMMAND ${ORB8_TEST_LAUNCHER} $<TARGET_FILE:${name}> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  orb8_set_test_properties(${ORB8_TEST_PREFIX}${name} "${TEST_LABELS}" ${TEST_TIMEOUT})
endfunction()

# orb8_bench(<name> SOURCES <file>... [DEPS <room or target>...]): a program that measures, in
# <binary dir>/tests, not run by ctest. It may use benchmark::benchmark by naming it in DEPS.
function(orb8_bench name)
  if(ORB8_SANITIZE)
    return()  # what a sanitizer costs is not what is asked
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 BENCH "" "" "SOURCES;DEPS")
  orb8_targets(deps ${BENCH_DEPS})
  add_executable(${name} ${BENCH_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${deps})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

# orb8_fuzzer(<name> SOURCES <file>... [DEPS <room or target>...]): a libFuzzer target, built where
# ORB8_FUZZ is on (preset clang). ctest runs it for ORB8_FUZZ_SECONDS from the seeds in
# tests/fuzz/corpus/<name>; what it finds on the way stays in the build folder.
function(orb8_fuzzer name)
  if(NOT ORB8_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 FUZZ "" "" "SOURCES;DEPS")
  orb8_targets(deps ${FUZZ_DEPS})
  add_executable(${name} ${FUZZ_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${deps} -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(orb8_fuzzers ${name})

  set(seeds ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  set(found ${CMAKE_BINARY_DIR}/fuzz/corpus/${name})
  file(MAKE_DIRECTORY ${found})
  if(NOT IS_DIRECTORY ${seeds})
    message(FATAL_ERROR "orb8_fuzzer(${name}): no seeds in ${seeds}")
  endif()
  add_test(NAME fuzz.${name}
    COMMAND ${ORB8_TEST_LAUNCHER} $<TARGET_FILE:${name}> -seed=1 -timeout=5 -rss_limit_mb=2048
            -max_total_time=${ORB8_FUZZ_SECONDS} -print_final_stats=1 -verbosity=0
            -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz/${name}- ${found} ${seeds})
  math(EXPR timeout "${ORB8_FUZZ_SECONDS} + 60")
  orb8_set_test_properties(fuzz.${name} fuzz ${timeout})
endfunction()

add_custom_target(orb8_tests)    # each test program, and what it starts
add_custom_target(orb8_fuzzers)  # each fuzz target
