#ifndef FSD_WORKER_ACTOR_BOND_H
#define FSD_WORKER_ACTOR_BOND_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/actor/pid.h"

struct actor;
struct actors;
struct bond_table;
struct ref_value;

enum bond_kind {
    BOND_LINK,
    BOND_WATCHES, /* the owner monitors the other one */
    BOND_WATCHED, /* the other one monitors the owner */
};

/* What an end knows of the other one, when that is in another worker. */
struct bond_far {
    struct pid other;
    /* Of a monitor: its ref's.  Of a link: how manieth FRAME_LINK has told of it; 0: the other one has. */
    uint64_t number;
    struct bond_table *table; /* borrowed: all with that worker */
    struct bond *next;        /* borrowed: in its bucket there */
    struct bond **link;       /* what points to this one there */
};

/* One end of a link or a monitor, in the list of the actor that it belongs to.  The two ends of a pair are twins. */
struct bond {
    enum bond_kind kind;
    struct actor *owner;   /* borrowed */
    struct bond *twin;     /* borrowed: the other end; NULL: it is in another worker */
    struct bond_far *far;  /* owned; NULL: it is in this one */
    struct bond *next;     /* borrowed */
    struct bond **link;    /* what points to this one */
    struct ref_value *ref; /* of BOND_WATCHES: the value in Lua */
    int ref_anchor;        /* keeps it */
    char *name; /* owned; of BOND_WATCHES: how the other one was named, NULL: by its pid */
};

/* Links two actors; nothing happens when they are linked, or one and the same. */
void bond_link(struct actor *actor, struct actor *other);
/* The actor's end of its link with the other one; NULL when they are not linked. */
struct bond *bond_find_link(struct actor *actor, const struct actor *other);
/* The actor monitors the other one from now on: pushes the ref.  name may be NULL. */
void bond_monitor(lua_State *L, struct actor *actor, struct actor *other, const char *name);
/* The same with an actor of another worker: table is that of all ends with it.  True: they were not linked, so it has to be told. */
bool bond_link_far(struct actor *actor, struct bond_table *table, const struct pid *other,
                   uint64_t number);
/* The same: it has to be told. */
void bond_monitor_far(lua_State *L, struct actor *actor, struct bond_table *table,
                      const struct pid *other, const char *name);
/* An actor of another worker monitors this one from now on, with a ref of that number. */
void bond_watch_far(struct actor *actor, struct bond_table *table, const struct pid *other,
                    uint64_t number);
/* The pid of the actor at the other end. */
struct pid bond_other(const struct bond *bond);
/* Ends it for both, if both are in this worker; the values in Lua stay. */
void bond_remove(lua_State *L, struct bond *bond);

#endif
