// SPDX-License-Identifier: MIT
// Promises of the callbacks, the statistics, the strings and the questions about the process.
#include "mimalloc-stats.h"
#include "mimalloc.h"

#include "check.h"

#include <errno.h>
#include <stdlib.h>

static volatile size_t max_size = SIZE_MAX; // hidden from the compiler

typedef struct messages {
    char text[32768];
    size_t used;
    int calls;
    int last_error;
} messages_t;

static messages_t seen;

static void mi_cdecl keep(const char *msg, void *arg)
{
    messages_t *to = arg;
    size_t length = strlen(msg);
    to->calls++;
    if (to->used + length < sizeof to->text) {
        memcpy(to->text + to->used, msg, length + 1);
        to->used += length;
    }
}

static void mi_cdecl keep_error(int err, void *arg)
{
    messages_t *to = arg;
    to->calls++;
    to->last_error = err;
}

static void mi_cdecl count_free(bool force, unsigned long long heartbeat, void *arg)
{
    unsigned long long *last = arg;
    (void)force;
    *last = heartbeat;
}

static void clear(void)
{
    memset(&seen, 0, sizeof seen);
}

TEST(the_version_is_the_headers)
{
    CHECK_EQ(mi_version(), MI_MALLOC_VERSION);
}

TEST(errors_reach_the_registered_function)
{
    clear();
    mi_register_error(keep_error, &seen);
    CHECK_EQ(mi_malloc(max_size), NULL);
    CHECK_EQ(seen.last_error, ENOMEM);
    CHECK_EQ(mi_calloc(max_size, 2), NULL);
    CHECK_EQ(seen.last_error, EOVERFLOW);
    CHECK_EQ(mi_malloc_aligned(10, max_size), NULL);
    CHECK_EQ(seen.last_error, EINVAL);
    CHECK_EQ(seen.calls, 3);
    mi_register_error(NULL, NULL);
}

TEST(messages_reach_the_registered_output)
{
    clear();
    mi_register_output(keep, &seen);
    mi_option_enable(mi_option_show_errors);
    CHECK_EQ(mi_malloc(max_size), NULL);
    mi_option_disable(mi_option_show_errors);
    CHECK(strstr(seen.text, "mimalloc: error: unable to allocate") != NULL);
    clear();
    mi_option_disable(mi_option_verbose);
    CHECK_EQ(mi_malloc(max_size), NULL);
    CHECK_EQ(seen.used, 0);
    mi_register_output(NULL, NULL);
}

// An output function that allocates, and fails doing so.
static void mi_cdecl allocate_and_fail(const char *msg, void *arg)
{
    int *depth = arg;
    (void)msg;
    ++*depth;
    mi_free(mi_malloc(100));
    CHECK_EQ(mi_malloc(max_size), NULL);
}

TEST(an_output_function_may_allocate_and_fail)
{
    int depth = 0;
    mi_register_output(allocate_and_fail, &depth);
    mi_option_enable(mi_option_show_errors);
    CHECK_EQ(mi_malloc(max_size), NULL);
    mi_option_disable(mi_option_show_errors);
    mi_register_output(NULL, NULL);
    CHECK_EQ(depth, 1);
}

TEST(deferred_frees_are_called_from_slow_paths)
{
    unsigned long long heartbeat = 0;
    mi_register_deferred_free(count_free, &heartbeat);
    mi_collect(false);
    unsigned long long first = heartbeat;
    for (int i = 0; i < 100; i++)
        mi_free(mi_malloc((size_t)40 << 20));
    CHECK(first > 0);
    CHECK(heartbeat > first);
    mi_register_deferred_free(NULL, NULL);
}

TEST(statistics_count_what_is_there)
{
    mi_stats_t before = {.size = sizeof before, .version = MI_STAT_VERSION};
    mi_stats_t after = before;
    REQUIRE(mi_stats_get(&before));
    mi_heap_t *heap = mi_heap_new();
    void *p = mi_heap_malloc(heap, 100000);
    REQUIRE(mi_stats_get(&after));
    CHECK_EQ(after.heaps.current, before.heaps.current + 1);
    CHECK(after.reserved.current > 0);
    CHECK(after.segments.current > 0);
    CHECK(after.threads.current > 0);
    mi_free(p);
    mi_heap_destroy(heap);
    REQUIRE(mi_stats_get(&after));
    CHECK_EQ(after.heaps.current, before.heaps.current);
}

TEST(statistics_of_an_unknown_layout_are_refused)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION + 1};
    CHECK(!mi_stats_get(&stats));
    stats.version = MI_STAT_VERSION;
    stats.size = 8;
    CHECK(!mi_stats_get(&stats));
    CHECK(!mi_stats_get(NULL));
}

