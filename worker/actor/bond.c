/* bond.c - links and monitors: who is told when an actor ends.
 * Owns struct bond.  Each pair has two ends, one in the list of either actor, so that whoever ends first finds the other one
 * without a search; with an actor of another worker there is one end here and one there, and a table of the
 * worker's (bond_table.c) finds it when that one speaks of it or ends.  An actor that monitors keeps the ref's value in Lua, the same
 * one that its message will carry.
 * Called by mod_actor.c to make them and by exit.c, which uses them up.  Must not know what is told. */
#include "worker/actor/bond.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/node/bond_table.h"

static struct bond *add_end(struct actor *owner, enum bond_kind kind)
{
    struct bond *bond = calloc(1, sizeof(*bond));
    if (bond == NULL) {
        abort();
    }
    bond->kind = kind;
    bond->owner = owner;
    bond->ref_anchor = LUA_NOREF;
    bond->next = owner->bonds;
    bond->link = &owner->bonds;
    if (bond->next != NULL) {
        bond->next->link = &bond->next;
    }
    owner->bonds = bond;
    return bond;
}

static void make_twins(struct bond *one, struct bond *other)
{
    one->twin = other;
    other->twin = one;
}

static bool is_link_with(const struct bond *bond, const struct actor *other)
{
    return bond->kind == BOND_LINK && bond->twin != NULL && bond->twin->owner == other;
}

/* A supervisor has thousands of links where its child has one: both lists are searched, until the shorter one ends. */
struct bond *bond_find_link(struct actor *actor, const struct actor *other)
{
    struct bond *mine = actor->bonds;
    struct bond *theirs = other->bonds;
    while (mine != NULL && theirs != NULL) {
        if (is_link_with(mine, other)) {
            return mine;
        }
        if (is_link_with(theirs, actor)) {
            return theirs->twin;
        }
        mine = mine->next;
        theirs = theirs->next;
    }
    return NULL;
}

void bond_link(struct actor *actor, struct actor *other)
{
    if (actor != other && bond_find_link(actor, other) == NULL) {
        make_twins(add_end(actor, BOND_LINK), add_end(other, BOND_LINK));
    }
}

/* The watching end: pushes its ref. */
static struct bond *add_watcher(lua_State *L, struct actor *actor, const char *name)
{
    struct actors *actors = actor->actors;
    struct ref ref = {.incarnation = actors->runtime->incarnation,
                      .number = actors_next_monitor(actors)};
    struct ref_value *value = ref_push(L, &ref);
    lua_pushvalue(L, -1);
    int anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    struct bond *watcher = add_end(actor, BOND_WATCHES);
    watcher->ref = value;
    watcher->ref_anchor = anchor;
    value->bond = watcher;
    if (name != NULL) {
        watcher->name = strdup(name);
        if (watcher->name == NULL) {
            abort();
        }
    }
    return watcher;
}

void bond_monitor(lua_State *L, struct actor *actor, struct actor *other, const char *name)
{
    make_twins(add_watcher(L, actor, name), add_end(other, BOND_WATCHED));
}

static void make_far(struct bond *bond, struct bond_table *table, const struct pid *other,
                     uint64_t number)
{
    bond->far = malloc(sizeof(*bond->far));
    if (bond->far == NULL) {
        abort();
    }
    *bond->far = (struct bond_far){.other = *other, .number = number};
    bond_table_add(table, bond);
}

bool bond_link_far(struct actor *actor, struct bond_table *table, const struct pid *other,
                   uint64_t number)
{
    bool is_new = bond_table_find_link(table, actor, other) == NULL;
    if (is_new) {
        make_far(add_end(actor, BOND_LINK), table, other, number);
    }
    return is_new;
}

void bond_monitor_far(lua_State *L, struct actor *actor, struct bond_table *table,
                      const struct pid *other, const char *name)
{
    struct bond *bond = add_watcher(L, actor, name);
    make_far(bond, table, other, bond->ref->ref.number);
}

void bond_watch_far(struct actor *actor, struct bond_table *table, const struct pid *other,
                    uint64_t number)
{
    make_far(add_end(actor, BOND_WATCHED), table, other, number);
}

struct pid bond_other(const struct bond *bond)
{
    return bond->far != NULL ? bond->far->other : actor_pid(bond->twin->owner);
}

static void free_end(lua_State *L, struct bond *bond)
{
    *bond->link = bond->next;
    if (bond->next != NULL) {
        bond->next->link = bond->link;
    }
    if (bond->ref != NULL) {
        bond->ref->bond = NULL;
        luaL_unref(L, LUA_REGISTRYINDEX, bond->ref_anchor);
    }
    if (bond->far != NULL) {
        bond_table_remove(bond);
        free(bond->far);
    }
    free(bond->name);
    free(bond);
}

void bond_remove(lua_State *L, struct bond *bond)
{
    if (bond->twin != NULL) {
        free_end(L, bond->twin);
    }
    free_end(L, bond);
}
