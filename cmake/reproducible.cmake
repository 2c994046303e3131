# The same commit gives the same bytes in any folder: no paths and no time stamps in the output.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(WIN32)
  add_link_options(-Wl,--no-insert-timestamp)
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # Compilers that write CodeView take the folder they run in, whatever the prefix maps say.
    add_compile_options(-ffile-compilation-dir=.)
    # The image names its PDB without the folder; the PDB names its objects as if built in one place.
    add_link_options("LINKER:-Xlink=-pdbaltpath:%_PDB%" "LINKER:-Xlink=-pdbsourcepath:/build")
  endif()
endif()
