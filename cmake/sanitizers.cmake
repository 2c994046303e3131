# MI_SANITIZE=address turns on ASan and UBSan, MI_SANITIZE=thread turns on TSan, for the whole build.
# Optimised, since the random tests find by number: the debug checks and the line tables stay.
if(MI_SANITIZE STREQUAL "address")
  add_compile_options(-O2 -fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(MI_SANITIZE STREQUAL "thread")
  add_compile_options(-O2 -fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(MI_SANITIZE)
  message(FATAL_ERROR "MI_SANITIZE must be empty, address or thread, not '${MI_SANITIZE}'")
endif()
