# SPDX-License-Identifier: Apache-2.0
# The kernel side: BPF C to an object, the object to a skeleton that is embedded in the program.
find_program(ORB8_BPF_CLANG NAMES clang-19 clang-20 clang-18 clang-17 clang-16 clang-15 clang REQUIRED)

# Debian has bpftool in /usr/sbin; Ubuntu's there is a wrapper that refuses to run unless the
# tools of the running kernel are installed, so the real one is looked for first.
file(GLOB orb8_bpftool_dirs LIST_DIRECTORIES true /usr/lib/linux-tools/* /usr/lib/linux-tools-*)
find_program(ORB8_BPFTOOL bpftool PATHS ${orb8_bpftool_dirs} NO_DEFAULT_PATH)
find_program(ORB8_BPFTOOL bpftool PATHS /usr/sbin /usr/local/sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(ORB8_BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(ORB8_BPF_ARCH arm64)
else()
  message(FATAL_ERROR "orb8 builds on x86_64 and arm64, not on ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# -target bpf does not look into the multiarch folder, where Debian and Ubuntu keep <asm/types.h>.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-multiarch
  OUTPUT_VARIABLE orb8_multiarch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT orb8_multiarch)
  set(orb8_multiarch ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
endif()
set(ORB8_BPF_ASM_DIR /usr/include/${orb8_multiarch})

set(ORB8_BPF_FLAGS -g -O2 -target bpf -D__TARGET_ARCH_${ORB8_BPF_ARCH}
  -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused-parameter)

# orb8_bpf_object(network network.bpf.c v2): library network_skel, which provides "network.skel.h"
# with struct network_bpf. v2 is what every verifier since 5.8 was tested with; v3 has atomics that
# tell what was there before, since 5.12.
function(orb8_bpf_object name source cpu)
  set(obj ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skel ${CMAKE_CURRENT_BINARY_DIR}/skel/${name}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/skel)
  add_custom_command(OUTPUT ${obj}
    COMMAND ${ORB8_BPF_CLANG} ${ORB8_BPF_FLAGS} -mcpu=${cpu} -I${PROJECT_SOURCE_DIR}
            -isystem ${ORB8_BPF_ASM_DIR} -MD -MF ${obj}.d -MT ${obj}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${obj}
    DEPENDS ${source}
    DEPFILE ${obj}.d  # an edited common/ header rebuilds both sides, or neither
    COMMENT "BPF ${name}" VERBATIM)
  add_custom_command(OUTPUT ${skel}
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/gen-skeleton.sh ${ORB8_BPFTOOL} ${obj} ${name} ${skel}
    DEPENDS ${obj} ${PROJECT_SOURCE_DIR}/scripts/gen-skeleton.sh
    COMMENT "skeleton ${name}" VERBATIM)
  add_custom_target(${name}_skel_gen DEPENDS ${skel})
  add_library(${name}_skel INTERFACE)
  add_dependencies(${name}_skel ${name}_skel_gen)
  add_dependencies(orb8_generated ${name}_skel_gen)
  target_include_directories(${name}_skel SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/skel)
  target_link_libraries(${name}_skel INTERFACE PkgConfig::LIBBPF)
endfunction()
