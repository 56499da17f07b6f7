#ifndef FSD_DAEMON_CHANGE_CONFIGS_H
#define FSD_DAEMON_CHANGE_CONFIGS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"
#include "daemon/change/history.h"

struct conf;
struct control_call;
struct fsd_err;
struct master;

enum { CONFIGS_OVERRIDES_MAX = 256 }; /* as many as pools can be */

/* What an operator set by command for a pool, above the files. */
struct configs_override {
    char pool[PROTO_NAME_MAX];
    unsigned count;
};

/* All of that. */
struct configs_overrides {
    struct configs_override items[CONFIGS_OVERRIDES_MAX];
    size_t count;
};

/* Where configurations come from. */
struct configs {
    struct history history; /* of those that were applied */
    struct configs_overrides overrides;
    struct configs_overrides wanted; /* of the `scale` that is under way */
};

/* Opens the history; the configuration that the daemon starts with gets its number.  A history that can't be kept is one warning. */
void configs_open(struct master *master);
/* The same after an upgrade in place: it has its number already. */
void configs_inherit(struct master *master);
void configs_close(struct master *master);
/* What operators set by command, each as "pools.web.count=4 by scale"; NULL when memory is out. */
json_t *configs_list_overrides(const struct configs *configs);
/* Those that an apply of conf, which is without overrides, would drop: what was set, and what conf says ("auto" or a number).  As above. */
json_t *configs_list_dropped(const struct configs *configs, const struct conf *conf);
/* A configuration runs now. */
void configs_on_applied(struct master *master, const char *how);

/* The configuration as the disk has it now, with the overrides and the extra pools that run, the caller's.  NULL: *ret_text says
 * what is wrong with it, a text for people that the caller frees (NULL: no memory).  Otherwise *ret_text may have warnings. */
struct conf *configs_load(const struct master *master, char **ret_text);

/* The same without the overrides: what an apply would begin with. */
struct conf *configs_load_files(const struct master *master, char **ret_text);

/* Lays over a conf of the caller's what operators set by command. */
void configs_override(const struct master *master, struct conf *conf);

/* Each answers the call, at once or when the change is over. */
void configs_apply(struct master *master, struct control_call *call);
void configs_roll_back(struct master *master, uint64_t number,
                       struct control_call *call); /* 0: to the one before */
/* Every pool gets so many workers more, or less, as far as that goes; the log is told. */
void configs_scale_all(struct master *master, int by);
void configs_scale(struct master *master, const char *pool, unsigned count,
                   struct control_call *call);

#endif
