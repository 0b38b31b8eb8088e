# SPDX-License-Identifier: Apache-2.0
# The wire contract: .proto to C++ messages and gRPC stubs.
find_program(ORB8_PROTOC protoc REQUIRED)
find_program(ORB8_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)

# orb8_proto_library(orb8_proto orb8/v1/agent.proto ...): library orb8_proto, included as
# "orb8/v1/agent.pb.h" and "orb8/v1/agent.grpc.pb.h". Paths are relative to the calling folder.
function(orb8_proto_library name)
  set(root ${CMAKE_CURRENT_SOURCE_DIR})
  set(gen ${CMAKE_CURRENT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${gen})
  set(sources)
  foreach(proto ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${gen}/${stem}.pb.cc ${gen}/${stem}.grpc.pb.cc)
    add_custom_command(
      OUTPUT ${outputs} ${gen}/${stem}.pb.h ${gen}/${stem}.grpc.pb.h
      COMMAND ${ORB8_PROTOC} -I ${root} --cpp_out=${gen} --grpc_out=${gen}
              --plugin=protoc-gen-grpc=${ORB8_GRPC_PLUGIN} ${proto}
      DEPENDS ${proto} WORKING_DIRECTORY ${root}
      COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND sources ${outputs})
  endforeach()
  add_custom_target(${name}_gen DEPENDS ${sources})
  add_dependencies(orb8_generated ${name}_gen)
  add_library(${name} STATIC ${sources})
  add_dependencies(${name} ${name}_gen)
  set_target_properties(${name} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
  target_compile_options(${name} PRIVATE -w)
  if(ORB8_SANITIZE STREQUAL "thread")
    # Else protobuf's headers give map fields two members more (map_field.h, of 3.21) than the
    # distribution's library knows of: reading one there by reflection crashes.
    target_compile_options(${name} PUBLIC -U__SANITIZE_THREAD__)
  endif()
  target_include_directories(${name} SYSTEM PUBLIC ${gen})
  target_link_libraries(${name} PUBLIC orb8::grpc)
endfunction()
