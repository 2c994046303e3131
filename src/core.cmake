# The allocator's targets: libmimalloc-override.so, libmimalloc.a and, for Windows, the DLL in its
# variants. The sources are the folders of the layers; files for one system end in its name.
file(GLOB core_sources CONFIGURE_DEPENDS
  base/*.c os/*.c support/*.c memory/*.c segment/*.c page/*.c heap/*.c api/*.c)
# Last, so that the map's zeros do not lie between the data that every process touches.
list(FILTER core_sources EXCLUDE REGEX "/segment_map\\.c$")
list(APPEND core_sources ${CMAKE_CURRENT_LIST_DIR}/memory/segment_map.c)
if(WIN32)
  list(FILTER core_sources EXCLUDE REGEX "_linux\\.c$")
else()
  list(FILTER core_sources EXCLUDE REGEX "(_windows|_crt)\\.c$")
endif()
# What is only for the DLL, and what only for linking into a program.
set(dll_sources ${core_sources})
list(FILTER dll_sources INCLUDE REGEX "(mem_windows|div_windows|dll_windows|alloc_crt)\\.c$")
set(static_sources ${core_sources})
list(FILTER static_sources INCLUDE
  REGEX "(runtime_static|override_static|tls_callback_windows)\\.c$")
list(REMOVE_ITEM core_sources ${dll_sources} ${static_sources})
# The standard names: not on Windows, where a program shares blocks with the runtime's DLL, and not
# under a sanitizer, which has its own.
if(WIN32 OR MI_SANITIZE)
  list(FILTER static_sources EXCLUDE REGEX "override_static\\.c$")
endif()

# mi_add_core(NAME name VARIANT release|debug|secure): an object library of the core.
add_library(mi_core_options INTERFACE)
target_include_directories(mi_core_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
# No frame reaches an OS page: that would need a stack probe, which the DLL does not have.
# -fno-builtin-malloc: the compiler must not turn our functions into calls of themselves.
if(MSVC AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_compile_options(mi_core_options INTERFACE
    /clang:-fno-strict-aliasing /clang:-fno-builtin-malloc -Wframe-larger-than=3584)
elseif(NOT MSVC)
  target_compile_options(mi_core_options INTERFACE
    -fvisibility=hidden -fno-strict-aliasing -fno-builtin-malloc -Wframe-larger-than=3584)
endif()
if(NOT WIN32)
  target_compile_options(mi_core_options INTERFACE -ftls-model=initial-exec)
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND NOT MSVC)
  # All our variables are in the same image: no load of their address from a table.
  target_compile_options(mi_core_options INTERFACE -fno-auto-import)
endif()

set(debug_definitions MI_DEBUG=1)
set(secure_definitions MI_SECURE=1)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(release_definitions MI_DEBUG=1)
endif()

function(mi_add_core target variant)
  add_library(${target} OBJECT ${core_sources})
  target_compile_definitions(${target} PUBLIC ${${variant}_definitions})
  target_link_libraries(${target} PUBLIC mi_core_options PRIVATE mi_warnings)
  if(MSVC)
    # No default library: programs of every runtime can link it.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/Zl /GS->)
  endif()
endfunction()

# What a program links: one archive of everything, with the program's own runtime around it.
function(mi_add_static target variant)
  mi_add_core(${target}-core ${variant})
  add_library(${target} STATIC ${static_sources} $<TARGET_OBJECTS:${target}-core>)
  target_compile_definitions(${target} PUBLIC ${${variant}_definitions})
  target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${target} PRIVATE mi_core_options mi_warnings)
  if(MSVC)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/Zl /GS->)
  endif()
endfunction()

mi_add_static(mimalloc release)
if(WIN32)
  target_link_libraries(mimalloc PUBLIC ntdll)
  include(dll.cmake)
else()
  find_package(Threads REQUIRED)
  target_link_libraries(mimalloc PUBLIC Threads::Threads)
  add_library(mimalloc-override SHARED ${static_sources} $<TARGET_OBJECTS:mimalloc-core>)
  target_include_directories(mimalloc-override INTERFACE ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(mimalloc-override PRIVATE ${release_definitions})
  target_link_libraries(mimalloc-override PRIVATE mi_core_options mi_warnings Threads::Threads)
  # Calls among our own functions do not go through the table that a program could change.
  target_link_options(mimalloc-override PRIVATE -Wl,-Bsymbolic-functions -Wl,-z,now
    # Code and headers in one mapping: two calls and four page faults less at the start of a process.
    -Wl,-z,noseparate-code)
endif()
