// SPDX-License-Identifier: MIT
// What is changed in memory is what is reported, in all modules, and no page is left writable and
// executable.
#include "check.h"
#include "mimalloc/redirect.h"
#include "stock_allocator.h"

#include <stdlib.h>
#include <windows.h>

#include <delayimp.h>
#include <psapi.h>

static bool has_both(DWORD protection)
{
    DWORD p = protection & 0xFF;
    return p == PAGE_EXECUTE_READWRITE || p == PAGE_EXECUTE_WRITECOPY;
}

TEST(no_page_is_writable_and_executable)
{
    MEMORY_BASIC_INFORMATION info;
    unsigned regions = 0;
    for (char *at = NULL; VirtualQuery(at, &info, sizeof info) == sizeof info;
         at = (char *)info.BaseAddress + info.RegionSize) {
        regions++;
        if (info.State == MEM_COMMIT && has_both(info.Protect))
            printf("     %p, %lu bytes, protection 0x%lx\n", info.BaseAddress,
                   (unsigned long)info.RegionSize, info.Protect);
        CHECK(info.State != MEM_COMMIT || !has_both(info.Protect));
    }
    CHECK(regions > 50);
}

// True when a reported patch covers the address.
static bool is_reported(const uint8_t *address)
{
    mi_redirect_function_t function = {.size = sizeof function};
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++) {
        const uint8_t *start = function.address;
        if (function.byte_count != 0 && address >= start && address < start + function.byte_count)
            return true;
    }
    return false;
}

static uint8_t *read_file(const char *path, DWORD *size)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    *size = GetFileSize(file, NULL);
    uint8_t *bytes = malloc(*size);
    DWORD read = 0;
    BOOL is_read = ReadFile(file, bytes, *size, &read, NULL);
    CloseHandle(file);
    return is_read && read == *size ? bytes : NULL;
}

static uint8_t *raw_of(uint8_t *file, DWORD rva)
{
    IMAGE_NT_HEADERS *nt = (void *)(file + ((IMAGE_DOS_HEADER *)(void *)file)->e_lfanew);
    IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(nt);
    for (unsigned s = 0; s < nt->FileHeader.NumberOfSections; s++, section++)
        if (rva - section->VirtualAddress < section->SizeOfRawData)
            return file + section->PointerToRawData + (rva - section->VirtualAddress);
    return NULL;
}

// Code of x86 holds addresses: does to the file what the loader did to the module.
static void relocate(uint8_t *file, uintptr_t base)
{
    IMAGE_NT_HEADERS *nt = (void *)(file + ((IMAGE_DOS_HEADER *)(void *)file)->e_lfanew);
    const IMAGE_DATA_DIRECTORY *directory =
        &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_BASERELOC];
    uint32_t delta = (uint32_t)(base - (uintptr_t)nt->OptionalHeader.ImageBase);
    const uint8_t *at = raw_of(file, directory->VirtualAddress);
    const uint8_t *end = at + directory->Size;
    while (sizeof(void *) == 4 && at < end) {
        const IMAGE_BASE_RELOCATION *block = (const void *)at;
        const WORD *entry = (const void *)(block + 1);
        DWORD count = (DWORD)((block->SizeOfBlock - sizeof *block) / sizeof *entry);
        for (DWORD i = 0; i < count; i++) {
            uint32_t value;
            uint8_t *place = raw_of(file, block->VirtualAddress + (entry[i] & 0xFFFU));
            if (entry[i] >> 12 != IMAGE_REL_BASED_HIGHLOW || place == NULL)
                continue;
            memcpy(&value, place, sizeof value);
            value += delta;
            memcpy(place, &value, sizeof value);
        }
        at += block->SizeOfBlock;
    }
}

// Compares the executable sections with the file; returns the number of bytes that differ.
static unsigned compare_code(const uint8_t *module, const uint8_t *file)
{
    unsigned different = 0;
    const IMAGE_DOS_HEADER *dos = (const void *)file;
    const IMAGE_NT_HEADERS *nt = (const void *)(file + dos->e_lfanew);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(nt);
    for (unsigned s = 0; s < nt->FileHeader.NumberOfSections; s++, section++) {
        if ((section->Characteristics & IMAGE_SCN_MEM_EXECUTE) == 0)
            continue;
        DWORD size = min(section->Misc.VirtualSize, section->SizeOfRawData);
        const uint8_t *mapped = module + section->VirtualAddress;
        for (DWORD i = 0; i < size; i++) {
            if (mapped[i] == file[section->PointerToRawData + i])
                continue;
            different++;
            if (!is_reported(mapped + i))
                printf("     byte at %p differs and is not reported\n", (const void *)(mapped + i));
            CHECK(is_reported(mapped + i));
        }
    }
    return different;
}

// Each module of the process, with its file.
typedef unsigned look_fun(uint8_t *module);

