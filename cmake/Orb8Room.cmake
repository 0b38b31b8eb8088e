# SPDX-License-Identifier: Apache-2.0
# A room is a folder and a library; its tests lie beside its sources.

# The target behind a name in DEPS: `base` means orb8_base, anything else is taken as it stands.
function(orb8_targets out)
  set(targets)
  foreach(dep ${ARGN})
    if(TARGET orb8_${dep})
      list(APPEND targets orb8_${dep})
    else()
      list(APPEND targets ${dep})
    endif()
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

# orb8_room(<name> [SOURCES <file>...] [DEPS <room or target>...]): library orb8_<name>.
function(orb8_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;DEPS")
  orb8_targets(deps ${ROOM_DEPS})
  if(ROOM_SOURCES)
    add_library(orb8_${name} STATIC ${ROOM_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(orb8_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(orb8_${name} ${scope} ${PROJECT_SOURCE_DIR})
  target_link_libraries(orb8_${name} ${scope} ${deps})
endfunction()

# orb8_program(<name> SOURCES <file>... DEPS <room or target>...): an installed program.
function(orb8_program name)
  cmake_parse_arguments(PARSE_ARGV 1 PROGRAM "" "" "SOURCES;DEPS")
  orb8_targets(deps ${PROGRAM_DEPS})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${deps})
  install(TARGETS ${name} RUNTIME)
endfunction()

# orb8_test(<name> SOURCES <file>... [DEPS <room or target>...]
#           [LABELS unit|kernel|netns|integration|fuzz|bench ...] [TIMEOUT <seconds>]):
# one GoogleTest program, one ctest entry. The label `unit` is the default.
function(orb8_test name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "" "TIMEOUT" "SOURCES;DEPS;LABELS")
  if(NOT TEST_LABELS)
    set(TEST_LABELS unit)
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  orb8_targets(deps ${TEST_DEPS})
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${deps} GTest::gmock GTest::gtest_main GTest::gtest)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT})
  if(NOT TEST_LABELS STREQUAL "unit")
    # They load programs, make namespaces or measure: one at a time.
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK machine)
  endif()
  if(ORB8_SANITIZE)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
  endif()
endfunction()
