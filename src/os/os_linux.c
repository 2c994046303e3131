// SPDX-License-Identifier: MIT
// The Linux port: a test bed for the core, and a library for LD_PRELOAD.
// Nothing here allocates through malloc: these functions run inside the first malloc of a process.
#define _GNU_SOURCE
#include "os/os.h"

#include "os/os_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LARGE_PAGE_SIZE (2 * MI_MIB)
#define SPINS_PER_YIELD 64
// The program's other libraries lie so far below our image at most, or we map in the usual way.
#define LIBRARIES_MAX (MI_64BIT ? 4 * MI_GIB : 64 * MI_MIB)

mi_os_config_t mi_os_config = {
    .large_page_size = LARGE_PAGE_SIZE,
    .path_max = PATH_MAX,
    .shares_zero_page = true,
};

static _Atomic(bool) is_process_ending;
static _Atomic(bool) is_thp_disallowed;
static _Atomic(uintptr_t) lowest_mapped; // any: the last aligned mapping, a hint; 0: none yet

// ---- start ----

static void (*_Atomic thread_exit_function)(void *heap); // any: always the same value
static pthread_key_t exit_key;
static bool has_exit_key; // const after mi_os_init

// The system cleared our value before the call. Destructors of other keys may still allocate after
// this one: that makes a new heap, which registers itself again, and the system comes round again
// (PTHREAD_DESTRUCTOR_ITERATIONS times).
static void run_thread_exit(void *registered)
{
    (void)registered;
    void (*on_exit)(void *heap) = mi_load_relaxed(&thread_exit_function);
    on_exit(mi_os_tls_heap());
}

// The first byte of a small file, or 0. errno is restored by the callers' callers: see mi_os_init.
static char first_char_of(const char *path)
{
    char c = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, &c, 1) != 1)
        c = 0;
    close(file);
    return c;
}

void mi_os_init(void)
{
    if (mi_os_config.page_size != 0)
        return;
    int saved_errno = errno;
    mi_os_config.granularity = (size_t)getpagesize();
    // 2 is strict accounting; an unreadable file means the default, 0.
    mi_os_config.has_overcommit = first_char_of("/proc/sys/vm/overcommit_memory") != '2';
    mi_os_config.decommit_keeps_access = mi_os_config.has_overcommit;
    has_exit_key = pthread_key_create(&exit_key, run_thread_exit) == 0;
    mi_os_config.page_size = mi_os_config.granularity;
    errno = saved_errno;
}

// ---- memory ----

static void *map(void *hint, size_t size, int access, int extra_flags)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags;
    int saved_errno = errno;
    void *start = mmap(hint, size, access, flags, -1, 0);
    errno = saved_errno;
    return start == MAP_FAILED ? NULL : start;
}

static void unmap(void *start, size_t size)
{
    int saved_errno = errno;
    if (size != 0)
        munmap(start, size);
    errno = saved_errno;
}

static bool advise(void *start, size_t size, int advice)
{
    int saved_errno = errno;
    int result;
    // EAGAIN is a passing shortage of the kernel's.
    do {
        result = madvise(start, size, advice);
    } while (result != 0 && errno == EAGAIN);
    errno = saved_errno;
    return result == 0;
}

static bool set_access(void *start, size_t size, int access)
{
    int saved_errno = errno;
    bool is_done = mprotect(start, size, access) == 0;
    errno = saved_errno;
    return is_done;
}

// Below our image and what was mapped before, where there mostly is room: one call instead of three.
// NULL: there was none.
static void *map_aligned_below(size_t size, size_t alignment, int access, int extra_flags)
{
    uintptr_t end = mi_load_relaxed(&lowest_mapped);
    uintptr_t image = (uintptr_t)&mi_os_config;
    if (end == 0 && image > LIBRARIES_MAX)
        end = image - LIBRARIES_MAX;
    if (size >= end || alignment >= end - size)
        return NULL;
    void *wanted = (void *)mi_align_down(end - size, alignment);
    void *start = map(wanted, size, access, extra_flags);
    if (start != NULL && !mi_is_aligned(start, alignment)) {
        unmap(start, size);
        return NULL;
    }
    mi_store_relaxed(&lowest_mapped, (uintptr_t)start);
    return start;
}

