#ifndef FSD_TEST_SUPPORT_FAULTS_H
#define FSD_TEST_SUPPORT_FAULTS_H

/* One call that can fail and does.  A program that includes this (once) has wrappers in the place of the C library's functions below,
 * for itself and for the libraries that it uses.  A site is a place in the program together with its callers: the first run lists the
 * sites that it comes by, further ones each let one of them fail, the first time that it is met.  A site is known by its return
 * addresses, so runs are started from one place in a process, and what they become has fixed addresses.  To be included before
 * everything else: functions that are checked at compile time can't be put in another's place. */

#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { FAULTS_SITES_MAX = 4096, FAULTS_DEPTH = 7, FAULTS_OWN_FRAMES = 3, FAULTS_CALL_MAX = 24 };

struct faults_site {
    uint64_t id;
    char call[FAULTS_CALL_MAX];
    void *frames[FAULTS_DEPTH];
    int frame_count;
};

/* Shared by all runs. */
struct faults {
    struct faults_site sites[FAULTS_SITES_MAX];
    size_t count;
    struct faults_site wanted; /* id 0: none fails, all are listed */
    bool was_met;
};

static struct faults *faults; /* NULL: nothing is watched */
static bool faults_is_watching;

/* Maps the file at path, which all runs share, also those that have become another program meanwhile; NULL: it can't be. */
static inline struct faults *faults_open(const char *path)
{
    void *warm_up[FAULTS_DEPTH];
    (void)backtrace(warm_up, FAULTS_DEPTH); /* loads what it needs */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct faults)) != 0) {
        return NULL;
    }
    void *shared = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return shared == MAP_FAILED ? NULL : shared;
}

/* Starts the program anew unless its addresses are the same at each start; NULL-terminated argv. */
static inline void faults_fix_addresses(char **argv)
{
    int before = personality(0xffffffff);
    if ((before & ADDR_NO_RANDOMIZE) == 0 &&
        personality((unsigned long)before | ADDR_NO_RANDOMIZE) >= 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

static inline struct faults_site faults_find_site(const char *call)
{
    struct faults_site site = {.id = 14695981039346656037U};
    (void)snprintf(site.call, sizeof(site.call), "%s", call);
    site.frame_count = backtrace(site.frames, FAULTS_DEPTH);
    for (int i = FAULTS_OWN_FRAMES; i < site.frame_count; i++) {
        site.id = (site.id ^ (uint64_t)(uintptr_t)site.frames[i]) * 1099511628211U;
    }
    return site;
}

static inline void faults_list(const struct faults_site *site)
{
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->sites[i].id == site->id) {
            return;
        }
    }
    if (faults->count < FAULTS_SITES_MAX) {
        faults->sites[faults->count++] = *site;
    }
}

/* For a person: where it is. */
static inline void faults_print(const struct faults_site *site)
{
    (void)fprintf(stderr, "%s, called from\n", site->call);
    backtrace_symbols_fd(site->frames, site->frame_count, STDERR_FILENO);
}

static __attribute__((noinline)) bool faults_is_it(const char *call, int error)
{
    faults_is_watching = false; /* what is called from here is not the program's */
    struct faults_site site = faults_find_site(call);
    bool is_it = faults->wanted.id == site.id;
    if (faults->wanted.id == 0) {
        faults_list(&site);
    }
    faults_is_watching = true;
    if (is_it) {
        faults->was_met = true; /* never back: a child that was forked meanwhile looks here, too */
        errno = error;
    }
    return is_it;
}

/* What runs before the sanitizer is ready. */
#define FAULTS_EARLY __attribute__((noinline, no_sanitize("address", "undefined")))

/* Whether this call is the one that is to fail. */
FAULTS_EARLY static bool faults_hit(const char *call, int error)
{
    return faults_is_watching && !faults->was_met && faults_is_it(call, error);
}

/* By the names under which the real ones can be found. */
#ifdef __SANITIZE_ADDRESS__
#    define FAULTS_REAL(name) __interceptor_##name
#else
#    define FAULTS_REAL(name) __libc_##name
#endif
void *FAULTS_REAL(malloc)(size_t size);
void *FAULTS_REAL(calloc)(size_t count, size_t size);
void *FAULTS_REAL(realloc)(void *old, size_t size);

FAULTS_EARLY void *malloc(size_t size)
{
    return faults_hit("malloc", ENOMEM) ? NULL : FAULTS_REAL(malloc)(size);
}

