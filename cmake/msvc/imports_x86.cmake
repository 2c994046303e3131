# Import libraries for x86 in Microsoft's mode, which the packages of the Windows SDK do not have: made
# of the names, with their bytes of arguments, in mingw-w64's libraries.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/import)
foreach(dll ntdll kernel32 advapi32)
  set(path ${PROJECT_BINARY_DIR}/import/${dll})
  execute_process(COMMAND llvm-nm-19 --defined-only /usr/i686-w64-mingw32/lib/lib${dll}.a
                  OUTPUT_VARIABLE symbols ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "__imp__[A-Za-z0-9_]+(@[0-9]+)?\n" names "${symbols}")
  list(TRANSFORM names REPLACE "^__imp__" "    ")
  if(dll STREQUAL "ntdll")
    # What the compiler calls for 64 bits: Windows exports it, mingw-w64's library leaves it out.
    foreach(helper mul div rem dvrm shl shr)
      list(APPEND names "    _all${helper}\n")
    endforeach()
    foreach(helper div rem dvrm shr)
      list(APPEND names "    _aull${helper}\n")
    endforeach()
  endif()
  list(SORT names)
  list(JOIN names "" names)
  string(TOUPPER ${dll}.dll name)
  string(REPLACE NTDLL.DLL ntdll.dll name "${name}")
  string(REPLACE .DLL .dll name "${name}")
  file(WRITE ${path}.def "LIBRARY ${name}\nEXPORTS\n${names}")
  execute_process(COMMAND llvm-dlltool-19 -m i386 -k -d ${path}.def -l ${path}.lib
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
