# Tests on ARM64 in qemu's user mode: the redirect's pure parts, which write code and call it there, and
# the allocator's core with all checks. qemu keeps the stronger order of memory of the processor that
# it runs on, so nothing here shows that an order is missing.
set(tests ${CMAKE_SOURCE_DIR}/test)
foreach(name decode decode_arm64 jump jump_arm64 patch_plan plan_arm64)
  mi_add_test(AREA redirect NAME ${name} SOURCES ${tests}/redirect/test_${name}.c
              LIBRARIES redirect_plan)
endforeach()

include(${tests}/support/core_tests.cmake)
set_target_properties(test_core_debug test_core_secure PROPERTIES EXCLUDE_FROM_ALL TRUE)
mi_add_test(AREA unit NAME os SOURCES ${tests}/unit/test_os.c LIBRARIES mimalloc
            ENVIRONMENT MI_TEST_VARIABLE=one=two)
foreach(name abandon aligned arena bitmap guarded page segment size_class slice_mask visit)
  mi_add_core_test(AREA unit NAME ${name} SOURCES ${tests}/unit/test_${name}.c)
endforeach()
mi_add_core_test(AREA stress NAME hand_over SOURCES ${tests}/stress/test_hand_over.c LABELS long)
mi_add_core_test(AREA model NAME model TIMEOUT 600 ARGS 10302464720 1000000 LABELS long
                 SOURCES ${tests}/model/test_model.c ${tests}/model/operations.c
                         ${tests}/model/live.c)