// Maps more than is needed and gives the ends back.
static void *map_aligned(size_t size, size_t alignment, int access, int extra_flags)
{
    size_t larger;
    if (alignment <= mi_os_config.page_size)
        return map(NULL, size, access, extra_flags);
    void *below = map_aligned_below(size, alignment, access, extra_flags);
    if (below != NULL)
        return below;
    if (!mi_add_size(size, alignment - mi_os_config.page_size, &larger))
        return NULL;
    void *start = map(NULL, larger, access, extra_flags);
    if (start == NULL)
        return NULL;
    uintptr_t aligned = mi_align_up((uintptr_t)start, alignment);
    size_t before = aligned - (uintptr_t)start;
    unmap(start, before);
    unmap(mi_offset(start, before + size), larger - before - size);
    return (void *)aligned;
}

static void *map_large(size_t size, size_t alignment, int access)
{
    if (size % LARGE_PAGE_SIZE != 0 || alignment > LARGE_PAGE_SIZE)
        return NULL;
    return map(NULL, size, access, MAP_HUGETLB);
}

mi_os_memory_t mi_os_reserve(size_t size, size_t alignment, bool commit, mi_os_page_kind_t kind)
{
    mi_os_memory_t memory = {.size = size, .is_zero = true};
    bool is_accessible = commit || mi_os_config.has_overcommit;
    int access = is_accessible ? PROT_READ | PROT_WRITE : PROT_NONE;
    if (kind == MI_OS_PAGES_LARGE_ALLOWED && commit) {
        memory.start = map_large(size, alignment, access);
        memory.is_large = memory.start != NULL;
    }
    if (memory.start == NULL)
        memory.start = map_aligned(size, alignment, access, 0);
    if (memory.start == NULL)
        return memory;
    if (mi_load_relaxed(&is_thp_disallowed))
        advise(memory.start, size, MADV_NOHUGEPAGE);
    memory.base = memory.start;
    memory.base_size = size;
    memory.is_committed = is_accessible;
    return memory;
}

void mi_os_release(const mi_os_memory_t *memory)
{
    unmap(memory->base, memory->base_size);
}

// Binds the range to a node, as a preference: the kernel may still take memory elsewhere.
static void prefer_node(void *start, size_t size, int numa_node)
{
    unsigned long mask = 1ul << numa_node;
    const int mode_preferred = 1;
    int saved_errno = errno;
    syscall(SYS_mbind, start, size, mode_preferred, &mask, sizeof mask * CHAR_BIT, 0);
    errno = saved_errno;
}

static bool map_huge_page(void *at, int numa_node)
{
    const int huge_1gib = 30 << MAP_HUGE_SHIFT;
    int flags = MAP_FIXED | MAP_HUGETLB | huge_1gib;
    if (map(at, MI_GIB, PROT_READ | PROT_WRITE, flags) == NULL)
        return false;
    if (numa_node >= 0 && numa_node < (int)(sizeof(unsigned long) * CHAR_BIT))
        prefer_node(at, MI_GIB, numa_node);
    return true;
}

mi_os_memory_t mi_os_reserve_huge(size_t page_count, int numa_node, size_t timeout_ms, size_t *got)
{
    mi_os_memory_t memory = {.is_zero = true, .is_committed = true, .is_large = true};
    uint64_t start_ms = mi_os_clock_ms();
    size_t total;
    *got = 0;
    if (page_count == 0 || !mi_mul_size(page_count, MI_GIB, &total))
        return memory;
    void *start = map_aligned(total, MI_GIB, PROT_NONE, 0);
    if (start == NULL)
        return memory;
    while (*got < page_count && map_huge_page(mi_offset(start, *got * MI_GIB), numa_node)) {
        ++*got;
        if (timeout_ms != 0 && mi_os_clock_ms() - start_ms > timeout_ms)
            break;
    }
    memory.size = *got * MI_GIB;
    // A failed MAP_FIXED may have removed the placeholder at its address: unmapping is safe anyway.
    unmap(mi_offset(start, memory.size), total - memory.size);
    if (*got == 0)
        return memory;
    memory.start = memory.base = start;
    memory.base_size = memory.size;
    return memory;
}

bool mi_os_commit(void *start, size_t size)
{
    return mi_os_config.has_overcommit || set_access(start, size, PROT_READ | PROT_WRITE);
}

bool mi_os_decommit(void *start, size_t size)
{
    if (!advise(start, size, MADV_DONTNEED))
        return false;
    return mi_os_config.has_overcommit || set_access(start, size, PROT_NONE);
}

bool mi_os_reset(void *start, size_t size)
{
    // MADV_FREE came with Linux 4.5.
    return advise(start, size, MADV_FREE) || advise(start, size, MADV_DONTNEED);
}

