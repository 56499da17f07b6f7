#ifndef FSD_TEST_SUPPORT_STAND_IN_H
#define FSD_TEST_SUPPORT_STAND_IN_H

/* A daemon that answers one connection as it is told, for the tests of fsdctl's commands. */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/command.h"
#include "ctl/commands.h"

enum { STAND_IN_HEARD_MAX = 1024 };

struct stand_in {
    char folder[32];
    char path[64];
    pid_t pid; /* 0: none runs */
    int heard; /* what the daemon was asked comes out here */
};

/* Makes a folder for the socket; nobody listens yet. */
static inline void stand_in_init(struct stand_in *stand_in)
{
    *stand_in = (struct stand_in){.heard = -1};
    (void)snprintf(stand_in->folder, sizeof(stand_in->folder), "/tmp/fsd-ctl-XXXXXX");
    assert_non_null(mkdtemp(stand_in->folder));
    (void)snprintf(stand_in->path, sizeof(stand_in->path), "%s/c.sock", stand_in->folder);
}

static inline int stand_in_listen(const struct stand_in *stand_in)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", stand_in->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
        _exit(1);
    }
    return fd;
}

/* One connection: hears a line, says the answer, then hangs up or waits until the other side does. */
static inline void stand_in_serve(int listening, int heard, const char *answer, bool hangs_up)
{
    int peer = accept(listening, NULL, NULL);
    char byte = 0;
    while (byte != '\n' && read(peer, &byte, 1) == 1) {
        if (write(heard, &byte, 1) != 1) {
            _exit(1);
        }
    }
    (void)close(heard);
    (void)send(peer, answer, strlen(answer), MSG_NOSIGNAL);
    while (!hangs_up && read(peer, &byte, 1) == 1) {
        /* until it has gone */
    }
    _exit(0);
}

/* Starts it.  late: it begins to listen only after a while. */
static inline void stand_in_start(struct stand_in *stand_in, const char *answer, bool hangs_up,
                                  bool late)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int listening = late ? -1 : stand_in_listen(stand_in);
    stand_in->pid = fork();
    assert_true(stand_in->pid >= 0);
    if (stand_in->pid == 0) {
        (void)alarm(60);
        if (late) {
            (void)usleep(60 * 1000); /* whoever comes before is sent away, and comes again */
            listening = stand_in_listen(stand_in);
        }
        stand_in_serve(listening, ends[1], answer, hangs_up);
    }
    (void)close(ends[1]);
    if (listening >= 0) {
        (void)close(listening);
    }
    stand_in->heard = ends[0];
}

/* Ends it and tells what it was asked. */
static inline void stand_in_stop(struct stand_in *stand_in, char heard[STAND_IN_HEARD_MAX])
{
    size_t len = 0;
    ssize_t n = 1;
    while (n > 0 && len < STAND_IN_HEARD_MAX - 1) {
        n = read(stand_in->heard, heard + len, STAND_IN_HEARD_MAX - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    heard[len] = '\0';
    (void)close(stand_in->heard);
    (void)kill(stand_in->pid, SIGKILL);
    assert_int_equal(waitpid(stand_in->pid, NULL, 0), stand_in->pid);
    stand_in->pid = 0;
    (void)unlink(stand_in->path);
}

static inline void stand_in_fini(struct stand_in *stand_in)
{
    (void)unlink(stand_in->path);
    assert_int_equal(rmdir(stand_in->folder), 0);
}

/* A command line with blanks between its words, as fsdctl runs it; the texts are freed by the caller. */
static inline int stand_in_run(const struct stand_in *stand_in, const char *words, char **ret_out,
                               char **ret_err)
{
    char copy[512];
    char *argv[32] = {(char[]){"fsdctl"}};
    int argc = 1;
    size_t len = 0;
    assert_int_equal(setenv("FSD_SOCKET", stand_in->path, 1), 0);
    (void)snprintf(copy, sizeof(copy), "%s", words);
    char *state = NULL;
    for (char *word = strtok_r(copy, " ", &state); word != NULL;
         word = strtok_r(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    FILE *out = open_memstream(ret_out, &len);
    FILE *err = open_memstream(ret_err, &len);
    int code = command_main(commands_get(), argc, argv, out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return code;
}

#endif
