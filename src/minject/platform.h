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

typedef struct mj_file {
    uint8_t *bytes; // may be changed; the file itself is not
    size_t size;
    size_t capacity; // at least size + the slack asked for
} mj_file_t;

// Reads a whole file; slack bytes behind it stay free. On failure false and *reason says why in the
// system's words.
bool mj_file_read(const char *path, size_t slack, mj_file_t *file, const char **reason);
// Makes room for capacity bytes; the first size bytes keep their values, bytes may move.
bool mj_file_grow(mj_file_t *file, size_t capacity);
void mj_file_free(mj_file_t *file);

// Puts the bytes at path so that at every moment path is the old file, complete, or the new one:
// written to a temporary file beside it, flushed, then renamed over it. Permissions come from the
// file model. On failure path is untouched and the temporary file is gone.
bool mj_file_replace(const char *path, const char *model, const uint8_t *bytes, size_t size,
                     const char **reason);

bool mj_file_exists(const char *path);

typedef enum mj_stream { MJ_STREAM_OUT, MJ_STREAM_ERROR } mj_stream_t;
void mj_write(mj_stream_t stream, const char *text, size_t size);

// Reads a line from standard input; true only for an answer that begins with y or Y.
bool mj_confirm(void);

// Is this byte a separator of path parts?
bool mj_is_separator(char c);

// The folder of minject's own program, with a separator at its end; false when it is not known.
bool mj_own_folder(char *folder, size_t size);
