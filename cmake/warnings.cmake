# One warning level for all code, and every warning is an error.
add_library(mi_warnings INTERFACE)
target_compile_options(mi_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Wpointer-arith -Wwrite-strings
  -Wvla -Werror
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