enum { MODULES_MAX = 200 };

static unsigned in_all_modules(look_fun *look)
{
    static HMODULE modules[MODULES_MAX];
    DWORD size = 0;
    unsigned found = 0;
    CHECK(EnumProcessModules(GetCurrentProcess(), modules, sizeof modules, &size));
    for (DWORD i = 0; i < size / sizeof modules[0] && i < MODULES_MAX; i++)
        found += look((uint8_t *)modules[i]);
    return found;
}

static bool is_runtime(const uint8_t *module)
{
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    return mi_redirect_get_runtime(0, &runtime) && module == runtime.base;
}

static unsigned looked_at;

// Debian's Wine for ARM64 has shared objects, and files that only stand for them.
static bool has_file(const char *path)
{
#if defined(__aarch64__)
    return strstr(path, "\\system32\\") == NULL;
#else
    (void)path;
    return true;
#endif
}

static unsigned changed_code_of(uint8_t *module)
{
    char path[MAX_PATH];
    DWORD size = 0;
    REQUIRE(GetModuleFileNameA((HMODULE)(void *)module, path, sizeof path) != 0);
    if (is_runtime(module) || !has_file(path))
        return 0;
    uint8_t *file = read_file(path, &size);
    REQUIRE(file != NULL);
    relocate(file, (uintptr_t)module);
    unsigned different = compare_code(module, file);
    if (different != 0)
        printf("     %u bytes of %s\n", different, path);
    free(file);
    looked_at++;
    return different;
}

TEST(the_code_of_all_other_modules_is_that_of_their_files)
{
    CHECK_EQ(in_all_modules(changed_code_of), 0);
    CHECK(looked_at >= 3);
}

static const IMAGE_NT_HEADERS *headers_of(const uint8_t *module)
{
    return (const void *)(module + ((const IMAGE_DOS_HEADER *)(const void *)module)->e_lfanew);
}

// The redirect and the allocator.
static struct {
    uintptr_t start;
    size_t size;
} ours[4];
static unsigned ours_count;

static unsigned keep_if_ours(uint8_t *module)
{
    HMODULE handle = (HMODULE)(void *)module;
    if (GetProcAddress(handle, "mi_redirect_get_status") == NULL &&
        GetProcAddress(handle, "_mi_redirect_entry") == NULL)
        return 0;
    REQUIRE(ours_count < sizeof ours / sizeof ours[0]);
    ours[ours_count].start = (uintptr_t)module;
    ours[ours_count++].size = headers_of(module)->OptionalHeader.SizeOfImage;
    return 1;
}

static bool lies_in_ours(uintptr_t address)
{
    for (unsigned i = 0; i < ours_count; i++)
        if (address - ours[i].start < ours[i].size)
            return true;
    return false;
}

static unsigned changed_slots(const uint8_t *module, DWORD table_rva)
{
    unsigned count = 0;
    uintptr_t value;
    for (const uint8_t *slot = module + table_rva;; slot += sizeof value) {
        memcpy(&value, slot, sizeof value);
        if (value == 0)
            return count;
        count += lies_in_ours(value);
    }
}

// Entries for our DLLs' own functions are the loader's work.
static bool is_ours(const char *dll)
{
    return lies_in_ours((uintptr_t)GetModuleHandleA(dll));
}

static unsigned changed_entries_of(uint8_t *module)
{
    const IMAGE_DATA_DIRECTORY *directories = headers_of(module)->OptionalHeader.DataDirectory;
    unsigned count = 0;
    const IMAGE_IMPORT_DESCRIPTOR *import =
        (const void *)(module + directories[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress);
    for (; directories[IMAGE_DIRECTORY_ENTRY_IMPORT].Size != 0 && import->Name != 0; import++)
        if (!is_ours((const char *)module + import->Name))
            count += changed_slots(module, import->FirstThunk);
    const ImgDelayDescr *delayed =
        (const void *)(module + directories[IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT].VirtualAddress);
    for (; directories[IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT].Size != 0 && delayed->rvaDLLName != 0;
         delayed++)
        count += changed_slots(module, (DWORD)delayed->rvaIAT);
    return count;
}

TEST(the_import_entries_that_lead_to_us_are_those_that_are_counted)
{
    mi_redirect_status_t status = {.size = sizeof status};
    REQUIRE(mi_redirect_get_status(&status));
    CHECK_EQ(in_all_modules(keep_if_ours), 2);
    CHECK_EQ(in_all_modules(changed_entries_of), status.import_patch_count);
    CHECK(status.import_patch_count >= 3);
}

static unsigned reported_bytes(void)
{
    unsigned count = 0;
    mi_redirect_function_t function = {.size = sizeof function};
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++)
        for (uint32_t b = 0; b < function.byte_count; b++)
            count += function.bytes_before[b] != function.bytes_after[b];
    return count;
}

