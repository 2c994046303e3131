// SPDX-License-Identifier: MIT
// Starts a program without transparent huge pages, with a library preloaded, and writes what it
// used as one line of JSON. Windows has no transparent huge pages, and they bend every figure.
//
//     bench_run REPORT-FILE LIBRARY|- thp-off|thp-on PROGRAM [ARGUMENT ...]
//
// A small process of its own, because the peak that the system reports for a program includes that
// of the process which forked for it. The exit status is the program's, 128 + n after signal n.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double timeval_s(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

_Noreturn static void exec_program(const char *library, char **argv)
{
    if (strcmp(library, "-") != 0)
        setenv("LD_PRELOAD", library, 1);
    execvp(argv[0], argv);
    fprintf(stderr, "bench_run: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: bench_run REPORT-FILE LIBRARY|- thp-off|thp-on PROGRAM [ARGUMENT ...]\n",
              stderr);
        return 2;
    }
    if (strcmp(argv[3], "thp-off") == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) {
        perror("bench_run: prctl");
        return 2;
    }
    double start = now_s();
    pid_t child = fork();
    if (child < 0) {
        perror("bench_run: fork");
        return 2;
    }
    if (child == 0)
        exec_program(argv[2], argv + 4);
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child) {
        perror("bench_run: wait4");
        return 2;
    }
    double wall = now_s() - start;
    FILE *report = fopen(argv[1], "w");
    if (report == NULL) {
        perror(argv[1]);
        return 2;
    }
    fprintf(report, "{\"wall_s\":%.6f,\"cpu_s\":%.6f,\"peak_rss\":%ld}\n", wall,
            timeval_s(used.ru_utime) + timeval_s(used.ru_stime), used.ru_maxrss * 1024L);
    fclose(report);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
