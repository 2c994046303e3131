// SPDX-License-Identifier: MIT
// minject: what its parts say to each other. The flow is
//
//     read -> parse -> facts -> plan -> rewrite -> verify -> write
//
// and everything between read and write is pure: bytes in, bytes or a plan out, no system call, no
// allocation but through mj_alloc. Numbers are 32 bits wide where the format's are; a file of 4 GiB
// is refused before anything else sees it.
#pragma once

#include "pe/pe.h"

#define MJ_VERSION      "0.1.0"
#define MJ_DLL_MAX      8U    // DLLs that one run may put in front
#define MJ_IMPORT_MAX   4096U // import descriptors that are believed
#define MJ_SAVED_MAX    100U  // ranges of original bytes that a record keeps
#define MJ_SECTION_NAME ".minject"
#define MJ_NAME_MAX     128U // a DLL's or a symbol's name, with its end

// ---- status ----

typedef enum mj_status {
    MJ_OK = 0,
    MJ_ALREADY, // nothing to do: the file is as asked
    MJ_USAGE,   // the command line makes no sense
    MJ_NO_MEMORY,
    MJ_CANNOT_READ,
    MJ_CANNOT_WRITE,
    MJ_NOT_CONFIRMED,    // the question whether to overwrite was not answered with yes
    MJ_TOO_LARGE,        // 4 GiB and more
    MJ_BAD_IMAGE,        // pe_view_init or a directory walk says why
    MJ_BAD_IMAGE_LAYOUT, // sections overlap in memory, or the headers
    MJ_TOO_MANY_IMPORTS,
    MJ_UNKNOWN_MACHINE,
    MJ_NATIVE,          // a driver or another native-subsystem image
    MJ_FIRMWARE,        // EFI or a boot application
    MJ_OTHER_SUBSYSTEM, // neither console nor GUI
    MJ_IL_ONLY,         // managed code alone: the loader never looks at native imports
    MJ_MIXED_MODE,      // managed and native code
    MJ_DATA_ONLY,       // a DLL without code
    MJ_FORCE_INTEGRITY,
    MJ_APP_CONTAINER,
    MJ_SYSTEM32_ONLY,       // DependentLoadFlags
    MJ_PROTECTED,           // a protector that checks its own file
    MJ_OVERLAY_AT_END,      // the program looks for its data at the file's end
    MJ_OVERLAY_BY_SECTIONS, // the program finds its data behind the last section
    MJ_OVERLAY_CHECKED,     // the program checks a sum over its headers that we cannot keep
    MJ_HYBRID_HEADERS,      // an ARM64X image rewrites the headers when it is loaded
    MJ_NO_ROOM,             // neither the headers nor the last section can take ours
    MJ_ADDRESS_SPACE,       // the image would be larger than 2 GiB
    MJ_NOT_INJECTED,        // --remove: nothing of ours in it
    MJ_BAD_RECORD,          // --remove: our record is damaged
    MJ_CHANGED_SINCE,       // --remove: the original bytes are no longer all there
    MJ_VERIFY_FAILED,       // the result is not what was planned; a defect of minject
    MJ_CHECK_FAILED,        // --check: redirection would not work
    MJ_NOT_HERE,            // this function needs Windows
    MJ_STATUS_COUNT
} mj_status_t;

// What the process returns to its caller; docs/minject.md lists them.
typedef enum mj_exit {
    MJ_EXIT_OK = 0,
    MJ_EXIT_USAGE = 1,
    MJ_EXIT_FILE = 2,     // cannot read or write
    MJ_EXIT_FORMAT = 3,   // damaged or foreign
    MJ_EXIT_REFUSED = 4,  // refused with a reason; some of these yield to --force
    MJ_EXIT_DECLINED = 5, // not confirmed
    MJ_EXIT_CHECK = 6,    // --check found that it would not work
    MJ_EXIT_INTERNAL = 7, // the result did not pass verification
} mj_exit_t;

const char *mj_status_text(mj_status_t status); // one sentence without the file's name
const char *mj_status_cure(mj_status_t status); // what to do about it; "" when nothing helps
mj_exit_t mj_status_exit(mj_status_t status);
bool mj_status_yields_to_force(mj_status_t status);

// ---- options ----

typedef enum mj_command {
    MJ_COMMAND_INJECT,
    MJ_COMMAND_LIST,
    MJ_COMMAND_CHECK,
    MJ_COMMAND_REMOVE,
    MJ_COMMAND_RUN,
    MJ_COMMAND_HELP,
    MJ_COMMAND_VERSION
} mj_command_t;

