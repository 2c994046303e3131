# Import libraries for ARM64 from lists of what the redirect and minject take from the system.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/import)
foreach(dll ntdll kernel32 advapi32)
  set(def ${CMAKE_CURRENT_LIST_DIR}/${dll}.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
  execute_process(COMMAND ${CMAKE_DLLTOOL} -m arm64 -d ${def}
                          -l ${PROJECT_BINARY_DIR}/import/lib${dll}.a
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
link_directories(${PROJECT_BINARY_DIR}/import)