bool mi_os_discard(void *start, size_t size)
{
    return advise(start, size, MADV_DONTNEED);
}

bool mi_os_protect(void *start, size_t size)
{
    return set_access(start, size, PROT_NONE);
}

bool mi_os_unprotect(void *start, size_t size)
{
    return set_access(start, size, PROT_READ | PROT_WRITE);
}

// Linux either has the memory or ends a process: there is nothing to wait for.
void mi_os_set_retry_on_oom(size_t limit_ms)
{
    (void)limit_ms;
}

void mi_os_disallow_thp(void)
{
    mi_store_relaxed(&is_thp_disallowed, true);
}

// ---- threads ----

void mi_os_on_thread_exit(void (*on_exit)(void *heap))
{
    int saved_errno = errno;
    mi_store_relaxed(&thread_exit_function, on_exit);
    // Any value but NULL makes the destructor run. It may allocate (for keys above 32): the calling
    // thread's heap works already.
    if (has_exit_key)
        pthread_setspecific(exit_key, &exit_key);
    errno = saved_errno;
}

// A shared object with the allocator in it cannot be unloaded safely: the system would call its
// function at the end of threads.
bool mi_os_image_is_unloading(void)
{
    return false;
}

void mi_os_release_tls_slot(void)
{
}

void mi_os_yield(void)
{
    sched_yield();
}

size_t mi_os_thread_id(void)
{
    return (size_t)syscall(SYS_gettid);
}

typedef struct thread_start {
    void (*main)(void *arg);
    void *arg;
    _Atomic(bool) is_taken; // the new thread has copied the rest
} thread_start_t;

static void *run_thread(void *arg)
{
    thread_start_t *given = arg;
    thread_start_t start = {.main = given->main, .arg = given->arg};
    // release: pairs with the acquire load in mi_os_start_thread; its frame dies after that.
    mi_store_release(&given->is_taken, true);
    start.main(start.arg);
    return NULL;
}

bool mi_os_start_thread(void (*main)(void *arg), void *arg)
{
    thread_start_t start = {.main = main, .arg = arg};
    int saved_errno = errno;
    pthread_t thread;
    bool is_started = pthread_create(&thread, NULL, run_thread, &start) == 0;
    if (is_started) {
        pthread_detach(thread);
        while (!mi_load_acquire(&start.is_taken))
            sched_yield();
    }
    errno = saved_errno;
    return is_started;
}

void mi_os_sleep(size_t milliseconds)
{
    struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    int saved_errno = errno;
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        continue;
    errno = saved_errno;
}

bool mi_os_process_is_ending(void)
{
    return mi_load_relaxed(&is_process_ending);
}

void mi_os_set_process_ending(void)
{
    mi_store_relaxed(&is_process_ending, true);
}

bool mi_os_lock(mi_os_lock_t *lock)
{
    for (unsigned spins = 1; mi_exchange_acquire(&lock->taken, 1) != 0; spins++) {
        if (mi_os_process_is_ending())
            return false;
        if (spins % SPINS_PER_YIELD == 0)
            sched_yield();
    }
    return true;
}

void mi_os_unlock(mi_os_lock_t *lock)
{
    // release: pairs with the acquire exchange in mi_os_lock.
    mi_store_release(&lock->taken, 0);
}

// ---- the rest ----

static uint64_t clock_us(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

uint64_t mi_os_clock_ms(void)
{
    return clock_us(CLOCK_MONOTONIC_COARSE) / 1000;
}

uint64_t mi_os_clock_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

uint64_t mi_os_cycles(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

bool mi_os_random(void *buffer, size_t size)
{
    const unsigned dont_wait = 1; // GRND_NONBLOCK: early at boot there may be none yet
    int saved_errno = errno;
    bool is_done = syscall(SYS_getrandom, buffer, size, dont_wait) == (long)size;
    errno = saved_errno;
    return is_done;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

// What follows prefix in entry, without regard to case; NULL when entry does not start with it.
static const char *after_prefix(const char *entry, const char *prefix)
{
    while (*prefix != 0 && upper(*entry) == *prefix) {
        entry++;
        prefix++;
    }
    return *prefix == 0 ? entry : NULL;
}

static void copy_text(char *buffer, size_t size, const char *text)
{
    size_t length = mi_min(strlen(text), size - 1);
    memcpy(buffer, text, length);
    buffer[length] = 0;
}

size_t mi_os_env_copy(const char *name, char *buffer, size_t size)
{
    size_t name_length = strlen(name);
    if (environ == NULL)
        return 0;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, name_length) != 0 || (*entry)[name_length] != '=')
            continue;
        const char *value = *entry + name_length + 1;
        size_t needed = strlen(value) + 1;
        if (needed <= size)
            memcpy(buffer, value, needed);
        return needed;
    }
    return 0;
}

