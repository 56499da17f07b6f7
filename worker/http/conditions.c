/* conditions.c - finds the conditions of a request among its headers.
 * Owns nothing.  Known names are compared by their address, in one walk over the headers; several headers of one name are joined by a
 * comma, as one list.
 * Called for each answer that may be left out.  Must not know what is answered. */
#include "worker/http/conditions.h"

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

static void add(h2o_req_t *req, struct conditional_text *text, h2o_iovec_t value)
{
    if (text->bytes != NULL) {
        value = h2o_concat(&req->pool, h2o_iovec_init(text->bytes, text->len),
                           h2o_iovec_init(H2O_STRLIT(", ")), value);
    }
    *text = (struct conditional_text){value.base, value.len};
}

void conditions_read(h2o_req_t *req, struct conditions *ret_conditions)
{
    *ret_conditions = (struct conditions){.has_any = false};
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        if (header->name == &H2O_TOKEN_RANGE->buf) {
            ret_conditions->range = header->value;
            ret_conditions->has_any = true;
            continue;
        }
        struct conditional_text *text = find_place(&ret_conditions->conditional, header->name);
        if (text != NULL) {
            add(req, text, header->value);
            ret_conditions->has_any |= text != &ret_conditions->conditional.cache_control;
        }
    }
}

bool conditions_is_reading(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}
