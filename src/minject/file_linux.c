// SPDX-License-Identifier: MIT
// Memory, files and the terminal by POSIX calls.
#define _GNU_SOURCE
#include "minject/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *mj_alloc(size_t size)
{
    return calloc(1, size);
}

void *mj_realloc(void *block, size_t size)
{
    return realloc(block, size);
}

void mj_free(void *block)
{
    free(block);
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = write(fd, bytes + done, size - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

// The file is mapped privately over the start of a region that has room behind it: nothing is copied
// that is not changed. Should somebody cut the file off meanwhile, minject ends with a bus error, and
// the file is as that somebody left it.
static bool map_file(int fd, size_t slack, mj_file_t *file)
{
    size_t capacity = file->size + slack;
    int protection = PROT_READ | PROT_WRITE;
    void *region = mmap(NULL, capacity, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return false;
    file->bytes = region;
    file->capacity = capacity;
    if (file->size == 0)
        return true;
    return mmap(region, file->size, protection, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED;
}

bool mj_file_read(const char *path, size_t slack, mj_file_t *file, const char **reason)
{
    struct stat status;
    bool is_read = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *file = (mj_file_t){0};
    if (fd < 0 || fstat(fd, &status) != 0)
        goto done;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        goto done;
    }
    file->size = (size_t)status.st_size;
    // At least a page: an empty region cannot be mapped.
    is_read = map_file(fd, slack + 0x1000, file);
done:
    if (!is_read) {
        *reason = strerror(errno);
        mj_file_free(file);
    }
    if (fd >= 0)
        close(fd);
    return is_read;
}

bool mj_file_grow(mj_file_t *file, size_t capacity)
{
    if (capacity <= file->capacity)
        return true;
    void *region = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return false;
    memcpy(region, file->bytes, file->size);
    munmap(file->bytes, file->capacity);
    file->bytes = region;
    file->capacity = capacity;
    return true;
}

void mj_file_free(mj_file_t *file)
{
    if (file->bytes != NULL)
        munmap(file->bytes, file->capacity);
    *file = (mj_file_t){0};
}

bool mj_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

// A file that cannot be owned by its former owner (we are not root) is still the user's.
static bool copy_permissions(int fd, const char *model)
{
    struct stat status;
    if (stat(model, &status) != 0)
        return false;
    if (fchown(fd, status.st_uid, status.st_gid) != 0 && errno != EPERM)
        return false;
    return fchmod(fd, status.st_mode & 07777) == 0;
}

// Without this the rename might not survive a power cut, or only it and not the content.
static void flush_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (length >= sizeof folder - 1)
        return;
    memcpy(folder, path, length);
    memcpy(folder + length, ".", 2);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    // Some file systems cannot; the rename is done in any case.
    (void)fsync(fd);
    close(fd);
}

static int open_temporary(const char *path, char *name, size_t size)
{
    for (unsigned i = 0; i < 100; i++) {
        int length = snprintf(name, size, "%s.%ld-%u.minject", path, (long)getpid(), i);
        if (length < 0 || (size_t)length >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

bool mj_file_replace(const char *path, const char *model, const uint8_t *bytes, size_t size,
                     const char **reason)
{
    char temporary[PATH_MAX];
    // A link stays a link: the file that it names is replaced.
    char *real = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    bool is_closed = false;
    int fd = open_temporary(target, temporary, sizeof temporary);
    bool ok =
        fd >= 0 && write_all(fd, bytes, size) && copy_permissions(fd, model) && fsync(fd) == 0;
    if (ok) {
        is_closed = true;
        ok = close(fd) == 0 && rename(temporary, target) == 0;
    }
    if (!ok)
        *reason = strerror(errno);
    if (!ok && fd >= 0)
        unlink(temporary);
    if (fd >= 0 && !is_closed)
        close(fd);
    if (ok)
        flush_folder(target);
    free(real);
    return ok;
}

void mj_write(mj_stream_t stream, const char *text, size_t size)
{
    // Nothing can be told about a failure to tell.
    (void)write_all(stream == MJ_STREAM_OUT ? 1 : 2, (const uint8_t *)text, size);
}

bool mj_confirm(void)
{
    char answer = 'n';
    char rest;
    if (read(0, &answer, 1) != 1)
        return false;
    for (rest = answer; rest != '\n' && read(0, &rest, 1) == 1;) {
    }
    return answer == 'y' || answer == 'Y';
}

bool mj_is_separator(char c)
{
    return c == '/';
}

bool mj_own_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    if (length <= 0 || (size_t)length >= size - 1)
        return false;
    folder[length] = '\0';
    strrchr(folder, '/')[1] = '\0';
    return true;
}
