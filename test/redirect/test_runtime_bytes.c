// SPDX-License-Identifier: MIT
// The planner on real runtimes: every function that must be taken over can be, on the bytes of each
// DLL named in the arguments (of any processor width). Prints what it finds per DLL.
#include "check.h"
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

static void check_entry(const char *path, const rd_entry_t *entry)
{
    bool is_good = entry->status == RD_OK || entry->status == RD_ALREADY_PLANNED ||
                   entry->status == RD_FORWARDED;
    check_state.checks++;
    if (is_good)
        return;
    char what[256];
    snprintf(what, sizeof what, "%s: %s: %s", path, entry->name, rd_status_text(entry->status));
    check_fail(__FILE__, __LINE__, what);
}

// Of a processor that the decoder does not know: nothing is planned, so that import tables are used.
static void check_refused(const char *path, const rd_entry_t *entry)
{
    check_state.checks++;
    if ((entry->status == RD_UNKNOWN_CODE || entry->status == RD_FORWARDED ||
         entry->status == RD_ALREADY_PLANNED) &&
        entry->byte_count == 0)
        return;
    char what[256];
    snprintf(what, sizeof what, "%s: %s: not refused", path, entry->name);
    check_fail(__FILE__, __LINE__, what);
}

static void check_other_processor(const char *path, const image_t *image)
{
    rd_entry_t entries[RD_TARGET_MAX];
    uint32_t count = rd_code_entries(&image->view, RD_RELEASE_RUNTIME, entries);
    CHECK(rd_code_plan(&image->view, entries, count) != RD_OK);
    for (uint32_t i = 0; i < count; i++)
        check_refused(path, &entries[i]);
    printf("     %s: %u names, for import tables\n", path, count);
    CHECK(count >= 9);
}

static void check_runtime(const char *path)
{
    image_t image = {0};
    rd_entry_t entries[RD_TARGET_MAX];
    REQUIRE(map_file(path, &image));
    if (image.view.file.machine == PE_MACHINE_ARM64) {
        check_other_processor(path, &image);
        free(image.bytes);
        return;
    }
    uint32_t count = rd_code_entries(&image.view, RD_RELEASE_RUNTIME, entries);
    (void)rd_code_plan(&image.view, entries, count);
    unsigned planned = 0;
    for (uint32_t i = 0; i < count; i++) {
        check_entry(path, &entries[i]);
        planned += entries[i].status == RD_OK;
    }
    printf("     %s: %u names, %u places\n", path, count, planned);
    CHECK(planned >= 9);
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
