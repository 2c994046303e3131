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

#define WRITE_BACK_STEP 0x800000U

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

// The file is mapped twice: to be read as it is, and privately over the start of a region that has
// room behind it, where nothing is copied but what is changed. Should somebody cut the file off
// meanwhile, minject ends with a bus error, and the file is as that somebody left it.
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
    void *source = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
    if (source == MAP_FAILED)
        return false;
    file->source = source;
    file->source_size = file->size;
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

const uint8_t *mj_file_original(mj_file_t *file, size_t off, size_t size, const char **reason)
{
    if (size <= file->source_size && off <= file->source_size - size)
        return file->source + off;
    *reason = strerror(EINVAL);
    return NULL;
}

static void unmap_source(mj_file_t *file)
{
    if (file->source != NULL)
        munmap((void *)(uintptr_t)file->source, file->source_size);
    file->source = NULL;
    file->source_size = 0;
}

bool mj_file_settle(mj_file_t *file, size_t size)
{
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return false;
    memcpy(copy, file->bytes, size);
    unmap_source(file);
    file->source = copy;
    file->source_size = size;
    return true;
}

void mj_file_release(mj_file_t *file)
{
    // A mapping does not keep a file from being replaced.
    (void)file;
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
    unmap_source(file);
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
            name[0] = '\0';
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        name[0] = '\0'; // not ours
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

struct mj_writer {
    int fd;             // -1 once closed
    char *target;       // from realpath or strdup
    size_t in_order;    // bytes from the start on that were put one after the other
    size_t handed_over; // of these, the disk was told to begin with
    char temporary[PATH_MAX];
};

static mj_writer_t *give_up(mj_writer_t *writer, const char **reason)
{
    *reason = strerror(errno);
    mj_writer_abandon(writer);
    return NULL;
}

mj_writer_t *mj_writer_open(const char *path, size_t size, const char **reason)
{
    mj_writer_t *writer = mj_alloc(sizeof *writer);
    if (writer == NULL)
        return give_up(writer, reason);
    writer->fd = -1;
    // A link stays a link: the file that it names is replaced.
    writer->target = realpath(path, NULL);
    if (writer->target == NULL)
        writer->target = strdup(path);
    if (writer->target == NULL)
        return give_up(writer, reason);
    writer->fd = open_temporary(writer->target, writer->temporary, sizeof writer->temporary);
    if (writer->fd < 0)
        return give_up(writer, reason);
    // A full disk is better found at once; not every file system can reserve.
    if (size != 0 && fallocate(writer->fd, 0, 0, (off_t)size) != 0 && errno == ENOSPC)
        return give_up(writer, reason);
    return writer;
}

// Without this the disk would begin when all is written, and minject would wait twice.
static void start_write_back(mj_writer_t *writer)
{
    size_t size = writer->in_order - writer->handed_over;
    if (size < WRITE_BACK_STEP)
        return;
    (void)sync_file_range(writer->fd, (off_t)writer->handed_over, (off_t)size,
                          SYNC_FILE_RANGE_WRITE);
    writer->handed_over = writer->in_order;
}

bool mj_writer_put(mj_writer_t *writer, size_t off, const uint8_t *bytes, size_t size,
                   const char **reason)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(writer->fd, bytes + done, size - done, (off_t)(off + done));
        if (put >= 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            *reason = strerror(errno);
            return false;
        }
    }
    if (off == writer->in_order)
        writer->in_order += size;
    start_write_back(writer);
    return true;
}

bool mj_writer_commit(mj_writer_t *writer, const char *model, const char **reason)
{
    bool ok = copy_permissions(writer->fd, model) && fdatasync(writer->fd) == 0;
    if (ok) {
        int fd = writer->fd;
        writer->fd = -1;
        ok = close(fd) == 0 && rename(writer->temporary, writer->target) == 0;
    }
    if (!ok) {
        *reason = strerror(errno);
        mj_writer_abandon(writer);
        return false;
    }
    flush_folder(writer->target);
    writer->temporary[0] = '\0';
    mj_writer_abandon(writer);
    return true;
}

void mj_writer_abandon(mj_writer_t *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->temporary[0] != '\0')
        unlink(writer->temporary);
    free(writer->target);
    free(writer);
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
