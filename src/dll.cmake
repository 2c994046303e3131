# mimalloc-override.dll and its variants: no C runtime, imports from KERNEL32, ntdll and the redirect.
# In Microsoft's mode the import libraries are the SDK's. Else those for the first two are made here
# from short lists: what the DLL may import is then written down, and lld keeps the order of the command
# line, with the redirect first (it would sort Debian's libraries, which have another format, by path).

# The bytes of arguments stay in the names of x86 only.
function(mi_add_import_library name)
  set(def ${CMAKE_CURRENT_BINARY_DIR}/${name}.def)
  set(library ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a)
  file(READ ${CMAKE_CURRENT_SOURCE_DIR}/api/${name}.def text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${CMAKE_CURRENT_SOURCE_DIR}/api/${name}.def)
  if(NOT MI_TARGET_ARCH STREQUAL "i686")
    string(REGEX REPLACE "@[0-9]+" "" text "${text}")
  endif()
  file(CONFIGURE OUTPUT ${def} CONTENT "${text}" @ONLY)
  add_custom_command(OUTPUT ${library}
    COMMAND ${CMAKE_DLLTOOL} -m ${MI_DLLTOOL_MACHINE} -k -d ${def} -l ${library}
    DEPENDS ${def} VERBATIM)
  add_custom_target(${name}_library DEPENDS ${library})
endfunction()

if(MSVC)
  set(import_libraries kernel32 ntdll)
else()
  mi_add_import_library(import_kernel32)
  mi_add_import_library(import_ntdll)
  set(import_libraries ${CMAKE_CURRENT_BINARY_DIR}/libimport_kernel32.a
                       ${CMAKE_CURRENT_BINARY_DIR}/libimport_ntdll.a)
endif()

# Control flow guard: the DLL lists its valid indirect call targets. The table's anchor is the same
# for every DLL, so the redirect's file serves here too. It has it for 64-bit code only.
set(guard_sources)
if(MI_HAS_GUARD)
  set(guard_sources redirect/load_config.c)
endif()

enable_language(RC)
string(REPLACE "." "," version_numbers "${PROJECT_VERSION},0")
configure_file(api/mimalloc-override.rc.in mimalloc-override.rc @ONLY)
configure_file(api/mimalloc-override.def mimalloc-override.def COPYONLY)

function(mi_add_dll target variant)
  mi_add_core(${target}-core ${variant})
  add_library(${target} SHARED ${dll_sources} ${guard_sources} $<TARGET_OBJECTS:${target}-core>
              ${CMAKE_CURRENT_BINARY_DIR}/mimalloc-override.rc)
  set_target_properties(${target} PROPERTIES PREFIX "")
  target_compile_definitions(${target} PRIVATE ${${variant}_definitions})
  target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${target} PRIVATE mi_core_options mi_warnings mimalloc-redirect
                                          ${import_libraries})
  if(NOT MSVC)
    add_dependencies(${target} import_kernel32_library import_ntdll_library)
  endif()
  mi_compile_freestanding(${target} ${target}-core)
  mi_guard(${target} ${target}-core)
  mi_link_freestanding(${target} ENTRY mi_dll_main PDB)
  if(MSVC)
    # Debug information for the PDB, which the linker names after the DLL.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/Z7>)
    target_compile_options(${target}-core PRIVATE $<$<COMPILE_LANGUAGE:C>:/Z7>)
    target_link_options(${target} PRIVATE /DEBUG /OPT:REF /OPT:ICF
                        /DEF:${CMAKE_CURRENT_BINARY_DIR}/mimalloc-override.def)
  else()
    if(CMAKE_C_COMPILER_ID STREQUAL "Clang") # GCC makes no PDB
      foreach(part ${target} ${target}-core)
        target_compile_options(${part} PRIVATE $<$<COMPILE_LANGUAGE:C>:-gcodeview>)
      endforeach()
    endif()
    # Relative, for the same bytes in every folder; the linker runs in the build folder.
    file(RELATIVE_PATH def ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR}/mimalloc-override.def)
    target_link_options(${target} PRIVATE ${def})
  endif()
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS
               ${CMAKE_CURRENT_BINARY_DIR}/mimalloc-override.def)
endfunction()

mi_add_dll(mimalloc-override release)
mi_add_dll(mimalloc-override-debug debug)
mi_add_dll(mimalloc-override-secure secure)
