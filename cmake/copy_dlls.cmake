# mimalloc_override_copy(program): the allocator's and the redirect's DLL beside the program, as Windows
# looks for them there. Nothing elsewhere. For projects that use this one, as sources or installed.
function(mimalloc_override_copy program)
  if(WIN32)
    add_custom_command(TARGET ${program} POST_BUILD
      COMMAND ${CMAKE_COMMAND} -E copy_if_different
              $<TARGET_FILE:mimalloc-override::mimalloc-override>
              $<TARGET_FILE:mimalloc-override::redirect> $<TARGET_FILE_DIR:${program}> VERBATIM)
  endif()
endfunction()
