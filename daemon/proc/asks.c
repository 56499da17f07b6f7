/* asks.c - what workers ask of the daemon: pools that applications start and stop.
 * Owns the queue, and the text of each question until it is answered.  A worker has one question under way; all wait in one row, and
 * one is being answered.  A worker that goes takes its question along; what is being done for it goes on, and the answer is dropped.
 * Called by proc.c for the word ASK and for the end of a worker, and by orders.c, which answers.
 * Must not know what a question means. */
#include "daemon/proc/asks.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/proc/channel.h"

static void append(struct asks *asks, struct ask *ask)
{
    struct ask **last = asks->first == NULL ? &asks->first : asks->last;
    ask->next = NULL;
    ask->link = last;
    *last = ask;
    asks->last = &ask->next;
}

static void unlink_ask(struct ask *ask)
{
    struct asks *asks = ask->asks;
    if (asks->current == ask) {
        asks->current = NULL;
        return;
    }
    *ask->link = ask->next;
    if (ask->next != NULL) {
        ask->next->link = ask->link;
    } else {
        asks->last = ask->link;
    }
}

void asks_leave(struct ask *ask)
{
    if (ask->asks != NULL) {
        unlink_ask(ask);
        free(ask->text);
        ask->asks = NULL;
        ask->text = NULL;
    }
}

bool asks_add(struct asks *asks, struct ask *ask, const struct proto_ask *body, const void *text,
              size_t len)
{
    if (ask->asks != NULL) {
        return false;
    }
    ask->asks = asks;
    ask->body = *body;
    ask->body.name[sizeof(ask->body.name) - 1] = '\0';
    ask->len = len;
    ask->text = calloc(1, len + 1);
    append(asks, ask);
    if (ask->text == NULL) {
        asks_answer(ask, PROTO_ANSWER_REFUSED, "out of memory");
        return true;
    }
    memcpy(ask->text, text, len);
    asks->on_asked(asks, ask);
    return true;
}

struct ask *asks_next(struct asks *asks)
{
    struct ask *ask = asks->first;
    if (ask != NULL) {
        unlink_ask(ask);
        ask->link = NULL;
        asks->current = ask;
    }
    return ask;
}

static void report(struct ask *ask, int error)
{
    if (error < 0) {
        ask->on_failed(ask, error);
    }
}

void asks_answer(struct ask *ask, enum proto_answer_code code, const char *text)
{
    unsigned char payload[sizeof(struct proto_answer) + PROTO_TEXT_MAX];
    struct proto_answer body = {ask->body.number, code};
    size_t len = strnlen(text, PROTO_TEXT_MAX);
    memcpy(payload, &body, sizeof(body));
    memcpy(payload + sizeof(body), text, len);
    asks_leave(ask);
    report(ask, channel_send(ask->channel, PROTO_ANSWER, payload, sizeof(body) + len, -1));
}

void asks_answer_list(struct ask *ask, int fd)
{
    struct proto_answer body = {ask->body.number, PROTO_ANSWER_OK};
    asks_leave(ask);
    report(ask, channel_send(ask->channel, PROTO_POOLS, &body, sizeof(body), fd));
}

bool asks_is_empty(const struct asks *asks)
{
    return asks->first == NULL && asks->current == NULL;
}
