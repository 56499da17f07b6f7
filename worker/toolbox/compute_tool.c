/* compute_tool.c - the helper process: does what would hold a worker's loop.
 * Owns the process.  It reads one request after the other from its socket, does it, however long that takes, and answers.  Passwords are
 * wiped when they are done, and nobody may look into its memory.  Started by compute.c; must not know Lua, nor outlive its worker. */
#include "worker/toolbox/compute_tool.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/proto.h"
#include "worker/toolbox/compute_frame.h"
#include "worker/toolbox/private_module.h"

enum {
    NICE = 5
}; /* whoever waits for a hash waits longer anyway than the clients of the worker do */

static void hash_password(const struct sodium_module *sodium, const struct compute_request *request,
                          struct compute_result *result)
{
    const struct sodium_bytes password = {request->text, request->len};
    result->error = sodium->password_hash(result->hash, &password, &request->cost);
}

static void verify_password(const struct sodium_module *sodium,
                            const struct compute_request *request, struct compute_result *result)
{
    const struct sodium_bytes password = {request->text, request->len};
    int is_verified = sodium->password_verify(request->hash, &password);
    int needs_rehash = sodium->password_needs_rehash(request->hash, &request->cost);
    result->error = is_verified < 0 ? is_verified : needs_rehash < 0 ? needs_rehash : 0;
    result->is_verified = is_verified > 0;
    result->needs_rehash = needs_rehash > 0;
}

/* That frees the file that had the name, and may write the new one. */
static int rename_file(const struct compute_request *request)
{
    const char *end = memchr(request->text, '\0', request->len);
    if (end == NULL || request->text[request->len - 1] != '\0' ||
        end == request->text + request->len - 1) {
        return -EINVAL;
    }
    return rename(request->text, end + 1) == 0 ? 0 : -errno;
}

/* libsodium, which is opened for the first password. */
static const struct sodium_module *need_sodium(struct compute_result *result)
{
    struct fsd_err err;
    const struct sodium_module *sodium = private_module_sodium(&err);
    if (sodium == NULL) {
        (void)fprintf(stderr, "fsd-worker: %s\n", err.text);
        result->error = -EIO;
    }
    return sodium;
}

static void answer(const struct compute_request *request, int fd, struct compute_result *result)
{
    const struct sodium_module *sodium = NULL;
    switch (request->kind) {
    case COMPUTE_PASSWORD_HASH:
        sodium = need_sodium(result);
        if (sodium != NULL) {
            hash_password(sodium, request, result);
        }
        return;
    case COMPUTE_PASSWORD_VERIFY:
        sodium = need_sodium(result);
        if (sodium != NULL) {
            verify_password(sodium, request, result);
        }
        return;
    case COMPUTE_SYNC:
        result->error = fsync(fd) == 0 ? 0 : -errno;
        return;
    case COMPUTE_RENAME:
        result->error = rename_file(request);
        return;
    }
}

/* The size of the request; *ret_fd is the descriptor that came with it, or -1. */
static ssize_t receive(struct compute_request *request, int *ret_fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = request, .iov_len = sizeof(*request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t size = 0;
    do {
        size = recvmsg(COMPUTE_FD, &message, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    const struct cmsghdr *head = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head != NULL && head->cmsg_type == SCM_RIGHTS) {
        memcpy(ret_fd, CMSG_DATA(head), sizeof(int));
    }
    return size;
}

/* False: the worker is gone. */
static bool serve_one(void)
{
    struct compute_request request;
    struct compute_result result = {0};
    int fd = -1;
    ssize_t size = receive(&request, &fd);
    if (size < (ssize_t)offsetof(struct compute_request, text) ||
        (size_t)size != compute_request_size(&request)) {
        return false;
    }
    answer(&request, fd, &result);
    explicit_bzero(&request, sizeof(request));
    fd_close(&fd);
    return send(COMPUTE_FD, &result, sizeof(result), MSG_NOSIGNAL) == (ssize_t)sizeof(result);
}

/* A terminal's signals are for the master, which lets workers finish. */
static int settle(const char *worker_pid)
{
    static const struct rlimit no_core = {0, 0};
    int64_t pid = 0;
    if (parse_int(worker_pid, 1, INT32_MAX, &pid) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        getppid() != (pid_t)pid) {
        return -ESRCH;
    }
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    return 0;
}

int tool_compute(int argc, char **argv)
{
    if (argc != 1 || settle(argv[0]) != 0) {
        (void)fprintf(stderr, "fsd-worker: --tool compute is started by a worker\n");
        return FSD_EXIT_USAGE;
    }
    while (serve_one()) {
    }
    return FSD_EXIT_OK;
}
