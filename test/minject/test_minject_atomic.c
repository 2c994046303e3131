// SPDX-License-Identifier: MIT
// minject --inplace is killed before each of its system calls in turn, and each of its calls is made
// to fail in turn: the target is the old file or the new one, complete, every time, and whenever
// minject says that it failed, it is the old one.
//
//     test_minject_atomic MINJECT [test]
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/make_pe.h"

#define TARGET    "target.exe"
#define CALLS_MAX 5000

static const char *minject;
static uint8_t old_bytes[MAKE_PE_CAPACITY];
static uint32_t old_size;
static uint8_t new_bytes[MAKE_PE_CAPACITY];
static uint32_t new_size;

// ---- files ----

static uint32_t read_target(uint8_t *bytes)
{
    int fd = open(TARGET, O_RDONLY);
    ssize_t size = fd < 0 ? 0 : read(fd, bytes, MAKE_PE_CAPACITY);
    if (fd >= 0)
        close(fd);
    return size < 0 ? 0 : (uint32_t)size;
}

static void write_old(void)
{
    int fd = open(TARGET, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, old_bytes, old_size) == (ssize_t)old_size);
    close(fd);
}

static bool target_is(const uint8_t *bytes, uint32_t size)
{
    static uint8_t now[MAKE_PE_CAPACITY];
    return read_target(now) == size && memcmp(now, bytes, size) == 0;
}

// Files other than the target: what a killed minject leaves behind. Gives their number and removes
// them.
static unsigned take_leftovers(void)
{
    unsigned count = 0;
    DIR *folder = opendir(".");
    REQUIRE(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, TARGET) == 0)
            continue;
        CHECK_EQ(unlink(entry->d_name), 0);
        count++;
    }
    closedir(folder);
    return count;
}

// ---- the traced process ----

static pid_t start(void)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0)
            _exit(98);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execl(minject, minject, "--inplace", TARGET, (char *)NULL);
        _exit(99);
    }
    REQUIRE(child > 0);
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    return child;
}

// Runs to the next entry or exit of a system call; false when the process is gone.
static bool next_stop(pid_t child, int *status)
{
    int signal = 0;
    for (;;) {
        ptrace(PTRACE_SYSCALL, child, NULL, signal);
        if (waitpid(child, status, 0) != child || !WIFSTOPPED(*status))
            return false;
        if (WSTOPSIG(*status) == (SIGTRAP | 0x80))
            return true;
        signal = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
    }
}

// Runs up to the entry of call number n, false when it ends before.
static bool run_to_call(pid_t child, unsigned n, int *status)
{
    for (unsigned i = 0; i < n; i++) {
        if (!next_stop(child, status)) // entry
            return false;
        if (i + 1 < n && !next_stop(child, status)) // exit
            return false;
    }
    return true;
}

static void finish(pid_t child, int *status)
{
    while (WIFSTOPPED(*status)) {
        int signal = WSTOPSIG(*status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(*status);
        ptrace(PTRACE_CONT, child, NULL, signal);
        if (waitpid(child, status, 0) != child)
            return;
    }
}

// The call does nothing and gives -error.
static bool fail_call(pid_t child, int error, long *call, int *status)
{
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    *call = (long)registers.orig_rax;
    registers.orig_rax = (unsigned long long)-1;
    ptrace(PTRACE_SETREGS, child, NULL, &registers);
    if (!next_stop(child, status))
        return false;
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    registers.rax = (unsigned long long)(long long)-error;
    ptrace(PTRACE_SETREGS, child, NULL, &registers);
    return true;
}

// ---- tests ----

TEST(killed_at_any_call_it_leaves_the_old_or_the_new_file)
{
    unsigned old_count = 0;
    unsigned new_count = 0;
    for (unsigned n = 1; n < CALLS_MAX; n++) {
        int status = 0;
        write_old();
        pid_t child = start();
        if (!run_to_call(child, n, &status))
            break;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        bool is_old = target_is(old_bytes, old_size);
        bool is_new = target_is(new_bytes, new_size);
        old_count += is_old;
        new_count += is_new;
        if (!CHECK(is_old || is_new))
            printf("    killed before call %u\n", n);
        take_leftovers();
    }
    printf("    killed %u times: %u old, %u new\n", old_count + new_count, old_count, new_count);
    CHECK(old_count > 5);
    CHECK(new_count > 0);
}

// Each call in turn fails with each error.
static void fail_each_call(int error)
{
    unsigned failed = 0;
    for (unsigned n = 1; n < CALLS_MAX; n++) {
        int status = 0;
        long call = 0;
        write_old();
        pid_t child = start();
        if (!run_to_call(child, n, &status))
            break;
        if (fail_call(child, error, &call, &status))
            finish(child, &status);
        bool said_done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bool is_old = target_is(old_bytes, old_size);
        bool is_new = target_is(new_bytes, new_size);
        // Nothing but a call after the rename can fail when the new file is there already.
        bool is_right = said_done ? is_new : is_old || is_new;
        if (!CHECK(is_right))
            printf("    call %u (number %ld) failed with %d\n", n, call, error);
        unsigned leftovers = take_leftovers();
        if (WIFEXITED(status) && call != SYS_unlink && call != SYS_exit_group)
            CHECK_EQ(leftovers, 0);
        failed += !said_done;
    }
    printf("    error %d was reported %u times\n", error, failed);
    CHECK(failed > 5);
}

TEST(a_full_disk_at_any_call_leaves_a_whole_file)
{
    fail_each_call(ENOSPC);
}

TEST(an_io_error_at_any_call_leaves_a_whole_file)
{
    fail_each_call(EIO);
}

TEST(a_denied_call_leaves_a_whole_file)
{
    fail_each_call(EACCES);
}

// ---- main ----

static void make_both(void)
{
    make_pe_t spec = make_pe_default();
    int status;
    old_size = make_pe(&spec, old_bytes);
    int fd = open(TARGET, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, old_bytes, old_size) != (ssize_t)old_size)
        exit(2);
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        execl(minject, minject, "--inplace", TARGET, (char *)NULL);
        _exit(99);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        exit(2);
    new_size = read_target(new_bytes);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/minject-atomic-XXXXXX";
    if (argc < 2 || mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 2;
    minject = argv[1];
    check_state.only = argc > 2 ? argv[2] : NULL;
    make_both();
    RUN(killed_at_any_call_it_leaves_the_old_or_the_new_file)
    RUN(a_full_disk_at_any_call_leaves_a_whole_file)
    RUN(an_io_error_at_any_call_leaves_a_whole_file)
    RUN(a_denied_call_leaves_a_whole_file)
    unlink(TARGET);
    if (chdir("/") != 0 || rmdir(folder) != 0)
        printf("%s is left\n", folder);
    printf("%u passed, %u failed\n", check_state.passed, check_state.failed);
    return check_state.failed != 0 || check_state.passed == 0;
}