TEST(json_is_whole_in_a_new_block_and_cut_in_a_small_one)
{
    char small[32];
    char *text = mi_stats_get_json(0, NULL);
    REQUIRE(text != NULL);
    size_t length = strlen(text);
    CHECK(text[0] == '{' && text[length - 2] == '}' && text[length - 1] == '\n');
    CHECK(strstr(text, "\"reserved\": { \"total\":") != NULL);
    long depth = 0;
    for (size_t i = 0; i < length; i++)
        depth += (text[i] == '{' || text[i] == '[') - (text[i] == '}' || text[i] == ']');
    CHECK_EQ(depth, 0);
    CHECK_EQ(mi_stats_get_json(sizeof small, small), small);
    CHECK_EQ(strlen(small), sizeof small - 1);
    CHECK(memcmp(small, text, 20) == 0);
    CHECK_EQ(mi_stats_get_json(0, small), NULL);
    mi_free(text);
}

TEST(statistics_are_printed_to_the_given_output)
{
    clear();
    mi_stats_print_out(keep, &seen);
    CHECK(strstr(seen.text, "reserved") != NULL && strstr(seen.text, "elapsed") != NULL);
    clear();
    mi_free(mi_malloc(12345678));
    mi_thread_stats_print_out(keep, &seen);
    CHECK(strstr(seen.text, "statistics") != NULL);
    clear();
    mi_register_output(keep, &seen);
    mi_stats_print(NULL);
    mi_arenas_print();
    mi_debug_show_arenas();
    mi_register_output(NULL, NULL);
    CHECK(strstr(seen.text, "arena 1") != NULL);
    mi_stats_merge();
    mi_stats_reset();
}

TEST(process_info_tells_plausible_figures)
{
    size_t elapsed, user, system, rss, peak_rss, commit, peak_commit, faults;
    mi_process_info(&elapsed, &user, &system, &rss, &peak_rss, &commit, &peak_commit, &faults);
    CHECK(rss > 100000 && (uint64_t)rss <= (uint64_t)64 << 30);
    CHECK(peak_rss >= rss / 2);
    CHECK(peak_commit >= commit);
    // The process is not as old as the machine, nor younger than it was.
    size_t later = 0;
    mi_process_info(&later, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CHECK(later >= elapsed && later < 24 * 3600 * 1000);
    mi_process_info(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

// ---- strings ----

TEST(strings_are_copied)
{
    char *all = mi_strdup("hello");
    char *part = mi_strndup("hello", 3);
    char *more = mi_strndup("hello", 30);
    wchar_t *wide = mi_wcsdup(L"wide");
    unsigned char *bytes = mi_mbsdup((const unsigned char *)"bytes");
    CHECK_STR_EQ(all, "hello");
    CHECK_STR_EQ(part, "hel");
    CHECK_STR_EQ(more, "hello");
    CHECK(wide[0] == L'w' && wide[4] == 0);
    CHECK_STR_EQ((char *)bytes, "bytes");
    mi_free(all);
    mi_free(part);
    mi_free(more);
    mi_free(wide);
    mi_free(bytes);
    CHECK_EQ(mi_strdup(NULL), NULL);
    CHECK_EQ(mi_strndup(NULL, 3), NULL);
    CHECK_EQ(mi_wcsdup(NULL), NULL);
    CHECK_EQ(mi_mbsdup(NULL), NULL);
}

TEST(paths_become_absolute)
{
    char *path = mi_realpath(".", NULL);
    REQUIRE(path != NULL);
    CHECK(path[0] == '/' || path[1] == ':');
    CHECK(mi_is_in_heap_region(path));
    char buffer[4096];
    CHECK_EQ(mi_realpath(".", buffer), buffer);
    CHECK_STR_EQ(buffer, path);
    mi_free(path);
    CHECK_EQ(mi_realpath(NULL, NULL), NULL);
}

TEST(environment_variables_are_copied)
{
    char *value = NULL;
    size_t size = 0;
    CHECK_EQ(mi_dupenv_s(&value, &size, "MI_TEST_VARIABLE"), 0);
    CHECK_STR_EQ(value, "its value");
    CHECK_EQ(size, 10);
    CHECK(mi_is_in_heap_region(value));
    mi_free(value);
    CHECK_EQ(mi_dupenv_s(&value, &size, "MI_TEST_NO_SUCH_VARIABLE"), 0);
    CHECK_EQ(value, NULL);
    CHECK_EQ(size, 0);
    CHECK_EQ(mi_dupenv_s(NULL, &size, "PATH"), EINVAL);
    CHECK_EQ(mi_dupenv_s(&value, &size, NULL), EINVAL);
    CHECK_EQ(mi_wdupenv_s(NULL, NULL, L"PATH"), EINVAL);
}

TEST_MAIN(RUN(the_version_is_the_headers) RUN(errors_reach_the_registered_function)
              RUN(messages_reach_the_registered_output)
                  RUN(an_output_function_may_allocate_and_fail)
                      RUN(deferred_frees_are_called_from_slow_paths)
                          RUN(statistics_count_what_is_there)
                              RUN(statistics_of_an_unknown_layout_are_refused)
                                  RUN(json_is_whole_in_a_new_block_and_cut_in_a_small_one)
                                      RUN(statistics_are_printed_to_the_given_output)
                                          RUN(process_info_tells_plausible_figures)
                                              RUN(strings_are_copied) RUN(paths_become_absolute)
                                                  RUN(environment_variables_are_copied))
