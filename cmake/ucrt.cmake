# mi_ucrt: test programs for Windows use the universal C runtime, as Microsoft's compiler has them do
# with /MD. Debian's mingw-w64 would take the old msvcrt.dll. For programs only: the product's DLLs use
# no C runtime at all. The C++ library is linked in, because its own DLL belongs to msvcrt.dll.
add_library(mi_ucrt INTERFACE)
if(MINGW)
  target_compile_definitions(mi_ucrt INTERFACE _UCRT __MSVCRT_VERSION__=0xE00)
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # The driver leaves out -lmsvcrt when it sees this.
    target_link_libraries(mi_ucrt INTERFACE ucrt)
  else()
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR})
    execute_process(COMMAND ${CMAKE_C_COMPILER} -dumpspecs OUTPUT_VARIABLE specs
                    COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE "-lmsvcrt" "-lucrt" specs "${specs}")
    file(WRITE ${CMAKE_BINARY_DIR}/ucrt.specs "${specs}")
    target_link_options(mi_ucrt INTERFACE -specs=${CMAKE_BINARY_DIR}/ucrt.specs)
    # It checks formats by the rules of msvcrt.dll, which knows no %zu and %ju.
    target_compile_options(mi_ucrt INTERFACE -Wno-format -Wno-format-extra-args)
  endif()
  target_link_options(mi_ucrt INTERFACE -static-libgcc $<$<LINK_LANGUAGE:CXX>:-static-libstdc++>)
endif()
