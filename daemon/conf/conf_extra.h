#ifndef FSD_DAEMON_CONF_CONF_EXTRA_H
#define FSD_DAEMON_CONF_CONF_EXTRA_H

#include <stddef.h>

struct conf;
struct fsd_err;
struct problem_list;

/* Extra pools: those that applications start, beside the pools of the files.  They stand behind these in struct conf, and so do their
 * listeners. */
enum {
    CONF_EXTRA_POOLS_MAX = 16,
    CONF_EXTRA_WORKERS_MAX = 64, /* of all of them, those in reserve included */
    CONF_EXTRA_TEXT_MAX = 4096,  /* bytes of one text */
};

/* What is asked for: one JSON object with the keys of `pools.NAME`, where listeners are no names but a map of new ones. */
struct conf_extra {
    const char *name; /* borrowed */
    const char *text; /* borrowed */
    size_t len;
};

/* Adds one; auto_count: workers of a pool whose count is auto.  0; -EEXIST, -EINVAL, -ENOSPC (too many) or -ENOMEM with a sentence, and
 * conf is as before. */
int conf_extra_add(struct conf *conf, const struct conf_extra *extra, unsigned auto_count,
                   struct fsd_err *err);
/* Adds those that `from` has, without the one of a name (NULL: all).  One that does not fit beside what conf has is left out, and a
 * warning in list (may be NULL) says why.  0 or -ENOMEM: then conf is only good to be freed. */
int conf_extra_carry(struct conf *conf, const struct conf *from, const char *without,
                     struct problem_list *list);

#endif
