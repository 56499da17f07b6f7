/* file_redirect.c - sends a client from "/folder" to "/folder/".
 * Owns nothing.  The place is the request's own path, as it was sent; one that begins with two slashes would be the name of another
 * host to a browser, so of those one stays.
 * Called by folder.c.  Must not know files. */
#include "worker/http/file/file_redirect.h"

#include "worker/http/response/response_headers.h"
#include "worker/http/text/url_text.h"
#include "worker/http/view.h"

static h2o_iovec_t make_location(const struct file_request *request)
{
    h2o_mem_pool_t *pool = &request->req->pool;
    h2o_iovec_t path = request->view->path;
    h2o_iovec_t query = request->view->query;
    while (path.len > 1 && (path.base[1] == '/' || path.base[1] == '\\')) {
        path = h2o_iovec_init(path.base + 1, path.len - 1);
    }
    path.base = h2o_strdup(pool, path.base, path.len).base;
    path.base[0] = '/'; /* what is left of "/\\" */
    h2o_iovec_t location = h2o_concat(pool, path, h2o_iovec_init(H2O_STRLIT("/")),
                                      h2o_iovec_init("?", query.base != NULL ? 1 : 0), query);
    h2o_iovec_t escaped;
    escaped.base = h2o_mem_alloc_pool(pool, URL_TEXT_MAX(location.len));
    escaped.len = url_text_escape(location.base, location.len, escaped.base);
    return escaped;
}

void file_redirect_give(const struct file_request *request, struct file_given *ret_given)
{
    static const char page[] = "<!doctype html><meta charset=\"utf-8\"><title>Redirecting</title>"
                               "<p>This is a folder; its path ends with a slash.\n";
    h2o_req_t *req = request->req;
    response_headers_put(req, "location", make_location(request));
    response_headers_put(req, "content-type",
                         h2o_iovec_init(H2O_STRLIT("text/html; charset=utf-8")));
    response_headers_put(req, "content-security-policy",
                         h2o_iovec_init(H2O_STRLIT("default-src 'none'")));
    response_headers_put(req, "x-content-type-options", h2o_iovec_init(H2O_STRLIT("nosniff")));
    *ret_given = (struct file_given){.status = 301, .body = h2o_iovec_init(page, sizeof(page) - 1)};
}
