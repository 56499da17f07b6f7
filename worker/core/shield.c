/* shield.c - what the process does about itself before anything else.
 * Owns nothing.  How: its OOM score becomes the master's, which it inherited, and some more; then it makes itself undumpable, in
 * this order, because the files of an undumpable process in /proc belong to root.  That is also why the master can't set the
 * score between fork and exec: there the child is as undumpable as the master.
 * Called by main, for workers and tools.  Must not know what follows. */
#include "worker/core/shield.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/parse.h"
#include "common/proto.h"

enum { SCORE_MORE = 300, SCORE_MIN = -1000, SCORE_MAX = 1000 }; /* the last two are the kernel's */

static void raise_oom_score(void)
{
    char text[16] = "";
    int64_t score = 0;
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (len > 0) {
        text[strcspn(text, "\n")] = '\0';
        if (parse_int(text, SCORE_MIN, SCORE_MAX, &score) == 0) {
            score = score + SCORE_MORE > SCORE_MAX ? SCORE_MAX : score + SCORE_MORE;
            int size = snprintf(text, sizeof(text), "%d", (int)score);
            ssize_t ignored = pwrite(fd, text, (size_t)size, 0); /* then it stays the master's */
            (void)ignored;
        }
    }
    fd_close(&fd);
}

void shield_raise(void)
{
    raise_oom_score();
    if (getenv(PROTO_ENV_SHIELD) != NULL) {
        (void)prctl(PR_SET_DUMPABLE, 0);
    }
}
