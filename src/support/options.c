// SPDX-License-Identifier: MIT
// The option table, the environment, and the public option functions.
#include "support/options.h"

#include "os/os.h"
#include "support/message.h"

#define ENV_PREFIX "MIMALLOC_"

typedef enum kind {
    KIND_NUMBER,
    KIND_BYTES, // a size, kept in bytes
    KIND_KIB    // a size, kept in KiB
} kind_t;

typedef enum origin {
    ORIGIN_DEFAULT,
    ORIGIN_SET // by the environment or the program: mi_option_set_default leaves it alone
} origin_t;

// In the order of mi_option_t.
#define OPTIONS(X)                                                                                 \
    X(show_errors, KIND_NUMBER, MI_DEBUG)                                                          \
    X(show_stats, KIND_NUMBER, 0)                                                                  \
    X(verbose, KIND_NUMBER, 0)                                                                     \
    X(eager_commit, KIND_NUMBER, 1)                                                                \
    X(arena_eager_commit, KIND_NUMBER, 2)                                                          \
    X(purge_decommits, KIND_NUMBER, 1)                                                             \
    X(allow_large_os_pages, KIND_NUMBER, 0)                                                        \
    X(reserve_huge_os_pages, KIND_NUMBER, 0)                                                       \
    X(reserve_huge_os_pages_at, KIND_NUMBER, -1)                                                   \
    X(reserve_os_memory, KIND_KIB, 0)                                                              \
    X(deprecated_segment_cache, KIND_NUMBER, 0)                                                    \
    X(deprecated_page_reset, KIND_NUMBER, 0)                                                       \
    X(abandoned_page_purge, KIND_NUMBER, 0)                                                        \
    X(deprecated_segment_reset, KIND_NUMBER, 0)                                                    \
    X(eager_commit_delay, KIND_NUMBER, 1)                                                          \
    X(purge_delay, KIND_NUMBER, 10)                                                                \
    X(use_numa_nodes, KIND_NUMBER, 0)                                                              \
    X(disallow_os_alloc, KIND_NUMBER, 0)                                                           \
    X(os_tag, KIND_NUMBER, 100)                                                                    \
    X(max_errors, KIND_NUMBER, 32)                                                                 \
    X(max_warnings, KIND_NUMBER, 32)                                                               \
    X(max_segment_reclaim, KIND_NUMBER, 10)                                                        \
    X(destroy_on_exit, KIND_NUMBER, 0)                                                             \
    X(arena_reserve, KIND_KIB, MI_64BIT ? 1024l * 1024 : 128l * 1024)                              \
    X(arena_purge_mult, KIND_NUMBER, 10)                                                           \
    X(purge_extend_delay, KIND_NUMBER, 1)                                                          \
    X(abandoned_reclaim_on_free, KIND_NUMBER, 0)                                                   \
    X(disallow_arena_alloc, KIND_NUMBER, 0)                                                        \
    X(retry_on_oom, KIND_NUMBER, 400)                                                              \
    X(visit_abandoned, KIND_NUMBER, 0)                                                             \
    X(guarded_min, KIND_BYTES, 0)                                                                  \
    X(guarded_max, KIND_BYTES, 1024l * 1024 * 1024)                                                \
    X(guarded_precise, KIND_NUMBER, 0)                                                             \
    X(guarded_sample_rate, KIND_NUMBER, 0)                                                         \
    X(guarded_sample_seed, KIND_NUMBER, 0)                                                         \
    X(target_segments_per_thread, KIND_NUMBER, 0)                                                  \
    X(generic_collect, KIND_NUMBER, 10000)                                                         \
    X(allow_thp, KIND_NUMBER, 1)                                                                   \
    X(background_purge, KIND_NUMBER, 0)

typedef struct option {
    const char *name; // as in mi_option_<name>
    kind_t kind;
} option_t;

#define OPTION_ROW(name, kind, value) {#name, kind},
static const option_t options[] = {OPTIONS(OPTION_ROW)};
_Static_assert(sizeof options / sizeof options[0] == _mi_option_last, "one row for each option");

#define OPTION_VALUE(name, kind, value) [mi_option_##name] = (value),
_Atomic(long) mi_option_values[_mi_option_last] = {OPTIONS(OPTION_VALUE)};

static _Atomic(uint8_t) origins[_mi_option_last]; // any: origin_t
static _Atomic(uint32_t) is_environment_read;

static const struct {
    const char *name;
    mi_option_t option;
} old_names[] = {
    {"large_os_pages", mi_option_allow_large_os_pages},
    {"eager_region_commit", mi_option_arena_eager_commit},
    {"reset_decommits", mi_option_purge_decommits},
    {"reset_delay", mi_option_purge_delay},
    {"abandoned_page_reset", mi_option_abandoned_page_purge},
    {"limit_os_alloc", mi_option_disallow_os_alloc},
};

static bool is_valid(mi_option_t option)
{
    return (unsigned)option < _mi_option_last;
}

static void set_value(mi_option_t option, long value)
{
    mi_store_relaxed(&mi_option_values[option], value);
    mi_store_relaxed(&origins[option], (uint8_t)ORIGIN_SET);
}

// ---- reading a value ----

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_same_word(const char *a, const char *b)
{
    for (; *a != 0 && upper(*a) == upper(*b); a++)
        b++;
    return *a == 0 && *b == 0;
}

static bool is_one_of(const char *text, const char *const words[3])
{
    for (size_t i = 0; i < 3; i++)
        if (is_same_word(text, words[i]))
            return true;
    return false;
}

