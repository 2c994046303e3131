# What cmake --install puts where, and the targets that other projects link, under the same names in the
# source tree (add_subdirectory) as in an installed one (find_package(mimalloc-override)):
#   mimalloc-override::mimalloc-override   the DLL or shared object; the program calls it
#   mimalloc-override::forced              the same for programs that never name it: keeps the import
#   mimalloc-override::debug, ::secure     its variants (Windows)
#   mimalloc-override::static              the archive
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(mimalloc-override::static ALIAS mimalloc)
add_library(mimalloc-override::mimalloc-override ALIAS mimalloc-override)
add_library(mimalloc-override-forced INTERFACE)
add_library(mimalloc-override::forced ALIAS mimalloc-override-forced)
target_link_libraries(mimalloc-override-forced INTERFACE mimalloc-override)
# The symbol that keeps the import, as the program's linker is told to want it.
set(underscore)
if(MI_TARGET_ARCH STREQUAL "i686")
  set(underscore _)
endif()
set(forced_option "LINKER:-u,${underscore}mi_version")
if(MSVC)
  set(forced_option "LINKER:/INCLUDE:${underscore}mi_version")
elseif(NOT WIN32)
  set(forced_option "LINKER:--no-as-needed,-u,mi_version")
endif()
target_link_options(mimalloc-override-forced INTERFACE ${forced_option})

# Target of this tree -> name in the package.
set(package_mimalloc-override mimalloc-override)
set(dlls mimalloc-override)
if(WIN32)
  set(package_mimalloc-override-debug debug)
  set(package_mimalloc-override-secure secure)
  set(package_mimalloc-redirect redirect) # at run time; no program links it
  list(APPEND dlls mimalloc-override-debug mimalloc-override-secure mimalloc-redirect)
  foreach(dll IN LISTS dlls)
    if(NOT TARGET mimalloc-override::${package_${dll}})
      add_library(mimalloc-override::${package_${dll}} ALIAS ${dll})
    endif()
  endforeach()
endif()
install(TARGETS mimalloc minject ${dlls})
if(WIN32)
  # Debug information of the DLLs, where the linker made it.
  install(FILES ${PROJECT_BINARY_DIR}/bin/mimalloc-override.pdb
                ${PROJECT_BINARY_DIR}/bin/mimalloc-override-debug.pdb
                ${PROJECT_BINARY_DIR}/bin/mimalloc-override-secure.pdb
          DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The package's files, which find what was installed relative to where they lie.
include(cmake/copy_dlls.cmake)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/mimalloc-override)
set(made ${PROJECT_BINARY_DIR}/package)
configure_package_config_file(cmake/mimalloc-override-config.cmake.in
  ${made}/mimalloc-override-config.cmake INSTALL_DESTINATION ${package_folder}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${made}/mimalloc-override-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
set(files "set(mi_archive $<TARGET_FILE_NAME:mimalloc>)\nset(mi_dlls)\n")
foreach(dll IN LISTS dlls)
  set(name ${package_${dll}})
  string(APPEND files "list(APPEND mi_dlls ${name})\n"
                      "set(mi_file_${name} $<TARGET_FILE_NAME:${dll}>)\n"
                      "set(mi_library_${name} $<TARGET_LINKER_FILE_NAME:${dll}>)\n")
endforeach()
file(GENERATE OUTPUT ${made}/mimalloc-override-files.cmake CONTENT "${files}")
install(FILES cmake/copy_dlls.cmake ${made}/mimalloc-override-config.cmake
              ${made}/mimalloc-override-config-version.cmake ${made}/mimalloc-override-files.cmake
        DESTINATION ${package_folder})

set(system_libraries -lpthread)
if(WIN32)
  set(system_libraries -lntdll)
endif()
configure_file(cmake/mimalloc-override.pc.in
               ${made}/mimalloc-override.pc @ONLY)
install(FILES ${made}/mimalloc-override.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
