# The same commit gives the same bytes in any folder: no paths and no time stamps in the output.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(WIN32)
  add_link_options(-Wl,--no-insert-timestamp)
endif()