// Reads decimal digits; false when there are none or the number is above INT64_MAX.
static bool read_digits(const char **text, int64_t *value)
{
    const char *start = *text;
    *value = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        int digit = **text - '0';
        if (*value > (INT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *text != start;
}

// K, M, G or T with an optional iB or B; a bare B is bytes. Advances text; 0: no unit there.
static unsigned read_unit_shift(const char **text)
{
    static const char units[] = "KMGT";
    unsigned shift = 0;
    for (unsigned i = 0; i < 4; i++)
        if (upper(**text) == units[i])
            shift = 10 * (i + 1);
    if (shift != 0)
        ++*text;
    if (shift != 0 && upper(**text) == 'I' && upper((*text)[1]) == 'B')
        *text += 2;
    else if (upper(**text) == 'B')
        ++*text;
    return shift;
}

// A number as the option keeps it. False when text is not a number, or too large.
static bool read_number(const char *text, kind_t kind, long *result)
{
    int64_t value;
    bool is_negative = *text == '-';
    if (is_negative || *text == '+')
        text++;
    if (!read_digits(&text, &value))
        return false;
    if (kind != KIND_NUMBER) {
        unsigned shift = read_unit_shift(&text);
        if (is_negative || value > INT64_MAX >> shift)
            return false;
        value <<= shift;
        if (kind == KIND_KIB)
            value = value / 1024 + (value % 1024 != 0);
    }
    if (*text != 0 || value > LONG_MAX)
        return false;
    *result = (long)(is_negative ? -value : value);
    return true;
}

static bool read_value(const char *text, kind_t kind, long *value)
{
    static const char *const yes[3] = {"TRUE", "YES", "ON"};
    static const char *const no[3] = {"FALSE", "NO", "OFF"};
    bool is_yes = *text == 0 || is_one_of(text, yes);
    if (is_yes || is_one_of(text, no)) {
        *value = is_yes;
        return true;
    }
    return read_number(text, kind, value);
}

// ---- the environment ----

static bool find_option(const char *name, mi_option_t *option)
{
    for (size_t i = 0; i < _mi_option_last; i++)
        if (is_same_word(options[i].name, name)) {
            *option = (mi_option_t)i;
            return true;
        }
    for (size_t i = 0; i < sizeof old_names / sizeof old_names[0]; i++)
        if (is_same_word(old_names[i].name, name)) {
            *option = old_names[i].option;
            return true;
        }
    return false;
}

// Names that are not options belong to the redirect or to a newer version.
static void apply_variable(const char *name, const char *text)
{
    mi_option_t option;
    long value;
    if (!find_option(name, &option))
        return;
    if (read_value(text, options[option].kind, &value))
        set_value(option, value);
    else
        mi_output_to(NULL, NULL, "mimalloc: warning: " ENV_PREFIX "%s is ignored: '%s' is not %s\n",
                     name, text,
                     options[option].kind == KIND_NUMBER ? "a number or on or off" : "a size");
}

void mi_options_init(void)
{
    uint32_t no = 0;
    if (mi_load_relaxed(&is_environment_read) != 0)
        return;
    if (!mi_cas_strong_acq_rel(&is_environment_read, &no, 1))
        return;
    if (!mi_os_each_env(ENV_PREFIX, apply_variable))
        mi_store_relaxed(&is_environment_read, 0);
}

const char *mi_option_name(mi_option_t option)
{
    return is_valid(option) ? options[option].name : "";
}

// ---- the public functions ----

long mi_option_get(mi_option_t option)
{
    mi_options_init();
    return is_valid(option) ? mi_option_value(option) : 0;
}

long mi_option_get_clamp(mi_option_t option, long min, long max)
{
    long value = mi_option_get(option);
    if (value < min)
        return min;
    return value > max ? max : value;
}

size_t mi_option_get_size(mi_option_t option)
{
    long value = mi_option_get(option);
    size_t size;
    if (value <= 0)
        return 0;
    if (options[option].kind != KIND_KIB)
        return (size_t)value;
    return mi_mul_size((size_t)value, MI_KIB, &size) ? size : SIZE_MAX;
}

void mi_option_set(mi_option_t option, long value)
{
    mi_options_init();
    if (is_valid(option))
        set_value(option, value);
}

void mi_option_set_default(mi_option_t option, long value)
{
    mi_options_init();
    if (is_valid(option) && mi_load_relaxed(&origins[option]) == ORIGIN_DEFAULT)
        mi_store_relaxed(&mi_option_values[option], value);
}

bool mi_option_is_enabled(mi_option_t option)
{
    return mi_option_get(option) != 0;
}

void mi_option_set_enabled(mi_option_t option, bool enable)
{
    mi_option_set(option, enable ? 1 : 0);
}

void mi_option_set_enabled_default(mi_option_t option, bool enable)
{
    mi_option_set_default(option, enable ? 1 : 0);
}

void mi_option_enable(mi_option_t option)
{
    mi_option_set_enabled(option, true);
}

void mi_option_disable(mi_option_t option)
{
    mi_option_set_enabled(option, false);
}

void mi_options_print(void)
{
    mi_options_init();
    mi_output_to(NULL, NULL, "mimalloc: release %s, interface %d\n", MI_RELEASE_VERSION,
                 MI_MALLOC_VERSION);
    for (size_t i = 0; i < _mi_option_last; i++) {
        const char *unit = options[i].kind == KIND_KIB ? " KiB" : "";
        mi_output_to(NULL, NULL, "mimalloc: option %s = %ld%s\n", options[i].name,
                     mi_option_value((mi_option_t)i), unit);
    }
}
