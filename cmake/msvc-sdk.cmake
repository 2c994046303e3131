# Cross-builds in Microsoft's mode: clang-cl and lld-link with the headers and import libraries of the
# Windows SDK that test/support/setup-sdk fetched. What only Visual Studio has is replaced by
# cmake/msvc. On Windows itself, with Visual Studio, no toolchain file is needed.
# MI_TARGET_ARCH names the processor: x86_64 (default), i686 or aarch64. For i686 the packages have no
# import libraries: cmake/msvc/imports_x86.cmake makes those that the product needs.
set(CMAKE_SYSTEM_NAME Windows)
if(NOT MI_TARGET_ARCH)
  set(MI_TARGET_ARCH x86_64)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MI_TARGET_ARCH)
set(CMAKE_SYSTEM_PROCESSOR ${MI_TARGET_ARCH})

get_filename_component(mi_root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(mi_sdk_machine_x86_64 x64)
set(mi_sdk_machine_aarch64 arm64)
set(mi_sdk_machine ${mi_sdk_machine_${MI_TARGET_ARCH}})
file(GLOB mi_sdk_headers ${mi_root}/build/cache/microsoft.windows.sdk.cpp-10.0.28000.*/c/Include/*)
file(GLOB mi_sdk_libraries
     ${mi_root}/build/cache/microsoft.windows.sdk.cpp.${mi_sdk_machine}-10.0.28000.*/c)
if(MI_TARGET_ARCH STREQUAL "i686")
  set(mi_sdk_libraries none)
endif()
if(NOT mi_sdk_headers OR NOT mi_sdk_libraries)
  message(FATAL_ERROR "no Windows SDK in build/cache: run bin/setup on a machine that has dotnet")
endif()

set(CMAKE_C_COMPILER clang-cl-19)
set(CMAKE_CXX_COMPILER clang-cl-19)
set(CMAKE_C_COMPILER_TARGET ${MI_TARGET_ARCH}-pc-windows-msvc)
set(CMAKE_CXX_COMPILER_TARGET ${MI_TARGET_ARCH}-pc-windows-msvc)
# ccache knows this compiler by its exact name only, and loses the objects under any other.
unset(ENV{CMAKE_C_COMPILER_LAUNCHER})
unset(ENV{CMAKE_CXX_COMPILER_LAUNCHER})
set(CMAKE_LINKER lld-link-19)
set(CMAKE_AR llvm-lib-19)
set(CMAKE_RC_COMPILER llvm-rc-19)
set(CMAKE_MT CMAKE_MT-NOTFOUND)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# winver.h spells a header's name with capitals, which matters where file names have cases.
set(mi_spelling ${mi_root}/build/sdk-spelling)
file(WRITE ${mi_spelling}/SpecStrings.h "#include <specstrings.h>\n")
set(mi_headers)
foreach(folder ${mi_root}/cmake/msvc ${mi_spelling} ${mi_sdk_headers}/ucrt ${mi_sdk_headers}/um
               ${mi_sdk_headers}/shared)
  string(APPEND mi_headers " -imsvc ${folder}")
endforeach()
set(CMAKE_C_FLAGS_INIT "${mi_headers}")
set(CMAKE_CXX_FLAGS_INIT "${mi_headers}")
set(CMAKE_RC_FLAGS_INIT "-I ${mi_spelling} -I ${mi_sdk_headers}/um -I ${mi_sdk_headers}/shared")
set(CMAKE_C_STANDARD_LIBRARIES "" CACHE STRING "")
set(CMAKE_CXX_STANDARD_LIBRARIES "" CACHE STRING "")
set(mi_library_paths "/LIBPATH:${mi_sdk_libraries}/um/${mi_sdk_machine} \
/LIBPATH:${mi_sdk_libraries}/ucrt/${mi_sdk_machine}")
if(MI_TARGET_ARCH STREQUAL "i686")
  set(mi_library_paths "/LIBPATH:${CMAKE_BINARY_DIR}/import")
endif()
foreach(kind EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "/MANIFEST:NO ${mi_library_paths}")
endforeach()
