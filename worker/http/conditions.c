/* conditions.c - finds the conditions of a request among its headers, and what they are held against in those of the answer.
 * Owns nothing.  Known names are compared by their address, in one walk over the headers; several headers of one name are joined by a
 * comma, as one list.  Node does that with Range as well, so that two of them are one that makes no sense, and asks for nothing.
 * Called for each answer that may be left out.  Must not know what is answered. */
#include "worker/http/conditions.h"

#include "worker/http/response/response_headers.h"
#include "worker/http/text/http_date.h"

/* Where the header goes that has this name; NULL: it is no condition. */
static struct conditional_text *find_place(struct conditional *conditional, const h2o_iovec_t *name)
{
    const struct {
        const h2o_iovec_t *name;
        struct conditional_text *text;
    } rows[] = {
        {&H2O_TOKEN_IF_NONE_MATCH->buf, &conditional->if_none_match},
        {&H2O_TOKEN_IF_MODIFIED_SINCE->buf, &conditional->if_modified_since},
        {&H2O_TOKEN_IF_MATCH->buf, &conditional->if_match},
        {&H2O_TOKEN_IF_UNMODIFIED_SINCE->buf, &conditional->if_unmodified_since},
        {&H2O_TOKEN_IF_RANGE->buf, &conditional->if_range},
        {&H2O_TOKEN_CACHE_CONTROL->buf, &conditional->cache_control},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (name == rows[i].name) {
            return rows[i].text;
        }
    }
    return NULL;
}

/* What the headers of that name say which came before, and one more. */
static h2o_iovec_t join(h2o_req_t *req, h2o_iovec_t before, h2o_iovec_t value)
{
    return before.base == NULL
               ? value
               : h2o_concat(&req->pool, before, h2o_iovec_init(H2O_STRLIT(", ")), value);
}

static void add(h2o_req_t *req, struct conditional_text *text, h2o_iovec_t value)
{
    value = join(req, h2o_iovec_init(text->bytes, text->len), value);
    *text = (struct conditional_text){value.base, value.len};
}

h2o_iovec_t conditions_find_range(h2o_req_t *req)
{
    h2o_iovec_t range = {NULL, 0};
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        if (header->name == &H2O_TOKEN_RANGE->buf) {
            range = join(req, range, header->value);
        }
    }
    return range;
}

bool conditions_has_any(const h2o_req_t *req)
{
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_iovec_t *name = req->headers.entries[i].name;
        if (name == &H2O_TOKEN_RANGE->buf ||
            (name->len > 3 && name->base[0] == 'i' && name->base[2] == '-')) {
            return true;
        }
    }
    return false;
}

void conditions_read(h2o_req_t *req, struct conditions *ret_conditions)
{
    *ret_conditions = (struct conditions){.range = {NULL, 0}};
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        if (header->name == &H2O_TOKEN_RANGE->buf) {
            ret_conditions->range = join(req, ret_conditions->range, header->value);
            continue;
        }
        struct conditional_text *text = find_place(&ret_conditions->conditional, header->name);
        if (text != NULL) {
            add(req, text, header->value);
        }
    }
}

bool conditions_is_reading(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

struct conditional_state conditions_state(const h2o_req_t *req)
{
    struct conditional_state state = {.has_modified = false};
    const h2o_headers_t *headers = &req->res.headers;
    ssize_t at = h2o_find_header(headers, H2O_TOKEN_ETAG, -1);
    if (at != -1) {
        h2o_iovec_t etag = headers->entries[at].value;
        state.etag = (struct conditional_text){etag.base, etag.len};
    }
    at = h2o_find_header(headers, H2O_TOKEN_LAST_MODIFIED, -1);
    if (at != -1) {
        h2o_iovec_t date = headers->entries[at].value;
        state.has_modified = http_date_parse(date.base, date.len, &state.modified_s) == 0;
    }
    return state;
}

void conditions_drop_body_headers(h2o_req_t *req)
{
    static const char *const names[] = {"content-type", "content-encoding", "content-language",
                                        "content-range"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        response_headers_remove(req, names[i]);
    }
}