typedef struct mj_dll {
    char name[MJ_NAME_MAX];
    char symbol[MJ_NAME_MAX]; // "": import ordinal 1
} mj_dll_t;

typedef struct mj_options {
    mj_command_t command;
    const char *path;
    bool is_verbose;
    bool is_inplace;
    bool is_forced;
    bool is_dry_run;
    bool is_json;
    bool copies_dlls;
    bool follows_children; // run
    bool has_own_dlls;     // --dll was given
    uint32_t dll_count;
    mj_dll_t dlls[MJ_DLL_MAX]; // in the order in which they are to be imported
    char postfix[MJ_NAME_MAX];
    int program_index;   // run: the program's place in argv
    const char *problem; // of MJ_USAGE: what is wrong
    const char *culprit; // the argument that it is wrong with
} mj_options_t;

// Fills options from UTF-8 arguments (argv[0] is skipped). MJ_USAGE with problem and culprit set.
mj_status_t mj_args_parse(int argc, char **argv, mj_options_t *options);
const char *mj_help_text(void);

// The redirect's DLL for a machine: mimalloc-redirect.dll and so on; NULL for an unknown machine.
const char *mj_redirect_name(uint16_t machine);
// True for any name that the redirect goes by, of any machine.
bool mj_is_redirect_name(const char *dll);
const char *mj_machine_name(uint16_t machine);

typedef struct mj_range {
    uint32_t off;
    uint32_t size;
} mj_range_t;

// ---- facts: what a file is, before anything is decided ----

typedef enum mj_runtime { // the C runtime that the file itself imports
    MJ_RUNTIME_NONE,      // static, or through other DLLs
    MJ_RUNTIME_UCRT,
    MJ_RUNTIME_UCRT_DEBUG,
    MJ_RUNTIME_MSVCRT, // the system's old one
    MJ_RUNTIME_MSVCR   // msvcr70 to msvcr120
} mj_runtime_t;

typedef enum mj_managed { MJ_MANAGED_NO, MJ_MANAGED_MIXED, MJ_MANAGED_IL_ONLY } mj_managed_t;

typedef enum mj_overlay {
    MJ_OVERLAY_NONE,
    MJ_OVERLAY_UNKNOWN,      // kept at its offset, which is right for most
    MJ_OVERLAY_BY_OFFSET,    // known to be found by file offset or by a search: stays right
    MJ_OVERLAY_FROM_END,     // known to be found from the file's end
    MJ_OVERLAY_FROM_SECTIONS // known to be found behind the last section's data
} mj_overlay_t;

typedef struct mj_facts {
    bool is_dll;
    bool has_code;
    bool is_signed;
    bool is_hybrid;       // ARM64EC or ARM64X: has CHPE metadata
    bool patches_headers; // its ARM64X fixups change the headers: they must not move
    bool patches_imports; // and these name the import directory or other fields of ours
    mj_managed_t managed;
    mj_runtime_t runtime;
    const char *runtime_name; // the DLL, NULL when none
    const char *packer;       // NULL when none is recognised
    bool is_protected;        // by a packer that checks its own file
    uint32_t dependent_load_flags;
    uint32_t dependent_load_flags_rva; // of the 16-bit field; 0 when the file has none
    mj_overlay_t overlay;
    const char *overlay_name; // what it was recognised as, NULL when unknown
    uint32_t overlay_off;
    uint32_t overlay_size;
    bool checks_crc;         // an NSIS installer: CRC of all from offset 512 to its data's end
    uint32_t zip_record_off; // of the end record of a zip that ends with the file, or 0
    uint32_t import_count;
} mj_facts_t;

// PE_OK, or why the import directory cannot be walked.
pe_status_t mj_facts_gather(const pe_view_t *view, mj_facts_t *facts);
// overlay.c: fills the overlay fields.
void mj_overlay_recognise(const pe_view_t *view, mj_facts_t *facts);
// hybrid.c: true when ARM64X fixups may change the mapped bytes of the range (of RVAs).
bool mj_hybrid_touches(const pe_view_t *view, mj_range_t range);
// True when DependentLoadFlags keep the loader from looking beside the program.
bool mj_is_system32_only(const mj_facts_t *facts);

