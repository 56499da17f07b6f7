/* members.c - who of the workers can be reached by the others, and the links between them.
 * Owns nothing: a link is a pair of sockets whose ends are handed out and closed here at once, so that no byte between workers ever
 * comes by the master.  Telling one may fail and end it while others are still to be told: failures are kept, and reported
 * when the list is no longer walked.
 * Called by proc.c for the words JOIN and REACH, and for the end of a worker.  Must not know what workers say to each other. */
#include "daemon/proc/members.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "daemon/proc/channel.h"
#include "daemon/proc/naming.h"

void members_fail(struct member *member, int error)
{
    if (member->error == 0) {
        member->error = error;
    }
}

void members_tell(struct member *member, enum proto_kind kind, const void *body, size_t size,
                  int fd)
{
    members_fail(member, channel_send(member->channel, kind, body, size, fd));
}

/* lives: it is there, but no link could be made. */
static void tell_gone(struct member *member, uint64_t incarnation, bool lives)
{
    struct proto_peer body = {.incarnation = incarnation, .link = lives};
    members_tell(member, PROTO_GONE, &body, sizeof(body), -1);
}

/* Whoever hears of its failure may leave, and change the list: begin anew each time. */
void members_report(struct members *members)
{
    struct member *member = members->first;
    while (member != NULL) {
        int error = member->error;
        member->error = 0;
        if (error != 0) {
            member->on_failed(member, error);
            member = members->first;
        } else {
            member = member->next;
        }
    }
}

void members_rejoin(struct members *members, struct member *member, const struct channel *channel,
                    const struct proto_member *body,
                    void (*on_failed)(struct member *member, int error))
{
    *member = (struct member){.members = members,
                              .channel = channel,
                              .body = *body,
                              .claimant = {.incarnation = body->incarnation},
                              .next = members->first,
                              .link = &members->first,
                              .on_failed = on_failed};
    if (member->next != NULL) {
        member->next->link = &member->next;
    }
    members->first = member;
}

bool members_join(struct members *members, struct member *member, const struct channel *channel,
                  const struct proto_member *body,
                  void (*on_failed)(struct member *member, int error))
{
    if (member->members != NULL) {
        return false;
    }
    members_rejoin(members, member, channel, body, on_failed);
    for (struct member *other = member->next; other != NULL; other = other->next) {
        members_tell(member, PROTO_MEMBER, &other->body, sizeof(other->body), -1);
        members_tell(other, PROTO_MEMBER, body, sizeof(*body), -1);
    }
    naming_greet(member);
    members_report(members);
    return true;
}

void members_move(struct member *member, uint64_t slot)
{
    struct members *members = member->members;
    if (members == NULL || member->body.slot == slot) {
        return;
    }
    member->body.slot = slot;
    for (struct member *other = members->first; other != NULL; other = other->next) {
        if (other != member) {
            members_tell(other, PROTO_MEMBER, &member->body, sizeof(member->body), -1);
        }
    }
    members_report(members);
}

void members_leave(struct member *member)
{
    struct members *members = member->members;
    if (members == NULL) {
        return;
    }
    member->members = NULL;
    *member->link = member->next;
    if (member->next != NULL) {
        member->next->link = member->link;
    }
    for (struct member *other = members->first; other != NULL; other = other->next) {
        tell_gone(other, member->body.incarnation, false);
    }
    naming_leave(members, member);
    members_report(members);
}

struct member *members_find(const struct members *members, uint64_t incarnation)
{
    struct member *member = members->first;
    while (member != NULL && member->body.incarnation != incarnation) {
        member = member->next;
    }
    return member;
}

void members_reach(struct member *member, const struct proto_peer *wanted)
{
    int pair[2] = {-1, -1};
    struct members *members = member->members;
    struct member *other = members_find(members, wanted->incarnation);
    if (other == NULL || other == member) {
        tell_gone(member, wanted->incarnation, false);
    } else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        tell_gone(member, wanted->incarnation, true);
    } else {
        struct proto_peer to_other = {member->body.incarnation, wanted->link};
        members_tell(other, PROTO_PEER, &to_other, sizeof(to_other), pair[0]);
        members_tell(member, PROTO_PEER, wanted, sizeof(*wanted), pair[1]);
    }
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    members_report(members);
}
