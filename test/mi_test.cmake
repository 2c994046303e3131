# How a test program is built and registered.
#
# mi_add_test(AREA area NAME name SOURCES a.c ... [LIBRARIES lib ...] [ARGS arg ...] [TIMEOUT s])
#   builds test_<name> and registers it in CTest as area.name with the label area.
#   On a cross build the program runs under Wine through MI_TEST_LAUNCHER.
set(MI_TEST_LAUNCHER "" CACHE STRING "Command in front of a test program, such as bin/wine-run")
if(WIN32 AND NOT MI_TEST_LAUNCHER)
  set(MI_TEST_LAUNCHER ${CMAKE_SOURCE_DIR}/test/support/wine-run)
endif()

function(mi_add_test)
  cmake_parse_arguments(T "" "AREA;NAME;TIMEOUT" "SOURCES;LIBRARIES;ARGS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(test_${T_NAME} ${T_SOURCES})
  target_include_directories(test_${T_NAME} PRIVATE ${CMAKE_SOURCE_DIR}/test ${CMAKE_SOURCE_DIR}/src
                                                    ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(test_${T_NAME} PRIVATE mi_warnings ${T_LIBRARIES})
  add_test(NAME ${T_AREA}.${T_NAME} COMMAND ${MI_TEST_LAUNCHER} $<TARGET_FILE:test_${T_NAME}>
                                            ${T_ARGS})
  set_tests_properties(${T_AREA}.${T_NAME} PROPERTIES LABELS ${T_AREA} TIMEOUT ${T_TIMEOUT})
endfunction()
