/* naming.c - the names for all workers: what is said of them, and to whom.
 * Owns nothing; who has a name is decided by claims.c.  Each change of a name's holder is told to all members at once, so that
 * looking one up asks nobody.  A member that does not read as fast as names change is told no single changes any more; when its
 * channel has room again, it gets all names in one memfd.  So the queue of a channel never fills up with names, and none is missed.
 * A claim that waits is given nothing while the pool of its worker starts, else the first worker would have all.
 * Called by proc/ for a worker's words and its end, by pool/ when a pool has started.  Must not know what a name is for. */
#include "daemon/proc/naming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "common/msgpack.h"
#include "daemon/owner.h"
#include "daemon/proc/channel.h"
#include "daemon/proc/members.h"

enum { NAMES_BYTES_MAX = 4 << 20, NAME_PARTS = 4 };

static void tell_name(struct member *member, enum proto_kind kind, const void *body, size_t size,
                      const char *name)
{
    unsigned char message[sizeof(struct proto_named) + PROTO_CLAIM_MAX];
    size_t len = strnlen(name, PROTO_CLAIM_MAX);
    memcpy(message, body, size);
    memcpy(message + size, name, len);
    members_tell(member, kind, message, size + len, -1);
}

void naming_miss(struct member *member)
{
    member->is_behind = true;
    channel_await_room(member->channel);
}

static bool may_tell(struct member *member)
{
    if (!member->is_behind && !channel_has_room(member->channel)) {
        naming_miss(member);
    }
    return !member->is_behind;
}

static void on_holder(struct claims *claims, const struct claim *claim, bool is_holder)
{
    struct members *members = OWNER_OF(claims, struct members, claims);
    struct proto_named body = {.incarnation = claim->claimant->incarnation,
                               .serial = claim->actor.serial,
                               .index = claim->actor.index};
    for (struct member *member = members->first; member != NULL; member = member->next) {
        if (may_tell(member)) {
            tell_name(member, is_holder ? PROTO_NAMED : PROTO_UNNAMED, &body, sizeof(body),
                      claim->name->text);
        }
    }
}

struct list {
    struct msgpack_writer writer;
    uint32_t count;
};

static void count_name(void *owner, const struct claim *claim, bool is_holder)
{
    struct list *list = owner;
    (void)claim;
    list->count += is_holder;
}

static void write_name(void *owner, const struct claim *claim, bool is_holder)
{
    struct list *list = owner;
    if (is_holder) {
        msgpack_write_array(&list->writer, NAME_PARTS);
        msgpack_write_text(&list->writer, claim->name->text);
        msgpack_write_int(&list->writer, (int64_t)claim->claimant->incarnation);
        msgpack_write_int(&list->writer, (int64_t)claim->actor.serial);
        msgpack_write_int(&list->writer, claim->actor.index);
    }
}

/* Descriptor or negative errno. */
static int list_names(const struct claims *claims)
{
    struct list list = {.count = 0};
    unsigned char *data = NULL;
    size_t len = 0;
    msgpack_writer_init(&list.writer, NAMES_BYTES_MAX);
    claims_visit(claims, count_name, &list);
    msgpack_write_array(&list.writer, list.count);
    claims_visit(claims, write_name, &list);
    int result = msgpack_writer_take(&list.writer, &data, &len);
    if (result == 0) {
        result = fd_sealed_from("fsd-names", data, len);
    }
    free(data);
    return result;
}

static void send_names(struct member *member)
{
    int fd = list_names(&member->members->claims);
    if (fd < 0) {
        members_fail(member, fd);
        return;
    }
    member->is_behind = false;
    members_tell(member, PROTO_NAMES, NULL, 0, fd);
    fd_close(&fd);
}

void naming_greet(struct member *member)
{
    member->members->claims.on_holder = on_holder;
    if (member->members->claims.names > 0) {
        send_names(member);
    }
}

void naming_catch_up(struct member *member)
{
    if (member->members != NULL && member->is_behind) {
        send_names(member);
        members_report(member->members);
    }
}

static void refuse(struct member *member, const struct claim_actor *actor, const char *name,
                   enum proto_taken_why why)
{
    struct proto_taken body = {.serial = actor->serial, .index = actor->index, .why = why};
    tell_name(member, PROTO_TAKEN, &body, sizeof(body), name);
}

static struct claim_actor read_actor(const struct proto_claim *body)
{
    return (struct claim_actor){
        .serial = body->serial, .index = body->index, .waits = body->waits != 0};
}

void naming_claim(struct member *member, const struct proto_claim *body, const char *name)
{
    struct members *members = member->members;
    struct claim_actor actor = read_actor(body);
    switch (claims_add(&members->claims, &member->claimant, name, &actor)) {
    case CLAIMS_GIVEN:
    case CLAIMS_WAITS:
        break;
    case CLAIMS_EXISTS:
        refuse(member, &actor, name, PROTO_TAKEN_EXISTS);
        break;
    case CLAIMS_OVERLOAD:
        refuse(member, &actor, name, PROTO_TAKEN_OVERLOAD);
        break;
    }
    members_report(members);
}

/* What is not there may have been refused, while the worker was giving it back. */
void naming_unclaim(struct member *member, const struct proto_claim *body, const char *name)
{
    struct members *members = member->members;
    struct claim_actor actor = read_actor(body);
    (void)claims_remove(&members->claims, &member->claimant, name, &actor);
    members_report(members);
}

void naming_leave(struct members *members, struct member *member)
{
    claims_leave(&members->claims, &member->claimant);
}

void naming_pass_over(struct member *member)
{
    member->is_leaving = true;
    member->claimant.is_passed_over = true;
}

void naming_release(struct members *members, const char *pool)
{
    for (struct member *member = members->first; member != NULL; member = member->next) {
        if (!member->is_leaving && strcmp(member->body.pool, pool) == 0) {
            member->claimant.is_passed_over = false;
        }
    }
    claims_settle(&members->claims);
    members_report(members);
}

bool naming_restore(struct members *members, uint64_t incarnation, const char *name,
                    const struct claim_actor *actor, bool is_holder)
{
    struct member *member = members_find(members, incarnation);
    members->claims.on_holder = on_holder;
    return member != NULL &&
           claims_restore(&members->claims, &member->claimant, name, actor, is_holder);
}
