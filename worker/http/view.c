/* view.c - the request as handlers see it, first in libh2o's memory, later in a copy of its own.
 * Owns the copy.  Most requests are answered before libh2o drops them, so nothing is copied for those; only a handler that
 * outlives its request (it waits after answering, or unwinds after the client has gone) pays for one allocation.
 * Called by exchange.c and request.c.  Must not know Lua. */
#include "worker/http/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "http://host/path" means "/path" (RFC 9112 §3.2.2). */
static h2o_iovec_t skip_origin(h2o_iovec_t target)
{
    if (target.len == 0 || target.base[0] == '/') { /* nearly always */
        return target;
    }
    const char *scheme_end = memchr(target.base, ':', target.len);
    if (scheme_end == NULL) {
        return target;
    }
    size_t used = (size_t)(scheme_end - target.base);
    if (target.len - used < 3 || memcmp(scheme_end, "://", 3) != 0) {
        return target;
    }
    const char *rest = scheme_end + 3;
    size_t rest_len = target.len - used - 3;
    char *slash = memchr(rest, '/', rest_len);
    if (slash == NULL) {
        return h2o_iovec_init(H2O_STRLIT("/"));
    }
    return h2o_iovec_init(slash, target.len - (size_t)(slash - target.base));
}

void view_init(struct view *view, h2o_req_t *req)
{
    *view = (struct view){
        .method = req->input.method,
        .authority = req->input.authority,
        .headers = req->headers,
        .conn = req->conn,
        .version = req->version,
        .body = req->entity,
    };
    h2o_iovec_t target = req->input.path;
    char *mark = memchr(target.base, '?', target.len);
    if (mark != NULL) {
        size_t path_len = (size_t)(mark - target.base);
        view->query = h2o_iovec_init(mark + 1, target.len - path_len - 1);
        target.len = path_len;
    }
    view->path = skip_origin(target); /* what stands behind the '?' is no part of the origin */
}

void view_fini(struct view *view)
{
    free(view->copy);
    view->copy = NULL;
}

static void move_text(h2o_iovec_t *text, char **room)
{
    if (text->base != NULL) {
        memcpy(*room, text->base, text->len);
        text->base = *room;
        *room += text->len;
    }
}

static size_t count_bytes(const struct view *view)
{
    size_t bytes = sizeof(struct view_ends) + view->method.len + view->path.len + view->query.len +
                   view->authority.len;
    for (size_t i = 0; i < view->headers.size; i++) {
        const h2o_header_t *header = &view->headers.entries[i];
        bytes += 2 * header->name->len + header->value.len;
    }
    return bytes + view->headers.size * (sizeof(h2o_header_t) + sizeof(h2o_iovec_t));
}

static void read_ends(h2o_conn_t *conn, struct view_ends *ends)
{
    *ends = (struct view_ends){.peer = {.ss_family = AF_UNSPEC}};
    if (conn != NULL) {
        (void)conn->callbacks->get_peername(conn, (struct sockaddr *)&ends->peer);
        (void)conn->callbacks->get_sockname(conn, (struct sockaddr *)&ends->local);
    }
}

void view_get_ends(const struct view *view, struct view_ends *ret_ends)
{
    if (view->is_kept) {
        memcpy(ret_ends, view->copy, sizeof(*ret_ends));
    } else {
        read_ends(view->conn, ret_ends);
    }
}

void view_keep(struct view *view)
{
    if (view->is_kept) {
        return;
    }
    view->copy = malloc(count_bytes(view) + 1);
    if (view->copy == NULL) {
        abort();
    }
    size_t count = view->headers.size;
    struct view_ends *ends = (void *)view->copy; /* malloc's block is aligned for any type */
    h2o_header_t *entries = (void *)(ends + 1);
    h2o_iovec_t *names = (void *)(entries + count);
    char *room = (char *)(names + count);
    for (size_t i = 0; i < count; i++) {
        entries[i] = view->headers.entries[i];
        names[i] = *entries[i].name;
        move_text(&names[i], &room);
        move_text(&entries[i].value, &room);
        entries[i].name = &names[i];
        if (entries[i].orig_name != NULL) {
            memcpy(room, entries[i].orig_name, names[i].len);
            entries[i].orig_name = room;
            room += names[i].len;
        }
    }
    read_ends(view->conn, ends);
    view->conn = NULL;
    view->headers.entries = entries;
    move_text(&view->method, &room);
    move_text(&view->path, &room);
    move_text(&view->query, &room);
    move_text(&view->authority, &room);
    view->body = h2o_iovec_init(NULL, 0);
    view->is_kept = true;
}

static bool is(const char *name, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(name, word, len) == 0;
}

h2o_iovec_t view_header(const struct view *view, const char *name, size_t len,
                        char scratch[VIEW_SCRATCH_MAX])
{
    for (size_t i = 0; i < view->headers.size; i++) {
        const h2o_header_t *header = &view->headers.entries[i];
        if (header->name->len == len && memcmp(header->name->base, name, len) == 0) {
            return header->value;
        }
    }
    if (is(name, len, "host") && view->authority.base != NULL) {
        return view->authority;
    }
    if (is(name, len, "content-length") && view->has_content_length) {
        int digits = snprintf(scratch, VIEW_SCRATCH_MAX, "%zu", view->body.len);
        return h2o_iovec_init(scratch, (size_t)digits);
    }
    if (is(name, len, "transfer-encoding") && view->has_transfer_encoding) {
        return h2o_iovec_init(H2O_STRLIT("chunked"));
    }
    return h2o_iovec_init(NULL, 0);
}
