# One warning level for all code, and every warning is an error.
add_library(mi_warnings INTERFACE)
set(mi_gnu_warnings
  -Wconversion -Wsign-conversion -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
if(MSVC)
  # What Microsoft's deprecates is standard C.
  target_compile_definitions(mi_warnings INTERFACE _CRT_SECURE_NO_WARNINGS)
  target_compile_options(mi_warnings INTERFACE /W4)
  # Not errors with cl.exe: it has not been run on this code, and what it warns of is not known.
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    target_compile_options(mi_warnings INTERFACE /WX)
    # The SDK's headers spell each other's names in any mixture of cases.
    target_compile_options(mi_warnings INTERFACE ${mi_gnu_warnings} -Wno-nonportable-include-path)
  endif()
else()
  target_compile_options(mi_warnings INTERFACE -Wall -Wextra -Werror ${mi_gnu_warnings})
endif()
