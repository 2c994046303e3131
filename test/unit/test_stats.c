// SPDX-License-Identifier: MIT
// Statistics: a thread's figures and the process's.
#include "support/stats.h"

#include "check.h"

static mi_stats_t process(void)
{
    mi_stats_t stats = {.size = sizeof stats, .version = MI_STAT_VERSION};
    mi_stats_read(&stats);
    return stats;
}

TEST(a_threads_figures_reach_the_process_when_flushed)
{
    mi_thread_stats_t thread = {0};
    int64_t before = process().pages.current;
    mi_stat_increase(&thread, MI_STAT_pages, 5);
    mi_stat_decrease(&thread, MI_STAT_pages, 2);
    CHECK_EQ(process().pages.current, before);
    mi_stats_flush(&thread);
    CHECK_EQ(process().pages.current, before + 3);
    CHECK_EQ(thread.amount[MI_STAT_pages].total, 0);
}

TEST(what_one_thread_adds_another_may_take_away)
{
    mi_thread_stats_t a = {0};
    mi_thread_stats_t b = {0};
    int64_t before = process().heaps.current;
    mi_stat_increase(&a, MI_STAT_heaps, 4);
    mi_stat_decrease(&b, MI_STAT_heaps, 4);
    mi_stats_flush(&b);
    mi_stats_flush(&a);
    CHECK_EQ(process().heaps.current, before);
}

TEST(the_peak_stays_when_the_amount_falls)
{
    mi_stats_forget();
    int64_t before = process().purged.current;
    mi_stat_process_increase(MI_STAT_purged, 100);
    mi_stat_process_decrease(MI_STAT_purged, 60);
    CHECK_EQ(process().purged.current, before + 40);
    CHECK_EQ(process().purged.peak, before + 100);
    mi_stats_forget();
    CHECK_EQ(process().purged.peak, before + 40);
}

TEST(events_only_add_up)
{
    mi_thread_stats_t thread = {0};
    int64_t before = process().pages_retired.total;
    mi_stat_count(&thread, MI_STAT_pages_retired);
    mi_stat_count(&thread, MI_STAT_pages_retired);
    mi_stats_flush(&thread);
    mi_stat_process_count(MI_STAT_pages_retired);
    CHECK_EQ(process().pages_retired.total, before + 3);
}

TEST(pages_are_counted_by_size_class)
{
    mi_thread_stats_t thread = {0};
    int64_t before = process().page_bins[7].current;
    mi_stat_page_made(&thread, 7);
    mi_stat_page_made(&thread, 7);
    mi_stat_page_gone(&thread, 7);
    mi_stats_flush(&thread);
    CHECK_EQ(process().page_bins[7].current, before + 1);
    CHECK_EQ(process().page_bins[8].total, 0);
}

TEST_MAIN(RUN(a_threads_figures_reach_the_process_when_flushed)
              RUN(what_one_thread_adds_another_may_take_away)
                  RUN(the_peak_stays_when_the_amount_falls) RUN(events_only_add_up)
                      RUN(pages_are_counted_by_size_class))
