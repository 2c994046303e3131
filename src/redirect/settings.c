// SPDX-License-Identifier: MIT
// Reads the environment. The values are those of the allocator's options: 1, true, yes, on and 0,
// false, no, off; anything else leaves the default, and a line in the log says so.
#include "redirect/settings.h"
#include "redirect/log.h"
#include "redirect/process.h"

rd_settings_t rd_settings;

static char lower(WCHAR c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c < 0x7F ? (char)c : '?';
}

static bool same_word(const WCHAR *text, size_t length, const char *word)
{
    size_t i = 0;
    for (; i < length && word[i] != 0; i++)
        if (lower(text[i]) != lower((WCHAR)(unsigned char)word[i]))
            return false;
    return i == length && word[i] == 0;
}

static size_t length_of(const WCHAR *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

static bool is_one_of(const WCHAR *value, const char *const words[4])
{
    for (unsigned i = 0; i < 4; i++)
        if (same_word(value, length_of(value), words[i]))
            return true;
    return false;
}

static bool read_flag(const char *name, bool by_default)
{
    static const char *const yes[4] = {"1", "true", "yes", "on"};
    static const char *const no[4] = {"0", "false", "no", "off"};
    WCHAR value[16];
    if (!rd_environment(name, value, 16))
        return by_default;
    if (is_one_of(value, yes))
        return true;
    if (!is_one_of(value, no)) {
        rd_log(1, "%s is ignored: set it to 1 or 0", name);
        return by_default;
    }
    return false;
}

static int read_level(const char *name)
{
    WCHAR value[16];
    if (!rd_environment(name, value, 16))
        return 0;
    if (value[0] >= '0' && value[0] <= '9')
        return value[1] == 0 ? value[0] - '0' : 9;
    return read_flag(name, false) ? 1 : 0;
}

static rd_mode_t read_mode(const char *name)
{
    WCHAR value[16];
    if (!rd_environment(name, value, 16) || same_word(value, length_of(value), "auto"))
        return RD_MODE_AUTO;
    if (same_word(value, length_of(value), "code"))
        return RD_MODE_CODE;
    if (same_word(value, length_of(value), "imports"))
        return RD_MODE_IMPORTS;
    rd_log(1, "%s is ignored: set it to code, imports or auto", name);
    return RD_MODE_AUTO;
}

// A part of a path or of a list would be another one.
static void read_text(const char *name, WCHAR *value, size_t capacity)
{
    if (!rd_environment(name, value, capacity))
        value[0] = 0;
    if (length_of(value) < capacity - 1)
        return;
    value[0] = 0;
    rd_log(1, "%s is ignored: it is longer than %u characters", name, (unsigned)capacity - 2);
}

static const char *who_disables(void)
{
    static const char *const off[] = {"MIMALLOC_DISABLE_REDIRECT", "MIMALLOC_DISABLE_OVERRIDE"};
    static const char on[] = "MIMALLOC_ENABLE_REDIRECT";
    for (unsigned i = 0; i < ARRAYSIZE(off); i++)
        if (read_flag(off[i], false))
            return off[i];
    return read_flag(on, true) ? NULL : on;
}

void rd_settings_read(void)
{
    rd_settings_t *s = &rd_settings;
    // These first: they say where the lines about the others go.
    s->verbose = read_level("MIMALLOC_VERBOSE");
    read_text("MIMALLOC_LOG_FILE", s->log_file, ARRAYSIZE(s->log_file));
    s->disabled_by = who_disables();
    s->guards_heap = read_flag("MIMALLOC_PATCH_IMPORTS", true);
    s->mode = read_mode("MIMALLOC_REDIRECT_MODE");
    read_text("MIMALLOC_REDIRECT_CRT", s->runtimes, ARRAYSIZE(s->runtimes));
}

static bool is_separator(WCHAR c)
{
    return c == ' ' || c == ',' || c == ';';
}

static size_t without_suffix(const WCHAR *word, size_t length)
{
    if (length > 4 && same_word(word + length - 4, 4, ".dll"))
        return length - 4;
    return length;
}

bool rd_list_has(const WCHAR *list, const char *name)
{
    while (*list != 0) {
        size_t length = 0;
        while (list[length] != 0 && !is_separator(list[length]))
            length++;
        if (length > 0 && same_word(list, without_suffix(list, length), name))
            return true;
        list += length;
        while (is_separator(*list))
            list++;
    }
    return false;
}