// The first reason not to touch the file, or MJ_OK. Reasons that yield to force are passed over when
// the options say so.
mj_status_t mj_policy_check(const pe_view_t *view, const mj_facts_t *facts, bool is_forced);

// ---- plan ----

typedef enum mj_room {    // where the section header for our data comes from
    MJ_ROOM_SLOT,         // free space behind the section table
    MJ_ROOM_STUB,         // the NT headers move down over the DOS stub
    MJ_ROOM_LAST_SECTION, // none: the last section moves to the file's end and grows
    MJ_ROOM_MOVED_DATA    // the first sections' data moves to the file's end
} mj_room_t;

typedef struct mj_move { // a section's raw data goes to another offset
    uint32_t section;
    uint32_t from_off;
    uint32_t to_off;
    uint32_t size;
} mj_move_t;

typedef struct mj_entry {              // one import descriptor of the result
    pe_import_descriptor_t descriptor; // new ones: filled by the plan as well
    const mj_dll_t *dll;               // not NULL: new, with the name and symbol to write
    uint32_t names_off;                // new: of hint, symbol and DLL name in the blob
} mj_entry_t;

typedef struct mj_plan {
    mj_room_t room;
    uint32_t old_size; // of the file
    uint32_t new_size;
    uint32_t nt_shift;     // bytes that the NT headers move towards the start
    uint32_t headers_size; // the new SizeOfHeaders
    uint32_t image_size;   // the new SizeOfImage
    pe_section_t section;  // the header of the new or extended last section
    uint32_t blob_rva;     // our data: record, descriptors, tables, names, saved bytes
    uint32_t blob_off;
    uint32_t blob_size;
    uint32_t lookup_off; // offsets in the blob
    uint32_t iat_off;
    uint32_t names_off;
    uint32_t saved_off;
    uint32_t entry_count; // without the terminator
    mj_entry_t *entries;  // from mj_alloc
    uint32_t new_count;   // entries that are new
    uint32_t move_count;
    mj_move_t moves[PE_SECTION_MAX];
    uint32_t saved_count;
    mj_range_t saved[MJ_SAVED_MAX];
    bool sets_iat_directory;
    pe_directory_t iat_directory;
    uint32_t writable_section; // index of a section to be made writable, or UINT32_MAX
    bool clears_integrity;     // forced: FORCE_INTEGRITY goes
    uint32_t load_flags_off;   // forced: file offset of DependentLoadFlags to clear, or 0
    uint32_t zip_comment_off;  // of a 16-bit length to be set, or 0
    uint16_t zip_comment_length;
    uint32_t crc_fix_off; // of 4 bytes that keep an installer's CRC as it was, or 0
    uint32_t crc_target;
    uint32_t checksum_off; // of the result's checksum, or 0 when the file has none
} mj_plan_t;

// Decides everything that a rewrite will do to the file seen in view, or says why not. MJ_ALREADY:
// the DLLs are in front and nothing is to be done. The caller frees with mj_plan_free in every case.
mj_status_t mj_plan_make(const pe_view_t *view, const mj_facts_t *facts,
                         const mj_options_t *options, mj_plan_t *plan);
// Only the import table's part of a plan: entries, the blob's layout up to saved_off, the address
// table directory. For a module in memory (run), which needs no room in a file.
mj_status_t mj_plan_imports(const pe_view_t *view, const mj_facts_t *facts,
                            const mj_options_t *options, mj_plan_t *plan);
void mj_plan_free(mj_plan_t *plan);

// plan_room.c: chooses the room and fills all offsets, given entries and the blob's size.
mj_status_t mj_plan_room(const pe_view_t *view, const mj_facts_t *facts, mj_plan_t *plan);

// True when the wanted DLLs stand in front already; the redirect's own DLL before them is fine.
bool mj_is_in_front(const pe_view_t *view, const mj_options_t *options);

// overlay_plan.c: the few bytes that keep a zip or an installer valid.
void mj_overlay_find_zip(const pe_view_t *view, mj_facts_t *facts);
bool mj_overlay_needs_crc(const mj_facts_t *facts, uint32_t headers_end);
void mj_overlay_plan_crc(const pe_view_t *view, mj_plan_t *plan, uint32_t fix_off);
// Needs plan->new_size.
mj_status_t mj_overlay_plan_zip(const mj_facts_t *facts, mj_plan_t *plan);
// After all other changes but the checksum.
void mj_overlay_apply(uint8_t *bytes, const mj_plan_t *plan);

