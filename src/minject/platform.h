// SPDX-License-Identifier: MIT
// What minject needs from the system: memory, files, the terminal. One implementation for Windows
// (Win32 without a C runtime), one for POSIX. Paths and texts are UTF-8; on Windows unpaired
// surrogates of a file name survive the way there and back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mj_alloc(size_t size); // zeroed; NULL when there is none
void *mj_realloc(void *block, size_t size);
void mj_free(void *block);

#define MJ_FILE_STEP 0x80000U // bytes a call of mj_file_original at most: they stay in the cache

typedef struct mj_file {
    uint8_t *bytes; // may be changed; the file itself is not
    size_t size;
    size_t capacity;       // at least size + the slack asked for
    const uint8_t *source; // the system's own, for mj_file_original
    size_t source_size;
    intptr_t handle;
} mj_file_t;

// Reads a whole file; slack bytes behind it stay free. On failure false and *reason says why in the
// system's words.
bool mj_file_read(const char *path, size_t slack, mj_file_t *file, const char **reason);
// The file's bytes as they were read, whatever became of file->bytes: size of them from off on, at most
// MJ_FILE_STEP, good until the next call. NULL and *reason on failure.
const uint8_t *mj_file_original(mj_file_t *file, size_t off, size_t size, const char **reason);
// From now on the first size of file->bytes, as they are, are the original. False without memory.
bool mj_file_settle(mj_file_t *file, size_t size);
// Makes room for capacity bytes; the first size bytes keep their values, bytes may move.
bool mj_file_grow(mj_file_t *file, size_t capacity);
// Lets go of the file on disk, so that it can be replaced; file->bytes stay.
void mj_file_release(mj_file_t *file);
void mj_file_free(mj_file_t *file);

// Writes a file so that at every moment path is the old file, complete, or the new one: to a temporary
// file beside it, flushed, then renamed over it.
typedef struct mj_writer mj_writer_t;

// size is what will be written in all. NULL and *reason on failure.
mj_writer_t *mj_writer_open(const char *path, size_t size, const char **reason);
// In any order, and again; in order of offsets is fastest, as the disk then works meanwhile.
bool mj_writer_put(mj_writer_t *writer, size_t off, const uint8_t *bytes, size_t size,
                   const char **reason);
// Permissions come from the file model. In both cases the writer is gone; on failure path is untouched
// and the temporary file is gone too.
bool mj_writer_commit(mj_writer_t *writer, const char *model, const char **reason);
// Nothing is written. NULL is fine.
void mj_writer_abandon(mj_writer_t *writer);

bool mj_file_exists(const char *path);

typedef enum mj_stream { MJ_STREAM_OUT, MJ_STREAM_ERROR } mj_stream_t;
void mj_write(mj_stream_t stream, const char *text, size_t size);

// Reads a line from standard input; true only for an answer that begins with y or Y.
bool mj_confirm(void);

// Is this byte a separator of path parts?
bool mj_is_separator(char c);

// The folder of minject's own program, with a separator at its end; false when it is not known.
bool mj_own_folder(char *folder, size_t size);
