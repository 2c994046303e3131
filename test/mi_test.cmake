# How a test is built and registered in CTest, as area.name with the label area and a time limit.
#
# mi_add_test(AREA area NAME name SOURCES a.c ... [LIBRARIES lib ...] [ARGS arg ...] [TIMEOUT s]
#             [RUNTIMES wine ms] [ENVIRONMENT NAME=value ...] [LABELS label ...])
#   builds test_<name> from the sources (C or C++; on Windows with the universal C runtime) and runs it.
#   On a cross build it runs under Wine by test/support/wine-run. RUNTIMES names the C runtimes that it
#   runs on there, each as a test of its own: area.name.wine-ucrt (Wine's ucrtbase.dll) and
#   area.name.ms-ucrt (Microsoft's). Without RUNTIMES: area.name, on Wine's. Tests of the redirect and
#   of the classic ways that run on ms run on Microsoft's newest, too, where the Windows SDK was
#   fetched: area.name.new-ucrt.
# mi_add_command_test(AREA area NAME name COMMAND command ... [TIMEOUT s] [RUNTIMES ...]
#                     [ENVIRONMENT ...] [LABELS ...])
#   registers a command (a script, a tool of the build) in the same way. For a Windows program put
#   ${MI_TEST_LAUNCHER} first. A script sees the runtime in the environment variable MI_RUNTIME and
#   wine-run obeys it.
# In front of every script: Windows does not start scripts by their first line.
find_program(MI_PYTHON NAMES /usr/bin/python3 python3 python REQUIRED)
set(MI_TEST_LAUNCHER "" CACHE STRING "Command in front of a test program")
if(WIN32 AND CMAKE_CROSSCOMPILING AND NOT MI_TEST_LAUNCHER)
  set(MI_TEST_LAUNCHER ${CMAKE_SOURCE_DIR}/test/support/wine-run)
endif()

# Where bin/setup could fetch it.
file(GLOB MI_NEWEST_RUNTIME
     ${CMAKE_SOURCE_DIR}/build/cache/microsoft.windows.sdk.cpp-*/c/Redist/*/ucrt/DLLs/x64/ucrtbase.dll)
if(WIN32 AND NOT MI_NEWEST_RUNTIME)
  message(STATUS "no Windows SDK: nothing runs on Microsoft's newest C runtime")
endif()

# Moves a DLL to the front of a built program's imports.
function(mi_import_first target dll)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${MI_PYTHON} -B ${CMAKE_SOURCE_DIR}/test/redirect/import_first.py
            $<TARGET_FILE:${target}> ${dll} VERBATIM)
endfunction()

function(mi_register_test name command timeout environment labels)
  # wine-run gives up first: it can end what the program has started, CTest cannot.
  math(EXPR wine_timeout "${timeout} - 5")
  add_test(NAME ${name} COMMAND ${command})
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout}
    ENVIRONMENT "MI_WINE_TIMEOUT=${wine_timeout};${environment}")
endfunction()

function(mi_add_command_test)
  cmake_parse_arguments(T "" "AREA;NAME;TIMEOUT" "COMMAND;RUNTIMES;ENVIRONMENT;LABELS" ${ARGN})
  if(T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mi_add_test ${T_NAME}: what is ${T_UNPARSED_ARGUMENTS}?")
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set(labels ${T_AREA} ${T_LABELS})
  if(NOT T_RUNTIMES OR NOT (WIN32 AND CMAKE_CROSSCOMPILING))
    mi_register_test(${T_AREA}.${T_NAME} "${T_COMMAND}" ${T_TIMEOUT} "${T_ENVIRONMENT}"
                     "${labels}")
    return()
  endif()
  if(T_NAME MATCHES "^real_|^debug_runtime")
    # Programs that bring their own, or a stand-in.
  elseif("ms" IN_LIST T_RUNTIMES AND T_AREA MATCHES "^(redirect|classic)$" AND MI_NEWEST_RUNTIME)
    list(APPEND T_RUNTIMES new)
  endif()
  foreach(runtime ${T_RUNTIMES})
    mi_register_test(${T_AREA}.${T_NAME}.${runtime}-ucrt "${T_COMMAND}" ${T_TIMEOUT}
                     "MI_RUNTIME=${runtime};${T_ENVIRONMENT}" "${labels}")
  endforeach()
endfunction()

function(mi_add_test)
  cmake_parse_arguments(T "" "AREA;NAME;TIMEOUT"
                        "SOURCES;LIBRARIES;ARGS;RUNTIMES;ENVIRONMENT;LABELS" ${ARGN})
  set(program test_${T_NAME})
  if(TARGET ${program}) # another area has a test of this name
    set(program test_${T_AREA}_${T_NAME})
  endif()
  add_executable(${program} ${T_SOURCES})
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR}/test ${CMAKE_SOURCE_DIR}/src
                                                ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${program} PRIVATE mi_warnings ${T_LIBRARIES} mi_ucrt)
  mi_add_command_test(AREA ${T_AREA} NAME ${T_NAME}
                      COMMAND ${MI_TEST_LAUNCHER} $<TARGET_FILE:${program}> ${T_ARGS}
                      TIMEOUT ${T_TIMEOUT} RUNTIMES ${T_RUNTIMES} ENVIRONMENT ${T_ENVIRONMENT}
                      LABELS ${T_LABELS} ${T_UNPARSED_ARGUMENTS})
endfunction()
