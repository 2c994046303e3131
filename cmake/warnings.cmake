# One warning level for all code. The presets make every warning an error
# (CMAKE_COMPILE_WARNING_AS_ERROR), but those for compilers on Windows, of which any version may come.
add_library(mi_warnings INTERFACE)
set(mi_gnu_warnings
  -Wconversion -Wsign-conversion -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
if(MSVC)
  # What Microsoft's deprecates is standard C.
  target_compile_definitions(mi_warnings INTERFACE _CRT_SECURE_NO_WARNINGS)
  target_compile_options(mi_warnings INTERFACE /W4)
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # The SDK's headers spell each other's names in any mixture of cases.
    target_compile_options(mi_warnings INTERFACE ${mi_gnu_warnings} -Wno-nonportable-include-path)
  endif()
else()
  target_compile_options(mi_warnings INTERFACE -Wall -Wextra ${mi_gnu_warnings})
endif()