// Variables are bytes here.
size_t mi_os_env_copy_wide(const wchar_t *name, wchar_t *buffer, size_t size)
{
    (void)name;
    (void)buffer;
    (void)size;
    return 0;
}

int mi_os_full_path(const char *name, char *buffer, size_t size)
{
    int saved_errno = errno;
    int error = 0;
    if (size < PATH_MAX)
        error = ENAMETOOLONG;
    else if (realpath(name, buffer) == NULL)
        error = errno;
    errno = saved_errno;
    return error;
}

bool mi_os_each_env(const char *prefix, mi_os_env_fun *visit)
{
    char entry[MI_OS_ENV_MAX];
    if (environ == NULL)
        return false;
    for (char **next = environ; *next != NULL; next++) {
        if (after_prefix(*next, prefix) == NULL)
            continue;
        copy_text(entry, sizeof entry, *next + strlen(prefix));
        char *equals = strchr(entry, '=');
        if (equals == NULL)
            continue;
        *equals = 0;
        for (char *c = entry; *c != 0; c++)
            *c = upper(*c);
        visit(entry, equals + 1);
    }
    return true;
}

void mi_os_stderr(const char *text)
{
    size_t left = strlen(text);
    int saved_errno = errno;
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, text, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        text += written;
        left -= (size_t)written;
    }
    errno = saved_errno;
}

size_t mi_os_numa_node_count(void)
{
    char path[] = "/sys/devices/system/node/node0";
    int saved_errno = errno;
    size_t count = 1;
    while (count < 10) {
        path[sizeof path - 2] = (char)('0' + count);
        if (access(path, R_OK) != 0)
            break;
        count++;
    }
    errno = saved_errno;
    return count;
}

size_t mi_os_numa_node(void)
{
    unsigned processor = 0;
    unsigned node = 0;
    int saved_errno = errno;
    if (syscall(SYS_getcpu, &processor, &node, NULL) != 0)
        node = 0;
    errno = saved_errno;
    return node;
}

// The beginning of a file of /proc, as text; empty when it cannot be read.
static void read_text(const char *path, char *text, size_t size)
{
    ssize_t length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        length = read(file, text, size - 1);
        close(file);
    }
    text[length < 0 ? 0 : length] = 0;
}

// The number behind so many spaces; 0 when there are fewer.
static uint64_t number_behind(const char *text, int spaces)
{
    uint64_t number = 0;
    for (; spaces > 0; spaces--) {
        text = strchr(text, ' ');
        if (text == NULL)
            return 0;
        text++;
    }
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

// The second number of /proc/self/statm, in OS pages.
static size_t resident_pages(void)
{
    char text[128];
    read_text("/proc/self/statm", text, sizeof text);
    return (size_t)number_behind(text, 1);
}

// From the 22nd field of /proc/self/stat, in ticks since the machine's start. The second one, the
// program's name, may have spaces in it; it ends with the last parenthesis. Asking a clock at our own
// start would cost each process the mapping of the page that the system keeps its clocks in.
static uint64_t age_ms(void)
{
    char text[1024];
    read_text("/proc/self/stat", text, sizeof text);
    const char *name_end = strrchr(text, ')');
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    uint64_t start = name_end == NULL ? 0 : number_behind(name_end, 20);
    uint64_t now_ms = clock_us(CLOCK_BOOTTIME) / 1000;
    if (start == 0 || ticks_per_second <= 0)
        return 0;
    uint64_t start_ms = start * 1000 / (uint64_t)ticks_per_second;
    return now_ms > start_ms ? now_ms - start_ms : 0;
}

static uint64_t timeval_ms(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

void mi_os_process_info(mi_os_process_info_t *info)
{
    struct rusage usage;
    int saved_errno = errno;
    memset(info, 0, sizeof *info);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        info->user_ms = timeval_ms(&usage.ru_utime);
        info->system_ms = timeval_ms(&usage.ru_stime);
        info->peak_rss = (size_t)usage.ru_maxrss * MI_KIB;
        info->page_faults = (size_t)usage.ru_majflt;
    }
    info->elapsed_ms = age_ms();
    info->current_rss = resident_pages() * mi_os_config.page_size;
    errno = saved_errno;
}

void mi_os_abort(void)
{
    abort();
}
