# Binaries without a C runtime: how each compiler and linker is told so.
#
# mi_compile_freestanding(target ...)  its code calls nothing that the compiler makes up but memcpy,
#                                      memmove, memset and memcmp, and needs no probe of the stack; it
#                                      has unwind records (x86 has no table of them), as a new
#                                      handler's exception may pass through
# mi_link_freestanding(target ENTRY function [PDB] [CONSOLE])
#                                      no runtime, no start-up code; PDB keeps the debug information
# mi_guard(target ...)                 control flow guard's table and the mark for shadow stacks, where
#                                      redirect/load_config.c (to be compiled in) has its anchor
set(MI_HAS_GUARD FALSE)
if(WIN32 AND NOT MI_TARGET_ARCH STREQUAL "i686" AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
  set(MI_HAS_GUARD TRUE)
endif()

set(mi_unwind -fasynchronous-unwind-tables)
if(MI_TARGET_ARCH STREQUAL "i686")
  set(mi_unwind -fno-asynchronous-unwind-tables)
endif()

function(mi_compile_freestanding)
  foreach(target ${ARGN})
    if(MSVC AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/GS- /Gs1048576 /Zl
        /clang:-ffreestanding /clang:-fno-builtin /clang:${mi_unwind}>)
    elseif(MSVC)
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/GS- /Gs1048576 /Zl /Oi->)
    else()
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-ffreestanding -fno-builtin
        -fno-stack-protector -mno-stack-arg-probe ${mi_unwind}>)
    endif()
  endforeach()
endfunction()

function(mi_link_freestanding target)
  cmake_parse_arguments(F "PDB;CONSOLE" "ENTRY" "" ${ARGN})
  if(MSVC)
    target_link_options(${target} PRIVATE /NODEFAULTLIB /ENTRY:${F_ENTRY} /DYNAMICBASE /NXCOMPAT
      $<$<BOOL:${F_CONSOLE}>:/SUBSYSTEM:CONSOLE>)
    return()
  endif()
  set(underscore)
  if(F_CONSOLE AND CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
    set(underscore _)
  endif()
  target_link_options(${target} PRIVATE -nostdlib -Wl,--entry=${underscore}${F_ENTRY})
  if(MI_TARGET_ARCH STREQUAL "i686")
    # No exception handler of x86's kind lies in the file, so none may be called in it.
    target_link_options(${target} PRIVATE -Wl,--no-seh)
  endif()
  if(F_CONSOLE)
    target_link_options(${target} PRIVATE -Wl,--subsystem,console)
  else()
    target_link_options(${target} PRIVATE -Wl,--dynamicbase,--nxcompat,--high-entropy-va)
  endif()
  if(F_PDB AND CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # Relative to the build folder, where the linker runs: the PDB holds the linker's command line.
    file(RELATIVE_PATH folder ${CMAKE_BINARY_DIR} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
    target_link_options(${target} PRIVATE -Wl,--pdb=${folder}/${target}.pdb)
  endif()
endfunction()

function(mi_guard)
  if(NOT MI_HAS_GUARD)
    return()
  endif()
  foreach(target ${ARGN})
    get_target_property(type ${target} TYPE)
    if(MSVC)
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:/guard:cf,nochecks>)
    else()
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-mguard=cf-nochecks>)
    endif()
    if(NOT type STREQUAL "SHARED_LIBRARY")
      continue()
    endif()
    # Shadow stacks are x64's.
    set(is_x64 $<STREQUAL:${MI_TARGET_ARCH},x86_64>)
    if(MSVC)
      target_link_options(${target} PRIVATE /GUARD:CF $<${is_x64}:/CETCOMPAT>)
    else()
      target_link_options(${target} PRIVATE -Wl,--guard-cf $<${is_x64}:-Wl,--Xlink=-cetcompat>)
    endif()
  endforeach()
endfunction()
