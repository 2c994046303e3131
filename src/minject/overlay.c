// SPDX-License-Identifier: MIT
// Data appended behind the image: installers, self-extractors, zips, bundles. minject leaves it where
// it is, byte for byte, and puts its own data behind it. That is right for programs that find their
// data by a file offset or by searching; it is wrong for those that read it from the file's end or
// from behind the last section, so the known ones are recognised here.
#include "minject/minject.h"

#include <string.h>

// Where a mark is looked for.
typedef enum mark_place {
    AT_START,   // the overlay's first bytes
    NEAR_START, // within its first bytes, at any multiple of 4
    AT_END,     // the overlay's last bytes, off bytes before the end
    IN_LAST_64K // anywhere near the end
} mark_place_t;

typedef struct mark {
    const char *name;
    mj_overlay_t kind;
    mark_place_t place;
    uint32_t back; // AT_END: the mark begins so many bytes before the end
    const char *bytes;
    uint32_t length;
    bool checks_crc;
} mark_t;

#define MARK(text) text, sizeof text - 1

// Sources: each program's published loader or documentation.
static const mark_t marks[] = {
    {"Bun program", MJ_OVERLAY_FROM_END, IN_LAST_64K, 0, MARK("\n---- Bun! ----\n"), false},
    {"Deno program", MJ_OVERLAY_FROM_END, AT_END, 24, MARK("d3n0l4nd"), false},
    {"Deno program", MJ_OVERLAY_FROM_END, AT_END, 40, MARK("d3n0l4nd"), false},
    {"nexe program", MJ_OVERLAY_FROM_END, AT_END, 32, MARK("<nexe~~sentinel>"), false},
    {"Godot game", MJ_OVERLAY_FROM_END, AT_END, 4, MARK("GDPC"), false},
    {"OCRA program", MJ_OVERLAY_FROM_END, AT_END, 4, MARK("\x41\xb6\xba\x4e"), false},
    {"InstallShield setup", MJ_OVERLAY_FROM_SECTIONS, AT_START, 0, MARK("InstallShield"), false},
    {"InstallShield setup", MJ_OVERLAY_FROM_SECTIONS, AT_START, 0, MARK("ISSetupStream"), false},
    {"NSIS installer", MJ_OVERLAY_BY_OFFSET, NEAR_START, 0, MARK("\xef\xbe\xad\xdeNullsoftInst"),
     true},
    {"7-Zip self-extractor", MJ_OVERLAY_BY_OFFSET, NEAR_START, 0, MARK("7z\xbc\xaf\x27\x1c"),
     false},
    {"7-Zip self-extractor", MJ_OVERLAY_BY_OFFSET, NEAR_START, 0, MARK(";!@Install@!UTF-8!"),
     false},
    {"RAR self-extractor", MJ_OVERLAY_BY_OFFSET, NEAR_START, 0, MARK("Rar!\x1a\x07"), false},
    {"Inno Setup installer", MJ_OVERLAY_BY_OFFSET, AT_START, 0, MARK("zlb\x1a"), false},
    {"Inno Setup installer", MJ_OVERLAY_BY_OFFSET, AT_START, 0, MARK("idska32\x1a"), false},
    {"PyInstaller program", MJ_OVERLAY_BY_OFFSET, IN_LAST_64K, 0, MARK("MEI\014\013\012\013\016"),
     false},
    {"zip archive", MJ_OVERLAY_BY_OFFSET, IN_LAST_64K, 0, MARK("PK\005\006"), false},
};

static bool matches(const uint8_t *at, const mark_t *mark)
{
    return memcmp(at, mark->bytes, mark->length) == 0;
}

static bool found_between(const uint8_t *bytes, uint32_t from, uint32_t to, uint32_t step,
                          const mark_t *mark)
{
    uint8_t first = (uint8_t)mark->bytes[0];
    uint8_t second = (uint8_t)mark->bytes[1];
    if (to - from < mark->length)
        return false;
    for (uint32_t i = from; i <= to - mark->length; i += step) {
        if (bytes[i] == first && bytes[i + 1] == second && matches(bytes + i, mark))
            return true;
    }
    return false;
}

static bool is_marked(const uint8_t *bytes, uint32_t size, const mark_t *mark)
{
    switch (mark->place) {
    case AT_START:
        return size >= mark->length && matches(bytes, mark);
    case NEAR_START:
        return found_between(bytes, 0, size < 0x400 ? size : 0x400, 4, mark);
    case AT_END:
        return size >= mark->back && mark->length <= mark->back &&
               matches(bytes + size - mark->back, mark);
    case IN_LAST_64K:
        return found_between(bytes, size > 0x10000 ? size - 0x10000 : 0, size, 1, mark);
    }
    return false;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

// The end of what the headers account for: sections, and the symbols of MinGW behind them.
static uint32_t end_of_image(const pe_view_t *view)
{
    uint32_t size = (uint32_t)view->size;
    uint32_t end = view->optional.headers_size < size ? view->optional.headers_size : size;
    for (uint32_t i = 0; i < view->file.section_count; i++) {
        pe_section_t section;
        pe_section_at(view, i, &section);
        if (section.raw_off != 0 && section.raw_size != 0)
            end = larger(end, section.raw_off + section.raw_size);
    }
    uint64_t symbols = (uint64_t)view->file.symbol_off + 18U * (uint64_t)view->file.symbol_count;
    if (view->file.symbol_off != 0 && symbols + 4 <= size) {
        uint32_t strings;
        memcpy(&strings, view->base + symbols, sizeof strings);
        if (strings <= size - symbols)
            end = larger(end, (uint32_t)symbols + strings);
    }
    return end < size ? end : size;
}

void mj_overlay_recognise(const pe_view_t *view, mj_facts_t *facts)
{
    uint32_t end = (uint32_t)view->size;
    pe_directory_t certificate = pe_directory(view, PE_DIR_CERTIFICATE);
    // A signature comes last and is no overlay; one that is not last is somebody's mistake.
    if (certificate.rva != 0 && certificate.rva < end &&
        certificate.size <= end - certificate.rva && end - certificate.rva - certificate.size < 8)
        end = certificate.rva;
    facts->overlay_off = end_of_image(view);
    if (facts->overlay_off >= end)
        return;
    facts->overlay_size = end - facts->overlay_off;
    facts->overlay = MJ_OVERLAY_UNKNOWN;
    mj_overlay_find_zip(view, facts);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!is_marked(view->base + facts->overlay_off, facts->overlay_size, &marks[i]))
            continue;
        facts->overlay = marks[i].kind;
        facts->overlay_name = marks[i].name;
        facts->checks_crc = marks[i].checks_crc;
        break;
    }
}
