# Tests of the allocator's core: they link the core and see its inner headers.
#
# mi_add_core_test(AREA area NAME name SOURCES a.c ... [ARGS ...] [TIMEOUT s] [LABELS ...]
#                  [BOTH] [SECURE])
#   The builds with sanitizers are debug builds, with every check on. BOTH adds area.name_plain there,
#   the same test on the code as it is released. SECURE adds area.name_secure on Linux, without a
#   sanitizer: the same on the secure variant.
include_guard(GLOBAL)

set(MI_TEST_SUPPORT ${CMAKE_CURRENT_LIST_DIR})
set(system linux)
if(WIN32)
  set(system windows)
endif()
add_library(test_support STATIC ${MI_TEST_SUPPORT}/rng.c ${MI_TEST_SUPPORT}/shadow.c
                                ${MI_TEST_SUPPORT}/threads_${system}.c)
target_include_directories(test_support PRIVATE ${CMAKE_SOURCE_DIR}/test ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(test_support PRIVATE mi_warnings mi_ucrt)
if(WIN32)
  target_link_libraries(test_support PUBLIC ntdll)
endif()

# The core under its mi_ names only: the C runtime's own malloc serves the test itself.
find_package(Threads REQUIRED)
set(test_core_outside ${CMAKE_SOURCE_DIR}/src/api/runtime_static.c)
if(WIN32)
  list(APPEND test_core_outside ${CMAKE_SOURCE_DIR}/src/os/tls_callback_windows.c)
endif()
get_target_property(test_core_definitions mimalloc-core COMPILE_DEFINITIONS)
add_library(test_core STATIC ${test_core_outside} $<TARGET_OBJECTS:mimalloc-core>)
if(test_core_definitions)
  target_compile_definitions(test_core PUBLIC ${test_core_definitions})
endif()
target_link_libraries(test_core PUBLIC Threads::Threads PRIVATE mi_core_options mi_warnings)

# The core without debug checks, for builds whose library has them.
get_target_property(test_core_sources mimalloc-core SOURCES)
if(MI_SANITIZE)
  add_library(test_core_plain STATIC ${test_core_sources} ${test_core_outside})
  target_link_libraries(test_core_plain PUBLIC Threads::Threads PRIVATE mi_core_options mi_warnings)
endif()

# The variants, which are DLLs on Windows: test_core_debug, test_core_secure.
if(NOT WIN32 AND NOT MI_SANITIZE)
  foreach(variant debug secure)
    string(TOUPPER MI_${variant}=1 definition)
    add_library(test_core_${variant} STATIC ${test_core_sources} ${test_core_outside})
    target_compile_definitions(test_core_${variant} PUBLIC ${definition})
    target_link_libraries(test_core_${variant} PUBLIC Threads::Threads
                                               PRIVATE mi_core_options mi_warnings)
  endforeach()
endif()

function(mi_add_core_test)
  cmake_parse_arguments(C "BOTH;SECURE" "NAME" "" ${ARGN})
  mi_add_test(NAME ${C_NAME} LIBRARIES test_support test_core ${C_UNPARSED_ARGUMENTS})
  if(C_BOTH AND MI_SANITIZE)
    mi_add_test(NAME ${C_NAME}_plain LIBRARIES test_support test_core_plain
                ${C_UNPARSED_ARGUMENTS})
  endif()
  if(C_SECURE AND TARGET test_core_secure)
    mi_add_test(NAME ${C_NAME}_secure LIBRARIES test_support test_core_secure
                ${C_UNPARSED_ARGUMENTS})
  endif()
endfunction()

# The program's calls for memory go through os_fault.c.
set(MI_TEST_WRAPPED mi_os_reserve mi_os_commit mi_os_decommit mi_os_protect)
function(mi_add_fault_test)
  cmake_parse_arguments(F "" "NAME;DEFINITIONS" "" ${ARGN})
  mi_add_core_test(NAME ${F_NAME} ${F_UNPARSED_ARGUMENTS})
  foreach(program test_${F_NAME} test_${F_NAME}_secure)
    if(TARGET ${program})
      target_sources(${program} PRIVATE ${MI_TEST_SUPPORT}/os_fault.c)
      target_compile_definitions(${program} PRIVATE ${F_DEFINITIONS})
      list(TRANSFORM MI_TEST_WRAPPED PREPEND -Wl,--wrap= OUTPUT_VARIABLE wraps)
      target_link_options(${program} PRIVATE ${wraps})
    endif()
  endforeach()
endfunction()
