// SPDX-License-Identifier: MIT
// Writes a made file: made OUT [field=value ...], with the fields of make_pe_t and numbers in C form;
// "x86" as a field starts from the 32-bit default. For scripts that run the real minject.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/make_pe.h"

typedef struct field {
    const char *name;
    size_t off;
    size_t size;
} field_t;

#define FIELD(name) {#name, offsetof(make_pe_t, name), sizeof(((make_pe_t *)NULL)->name)}

static const field_t fields[] = {FIELD(machine),
                                 FIELD(characteristics),
                                 FIELD(subsystem),
                                 FIELD(nt_off),
                                 FIELD(section_alignment),
                                 FIELD(file_alignment),
                                 FIELD(headers_size),
                                 FIELD(directory_count),
                                 FIELD(checksum),
                                 FIELD(has_lookup),
                                 FIELD(has_iat_directory),
                                 FIELD(imports_are_writable),
                                 FIELD(is_bound),
                                 FIELD(import_size),
                                 FIELD(extra_sections),
                                 FIELD(last_is_code),
                                 FIELD(last_virtual_size),
                                 FIELD(junk_after_table),
                                 FIELD(load_flags),
                                 FIELD(clr_flags),
                                 FIELD(export_count),
                                 FIELD(symbols_size),
                                 FIELD(overlay_size),
                                 FIELD(certificate_size),
                                 FIELD(dll_characteristics)};

static void set(make_pe_t *spec, const char *argument)
{
    const char *value = strchr(argument, '=');
    for (size_t i = 0; value != NULL && i < sizeof fields / sizeof fields[0]; i++) {
        size_t length = (size_t)(value - argument);
        if (strlen(fields[i].name) != length || memcmp(fields[i].name, argument, length) != 0)
            continue;
        uint32_t number = (uint32_t)strtoul(value + 1, NULL, 0);
        memcpy((uint8_t *)spec + fields[i].off, &number, fields[i].size); // little endian
        return;
    }
    fprintf(stderr, "made: no such field: %s\n", argument);
    exit(2);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[MAKE_PE_CAPACITY];
    static char overlay[0x10000];
    make_pe_t spec = make_pe_default();
    memset(overlay, 'o', sizeof overlay);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "x86") == 0)
            spec = make_pe_default32();
        else
            set(&spec, argv[i]);
    }
    spec.overlay = overlay;
    uint32_t size = spec.overlay_size <= sizeof overlay ? make_pe(&spec, bytes) : 0;
    FILE *file = argc > 1 && size != 0 ? fopen(argv[1], "wb") : NULL;
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        fprintf(stderr, "made: cannot write\n");
        return 2;
    }
    return 0;
}
