#ifndef FSD_WORKER_ACTOR_BOND_H
#define FSD_WORKER_ACTOR_BOND_H

#include <lua.h>

#include "worker/actor/pid.h"

struct actor;
struct ref_value;

enum bond_kind {
    BOND_LINK,
    BOND_WATCHES, /* the owner monitors the other one */
    BOND_WATCHED, /* the other one monitors the owner */
};

/* One end of a link or a monitor, in the list of the actor that it belongs to.  The two ends of a pair are twins. */
struct bond {
    enum bond_kind kind;
    struct actor *owner;   /* borrowed */
    struct bond *twin;     /* borrowed: the other end */
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
/* Ends it for both; the values in Lua stay. */
void bond_remove(lua_State *L, struct bond *bond);

#endif
