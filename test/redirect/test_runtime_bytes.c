// SPDX-License-Identifier: MIT
// The planner on real runtimes: every function that must be taken over can be, on the bytes of each
// DLL named in the arguments (of any processor width). Prints what it finds per DLL.
#include "check.h"
#include "support/arm64x.h"
#include "redirect/code_plan.h"

#include <stdlib.h>

static char **dll_paths;

typedef struct image {
    uint8_t *bytes;
    pe_view_t view;
} image_t;

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size);
    if (bytes != NULL && fread(bytes, 1, *size, file) != *size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

// Lays the sections out as the loader does. Relocations are not applied: no test calls the code.
static bool map_file(const char *path, image_t *image)
{
    size_t size = 0;
    pe_view_t file;
    uint8_t *bytes = read_file(path, &size);
    if (bytes == NULL || pe_view_init(&file, bytes, size, PE_LAYOUT_FILE) != PE_OK)
        return false;
    image->bytes = calloc(1, file.optional.image_size);
    memcpy(image->bytes, bytes, file.optional.headers_size);
    for (uint32_t i = 0; i < file.file.section_count; i++) {
        pe_section_t section;
        pe_section_at(&file, i, &section);
        memcpy(image->bytes + section.rva, bytes + section.raw_off,
               pe_section_mapped_size(&file, &section));
    }
    free(bytes);
    return pe_view_init(&image->view, image->bytes, file.optional.image_size, PE_LAYOUT_MAPPED) ==
           PE_OK;
}

// "10.0.28000.2705" from the version resource, "" without one.
static void print_version(const image_t *image, char *out, size_t size)
{
    static const uint8_t signature[4] = {0xBD, 0x04, 0xEF, 0xFE};
    const uint8_t *bytes = image->bytes;
    out[0] = 0;
    for (size_t i = 0; i + 20 <= image->view.size; i += 4) {
        if (memcmp(bytes + i, signature, sizeof signature) != 0)
            continue;
        const uint8_t *v = bytes + i + 8;
        snprintf(out, size, "%d.%d.%d.%d", v[2] | v[3] << 8, v[0] | v[1] << 8, v[6] | v[7] << 8,
                 v[4] | v[5] << 8);
        return;
    }
}

static const char *machine_name(const image_t *image)
{
    switch (image->view.file.machine) {
    case PE_MACHINE_AMD64:
        return "x64";
    case PE_MACHINE_ARM64:
        return "ARM64";
    default:
        return "x86";
    }
}

static void check_entry(const char *path, const rd_entry_t *entry)
{
    bool is_good = entry->status == RD_OK || entry->status == RD_ALREADY_PLANNED ||
                   entry->status == RD_FORWARDED;
    // Wine has only stubs for some, which end the process.
    if (entry->kind == RD_TARGET_EXTRA && strstr(path, "-windows/") != NULL)
        is_good = true;
    check_state.checks++;
    if (is_good)
        return;
    char what[256];
    snprintf(what, sizeof what, "%s: %s: %s", path, entry->name, rd_status_text(entry->status));
    check_fail(__FILE__, __LINE__, what);
}

// In a hybrid image all that is written lies in code of the processor that runs it.
static void check_kind(const image_t *image, const rd_entry_t *entry)
{
    pe_code_range_t range;
    if (entry->status != RD_OK || pe_code_range_of_rva(&image->view, 0, &range) == PE_END)
        return;
    uint32_t rva = (uint32_t)(entry->site - image->bytes);
    bool is_arm64 = image->view.file.machine == PE_MACHINE_ARM64;
    CHECK_EQ(pe_code_range_of_rva(&image->view, rva, &range), PE_OK);
    CHECK_EQ(range.kind, is_arm64 ? PE_CODE_ARM64 : PE_CODE_AMD64);
    CHECK(rva + entry->byte_count <= range.rva + range.size);
}

static void add_to(unsigned counts[RD_STATUS_COUNT], const image_t *image, rd_entry_t *entries,
                   uint32_t count)
{
    (void)rd_code_plan(&image->view, entries, count);
    for (uint32_t i = 0; i < count; i++)
        counts[entries[i].status]++;
}

// Beyond the functions that are taken over: the planner's answer for each function that the runtime
// exports, as a measure of what it understands.
static void count_all(const image_t *image)
{
    unsigned counts[RD_STATUS_COUNT] = {0};
    rd_entry_t entries[RD_TARGET_MAX];
    uint32_t count = 0;
    pe_export_t found;
    for (uint32_t i = 0; pe_export_name_at(&image->view, i, &found) != PE_END; i++) {
        if (found.forwarder != NULL)
            continue;
        entries[count++] = (rd_entry_t){.name = found.name, .address = image->bytes + found.rva};
        if (count == RD_TARGET_MAX) {
            add_to(counts, image, entries, count);
            count = 0;
        }
    }
    add_to(counts, image, entries, count);
    unsigned planned = counts[RD_OK] + counts[RD_ALREADY_PLANNED];
    unsigned refused = 0;
    printf("     of all functions: %u planned", planned);
    for (unsigned i = 1; i < RD_STATUS_COUNT; i++) {
        if (counts[i] == 0 || i == RD_ALREADY_PLANNED || i == RD_NOT_CODE) // data
            continue;
        printf(", %u %s", counts[i], rd_status_text((rd_status_t)i));
        refused += counts[i];
    }
    printf("\n");
    CHECK(planned > 9 * refused);
}

static void check_image(const char *path, const image_t *image)
{
    rd_entry_t entries[RD_TARGET_MAX];
    char version[64];
    bool is_debug = strstr(path, "ucrtbased") != NULL;
    uint32_t count =
        rd_code_entries(&image->view, is_debug ? RD_DEBUG_RUNTIME : RD_RELEASE_RUNTIME, entries);
    (void)rd_code_plan(&image->view, entries, count);
    unsigned planned = 0;
    for (uint32_t i = 0; i < count; i++) {
        check_entry(path, &entries[i]);
        check_kind(image, &entries[i]);
        planned += entries[i].status == RD_OK;
    }
    print_version(image, version, sizeof version);
    printf("     %s (%s, %s): %u names, %u places\n", path, version, machine_name(image), count,
           planned);
    count_all(image);
    CHECK(planned >= 9);
}

static void check_runtime(const char *path)
{
    image_t image = {0};
    REQUIRE(map_file(path, &image));
    check_image(path, &image);
    // The same file in an x64 process of an ARM64 system.
    if (image.view.file.machine == PE_MACHINE_ARM64 &&
        arm64x_become_x64(image.bytes, &image.view)) {
        CHECK_EQ(image.view.file.machine, PE_MACHINE_AMD64);
        check_image(path, &image);
    }
    free(image.bytes);
}

TEST(plans_every_function_of_every_runtime)
{
    for (char **path = dll_paths; *path != NULL; path++)
        check_runtime(*path);
}

static char *no_paths[] = {NULL};

int main(int argc, char **argv)
{
    dll_paths = argc > 1 ? argv + 1 : no_paths;
    RUN(plans_every_function_of_every_runtime)
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0;
}
