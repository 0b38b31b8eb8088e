# SPDX-License-Identifier: Apache-2.0
# A room is a folder and a library; a program is what links rooms.

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