// ---- sums ----

#define MJ_HASH_LANES 8U
typedef struct mj_hash {
    uint64_t lanes[MJ_HASH_LANES];
    uint64_t total;
    uint8_t rest[8 * MJ_HASH_LANES];
} mj_hash_t;
void mj_hash_begin(mj_hash_t *hash);
void mj_hash_add(mj_hash_t *hash, const uint8_t *bytes, size_t size);
uint64_t mj_hash_end(mj_hash_t *hash);
uint64_t mj_hash(const uint8_t *bytes, size_t size);

uint32_t mj_pe_checksum(const uint8_t *bytes, uint32_t size, uint32_t checksum_off);
// The same in parts: sums of bytes that lie at off in the file are added; the file's size comes last.
uint64_t mj_sum(const uint8_t *bytes, size_t size, size_t off);
uint32_t mj_sum_end(uint64_t sum, uint32_t size);

// ---- rewrite, seal, record, verify ----

// Turns the old bytes into the new ones in place, but for the two sums. bytes holds plan->new_size, the
// first old_size of them the file that was planned. Of these it changes the saved ranges and no other.
// Cannot fail.
void mj_rewrite(uint8_t *bytes, const mj_plan_t *plan);

// One pass over the original, in order and in pieces of any size, gives both sums and finds out whether
// what was saved is what the original has.
typedef struct mj_seal {
    const mj_plan_t *plan;
    const uint8_t *bytes; // the result
    mj_hash_t hash;       // of the original
    uint64_t sum;         // of what is alike in the original and in the result
    uint32_t at;          // bytes of the original that were taken
    uint32_t range;       // the next saved range, and where its bytes are
    uint32_t saved_off;
    bool is_saved_right;
} mj_seal_t;

void mj_seal_begin(mj_seal_t *seal, const uint8_t *bytes, const mj_plan_t *plan);
void mj_seal_take(mj_seal_t *seal, const uint8_t *original, size_t size);
// Behind the last piece: writes the hash into the record and the checksum, if there is one, into the
// headers of the result.
void mj_seal_end(mj_seal_t *seal, uint8_t *bytes);

// Writes descriptors, tables and names into the blob, whose place is plan->blob_rva.
void mj_write_imports(const pe_view_t *view, uint8_t *blob, const mj_plan_t *plan);

// Parses the sealed result and holds it against the plan: MJ_OK or MJ_VERIFY_FAILED with *what told.
mj_status_t mj_verify(const uint8_t *bytes, const mj_plan_t *plan, const mj_seal_t *seal,
                      const char **what);

// The record that our data begins with, and that --remove reads.
#define MJ_RECORD_MAGIC "minject import 1" // 16 bytes, without a terminator
typedef struct mj_record {
    char magic[16];
    uint64_t original_hash; // mj_hash of the original file
    uint32_t original_size;
    uint32_t blob_size;
    uint32_t saved_off; // in the blob: saved_count ranges, then their bytes one after the other
    uint32_t saved_count;
    uint32_t new_count;
    uint32_t reserved[5];
} mj_record_t;
_Static_assert(sizeof(mj_record_t) == 64, "layout");

// Finds and checks the record in front of the import directory. MJ_NOT_INJECTED, MJ_BAD_RECORD.
mj_status_t mj_record_find(const pe_view_t *view, mj_record_t *record, uint32_t *blob_off);

// The hash of the original as the record can restore it, without changing anything.
uint64_t mj_record_restored_hash(const uint8_t *bytes, const mj_record_t *record,
                                 uint32_t blob_off);

// Restores the original in place and gives its size, or refuses and changes nothing.
mj_status_t mj_record_restore(const pe_view_t *view, uint8_t *bytes, uint32_t *size);

// ---- text.c: output text, built in memory ----

typedef struct mj_text {
    char *bytes; // terminated once anything was added
    size_t size;
    size_t capacity;
    bool is_cut; // memory ran out: the text ends early
} mj_text_t;

// Formats %s, %u (unsigned), %x (unsigned) and %%; %j writes a string as a JSON literal.
void mj_text_add(mj_text_t *text, const char *format, ...);
void mj_text_add_bytes(mj_text_t *text, const char *bytes, size_t size);
void mj_text_free(mj_text_t *text);

// list.c, check.c: append to text.
mj_status_t mj_list(const pe_view_t *view, const mj_options_t *options, mj_text_t *text);