TEST(exactly_the_reported_bytes_differ_from_the_file)
{
    char path[MAX_PATH];
    DWORD size = 0;
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    REQUIRE(mi_redirect_get_runtime(0, &runtime));
    REQUIRE(GetModuleFileNameA((HMODULE)(uintptr_t)runtime.base, path, sizeof path) != 0);
    uint8_t *file = read_file(path, &size);
    REQUIRE(file != NULL);
    relocate(file, (uintptr_t)runtime.base);
    unsigned different = compare_code(runtime.base, file);
    CHECK_EQ(different, reported_bytes());
    bool is_code = runtime.engine == MI_REDIRECT_ENGINE_CODE;
    CHECK(is_code ? different > 50 : different == 0);
    free(file);
}

TEST(the_report_tells_what_is_there)
{
    mi_redirect_function_t function = {.size = sizeof function};
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    REQUIRE(mi_redirect_get_runtime(0, &runtime));
    CHECK(mi_is_redirected());
    CHECK(runtime.is_redirected);
    CHECK_EQ(runtime.reason, 0);
    CHECK_STR_EQ(runtime.reason_text, "ok");
    unsigned count = 0;
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++, count++) {
        CHECK(function.name != NULL && function.reason_text != NULL);
        if (function.byte_count != 0)
            CHECK_EQ(memcmp(function.address, function.bytes_after, function.byte_count), 0);
    }
    CHECK_EQ(count, runtime.function_count);
    CHECK(runtime.engine != MI_REDIRECT_ENGINE_IMPORTS || runtime.import_patch_count > 0);
}

// Where a jump at that place leads, or NULL.
static const uint8_t *target_of_jump(const uint8_t *at)
{
#if defined(__aarch64__)
    uint32_t words[2];
    memcpy(words, at, sizeof words);
    if (words[0] == 0x58000050 && words[1] == 0xD61F0200) { // ldr x16, 8; br x16
        memcpy(&at, at + 8, sizeof at);
        return at;
    }
    int64_t distance = (int64_t)((words[0] & 0x3FFFFFF) ^ 0x2000000) - 0x2000000;
    return (words[0] & 0xFC000000) == 0x14000000 ? at + 4 * distance : NULL; // b
#else
    int32_t distance;
    if (at[0] == 0xE9) {
        memcpy(&distance, at + 1, sizeof distance);
        return at + 5 + (int64_t)distance;
    }
    if (at[0] != 0xFF || at[1] != 0x25)
        return NULL;
    memcpy(&at, at + 6, sizeof at);
    return at;
#endif
}

// Follows the jumps from a runtime's function; returns their number, or 99.
static unsigned jumps_to(const uint8_t *at, const void *replacement)
{
    for (unsigned count = 0; count < 8 && at != NULL; count++) {
        if (at == replacement)
            return count;
        at = target_of_jump(at);
    }
    return 99;
}

TEST(at_most_two_jumps_lead_to_the_replacement)
{
    mi_redirect_function_t function = {.size = sizeof function};
    unsigned longest = 0;
    for (size_t i = 0; mi_redirect_get_function(0, i, &function); i++) {
        if (function.engine != MI_REDIRECT_ENGINE_CODE)
            continue;
        unsigned count = jumps_to(function.address, function.replacement);
        CHECK(count == 1 || count == 2);
        longest = count > longest ? count : longest;
    }
    printf("     %u jumps\n", longest);
    CHECK(longest <= 2);
}

TEST(the_status_calls_refuse_what_they_do_not_know)
{
    mi_redirect_status_t status = {.size = sizeof status - 8};
    mi_redirect_runtime_t runtime = {.size = sizeof runtime};
    mi_redirect_function_t function = {.size = sizeof function};
    CHECK(!mi_redirect_get_status(&status));
    CHECK(!mi_redirect_get_status(NULL));
    CHECK(!mi_redirect_get_runtime(99, &runtime));
    CHECK(!mi_redirect_get_function(0, 10000, &function));
}

// It does not come to an end in the modules of Debian's Wine for ARM64, which are no PE files.
#if defined(__aarch64__)
#define RUN_ON_PE_FILES(test) (void)(test);
#else
#define RUN_ON_PE_FILES(test) RUN(test)
#endif

TEST_MAIN(RUN(no_page_is_writable_and_executable)
              RUN(exactly_the_reported_bytes_differ_from_the_file)
                  RUN(the_code_of_all_other_modules_is_that_of_their_files)
                      RUN_ON_PE_FILES(the_import_entries_that_lead_to_us_are_those_that_are_counted)
                          RUN(the_report_tells_what_is_there)
                              RUN(at_most_two_jumps_lead_to_the_replacement)
                                  RUN(the_status_calls_refuse_what_they_do_not_know))