FAULTS_EARLY void *calloc(size_t count, size_t size)
{
    return faults_hit("calloc", ENOMEM) ? NULL : FAULTS_REAL(calloc)(count, size);
}

FAULTS_EARLY void *realloc(void *old, size_t size)
{
    return faults_hit("realloc", ENOMEM) ? NULL : FAULTS_REAL(realloc)(old, size);
}

/* The dynamic linker is not recognized behind our malloc, and libsystemd leaves things behind when its loop fails. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* FAULTS_WRAP(type, name, (parameters), (arguments), errno): the function of that name, or -1. */
#define FAULTS_WRAP(type, name, parameters, arguments, error)                                      \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*real) parameters;                                                             \
        if (real == NULL) {                                                                        \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        }                                                                                          \
        return faults_hit(#name, error) ? -1 : real arguments;                                     \
    }

FAULTS_WRAP(int, socket, (int family, int type, int protocol), (family, type, protocol), EMFILE)
FAULTS_WRAP(int, socketpair, (int family, int type, int protocol, int fds[2]),
            (family, type, protocol, fds), EMFILE)
FAULTS_WRAP(int, listen, (int fd, int backlog), (fd, backlog), EADDRINUSE)
FAULTS_WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
            (fd, level, name, value, len), ENOPROTOOPT)
FAULTS_WRAP(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *len, int flags),
            (fd, address, len, flags), EMFILE)
FAULTS_WRAP(int, getsockname, (int fd, __SOCKADDR_ARG address, socklen_t *len), (fd, address, len),
            ENOBUFS)
FAULTS_WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), EMFILE)
FAULTS_WRAP(int, ftruncate, (int fd, off_t len), (fd, len), ENOSPC)
FAULTS_WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), EMFILE)
FAULTS_WRAP(pid_t, fork, (void), (), EAGAIN)
FAULTS_WRAP(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags), EMFILE)
FAULTS_WRAP(int, epoll_create1, (int flags), (flags), EMFILE)
FAULTS_WRAP(int, timerfd_create, (int clock, int flags), (clock, flags), EMFILE)
FAULTS_WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
FAULTS_WRAP(int, rename, (const char *from, const char *to), (from, to), ENOSPC)
FAULTS_WRAP(int, fsync, (int fd), (fd), EIO)
FAULTS_WRAP(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len), ENOSPC)
FAULTS_WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
            (fd, message, flags), EAGAIN)
FAULTS_WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),
            ENOMEM)

/* These fail only sometimes or in another way, or have arguments that come only sometimes. */
int epoll_ctl(int fd, int what, int other, struct epoll_event *event)
{
    static int (*real)(int fd, int what, int other, struct epoll_event *event);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "epoll_ctl");
    }
    return what == EPOLL_CTL_ADD && faults_hit("epoll_ctl", ENOSPC) ? -1
                                                                    : real(fd, what, other, event);
}

int open(const char *path, int flags, ...)
{
    static int (*real)(const char *path, int flags, ...);
    va_list list;
    va_start(list, flags);
    int mode = va_arg(list, int); /* not used where there is none */
    va_end(list);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "open");
    }
    return faults_hit("open", EMFILE) ? -1 : real(path, flags, mode);
}

int fcntl(int fd, int what, ...)
{
    static int (*real)(int fd, int what, ...);
    va_list list;
    va_start(list, what);
    void *argument = va_arg(list, void *); /* not used where there is none */
    va_end(list);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "fcntl");
    }
    bool can_fail = what == F_DUPFD_CLOEXEC || what == F_ADD_SEALS; /* of an open descriptor */
    return can_fail && faults_hit("fcntl", EMFILE) ? -1 : real(fd, what, argument);
}

/* glibc 2.36 ends the process where memory is out in here. */
int getgrnam_r(const char *name, struct group *group, char *text, size_t size, struct group **ret)
{
    static int (*real)(const char *name, struct group *group, char *text, size_t size,
                       struct group **ret);
    bool was_watching = faults_is_watching;
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "getgrnam_r");
    }
    faults_is_watching = false;
    int error = real(name, group, text, size, ret);
    faults_is_watching = was_watching;
    return error;
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    static void *(*real)(void *at, size_t len, int protection, int flags, int fd, off_t offset);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    }
    return faults_hit("mmap", ENOMEM) ? MAP_FAILED : real(at, len, protection, flags, fd, offset);
}

#endif
