/* A disk that refuses: from the `at`-th write below a folder on, or at that one alone, every write fails with `code`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char below[4096];
static int at, alone, code, count;

int refuse_writes(const char *folder, int first, int once, int error) {
    int before = __atomic_exchange_n(&count, 0, __ATOMIC_SEQ_CST);
    strncpy(below, folder, sizeof below - 1);
    at = first, alone = once, code = error;
    return before;
}

static int refused(int fd) {
    char name[64], path[4096];
    if (!below[0]) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, below, strlen(below))) return 0;
    int now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (!at || now < at || (alone && now > at)) return 0;
    errno = code;
    return 1;
}

#define WRAP(type, name, args, ...)                              \
    type name args {                                             \
        static type(*real) args;                                 \
        if (!real) real = dlsym(RTLD_NEXT, #name);               \
        return refused(fd) ? (type)-1 : real(__VA_ARGS__);       \
    }
WRAP(ssize_t, write, (int fd, const void *b, size_t n), fd, b, n)
WRAP(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), fd, b, n, o)
WRAP(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), fd, b, n, o)
WRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), fd, v, n)
WRAP(int, fsync, (int fd), fd)
WRAP(int, fdatasync, (int fd), fd)
WRAP(int, ftruncate, (int fd, off_t n), fd, n)
WRAP(int, ftruncate64, (int fd, off64_t n), fd, n)
WRAP(int, fallocate, (int fd, int m, off_t o, off_t n), fd, m, o, n)
WRAP(int, posix_fallocate, (int fd, off_t o, off_t n), fd, o, n)
