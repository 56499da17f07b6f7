#include "worker/http/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char scratch[VIEW_SCRATCH_MAX];

static h2o_iovec_t text_of(const char *text)
{
    return h2o_iovec_init(text, text == NULL ? 0 : strlen(text));
}

static void assert_text(h2o_iovec_t got, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(got.base);
        return;
    }
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.base, wanted, got.len);
}

static void targets_are_split_into_path_and_query(void **state)
{
    static const struct {
        const char *target;
        const char *path;
        const char *query;
    } rows[] = {
        {"/", "/", NULL},
        {"/a/b", "/a/b", NULL},
        {"/a?", "/a", ""},
        {"/a?x=1&y=2", "/a", "x=1&y=2"},
        {"/a?x?y", "/a", "x?y"},
        {"/?u=http://h/p", "/", "u=http://h/p"},
        {"/a:b", "/a:b", NULL},
        {"*", "*", NULL},
        {"http://host", "/", NULL},
        {"http://host/", "/", NULL},
        {"http://host:80/a?b", "/a", "b"},
        {"https://host/a//b", "/a//b", NULL},
        {"http://host?x=1", "/", "x=1"},
        {"http://host?x=/admin", "/", "x=/admin"}, /* not the path "/admin" */
        {"http:", "http:", NULL},
        {"http:/", "http:/", NULL},
        {"http://", "/", NULL},
        {"a?u=http://h/p", "a", "u=http://h/p"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        h2o_req_t req;
        struct view view;
        memset(&req, 0, sizeof(req));
        req.input.path = text_of(rows[i].target);
        view_init(&view, &req);
        assert_text(view.path, rows[i].path);
        assert_text(view.query, rows[i].query);
        view_fini(&view);
    }
}

/* A request in memory that can be freed under the view. */
struct request {
    h2o_req_t req;
    h2o_header_t headers[3];
    h2o_iovec_t names[3];
    char text[512];
    char *room;
};

static h2o_iovec_t put(struct request *request, const char *text)
{
    h2o_iovec_t put = h2o_iovec_init(request->room, strlen(text));
    memcpy(put.base, text, put.len);
    request->room += put.len;
    return put;
}

static struct request *request_new(const char *authority)
{
    static const char *const rows[][2] = {
        {"accept", "text/html"}, {"x-empty", ""}, {"accept", "second"}};
    struct request *request = calloc(1, sizeof(*request));
    assert_non_null(request);
    request->room = request->text;
    request->req.version = 0x101;
    request->req.input.method = put(request, "POST");
    request->req.input.path = put(request, "/a/b?c=d");
    if (authority != NULL) {
        request->req.input.authority = put(request, authority);
    }
    request->req.entity = put(request, "the body");
    for (size_t i = 0; i < 3; i++) {
        request->names[i] = put(request, rows[i][0]);
        request->headers[i] =
            (h2o_header_t){.name = &request->names[i], .value = put(request, rows[i][1])};
        request->headers[i].orig_name = i > 0 ? put(request, rows[i][0]).base : NULL;
    }
    request->req.headers = (h2o_headers_t){request->headers, 3, 3};
    return request;
}

static void assert_header(const struct view *view, const char *name, const char *wanted)
{
    assert_text(view_header(view, name, strlen(name), scratch), wanted);
}

static void headers_are_found_and_the_first_of_several_wins(void **state)
{
    (void)state;
    struct request *request = request_new("example.org:80");
    struct view view;
    view_init(&view, &request->req);
    assert_header(&view, "accept", "text/html");
    assert_header(&view, "x-empty", "");
    assert_header(&view, "host", "example.org:80");
    assert_header(&view, "accep", NULL);
    assert_header(&view, "Accept", NULL); /* names are asked for in lower case */
    assert_header(&view, "", NULL);
    view_fini(&view);
    free(request);
}

static void headers_that_libh2o_took_out_are_answered(void **state)
{
    (void)state;
    struct request *request = request_new(NULL);
    struct view view;
    view_init(&view, &request->req);
    assert_header(&view, "host", NULL);
    assert_header(&view, "content-length", NULL);
    assert_header(&view, "transfer-encoding", NULL);
    view.has_content_length = true;
    view.has_transfer_encoding = true;
    assert_header(&view, "content-length", "8");
    assert_header(&view, "transfer-encoding", "chunked");
    view_fini(&view);
    free(request);
}

static void a_view_that_is_kept_outlives_the_request(void **state)
{
    (void)state;
    struct request *request = request_new("host");
    struct view view;
    view_init(&view, &request->req);
    view_keep(&view);
    memset(request, 'z', sizeof(*request));
    free(request);
    assert_true(view.is_kept);
    assert_text(view.method, "POST");
    assert_text(view.path, "/a/b");
    assert_text(view.query, "c=d");
    assert_header(&view, "host", "host");
    assert_header(&view, "accept", "text/html");
    assert_header(&view, "x-empty", "");
    assert_null(view.headers.entries[0].orig_name);
    assert_memory_equal(view.headers.entries[2].orig_name, "accept", strlen("accept"));
    assert_null(view.body.base);
    assert_int_equal(view.version, 0x101);
    const char *copy = view.copy;
    view_keep(&view); /* once is enough */
    assert_ptr_equal(view.copy, copy);
    view_fini(&view);
    assert_null(view.copy);
}

static void a_request_of_nothing_can_be_kept(void **state)
{
    (void)state;
    h2o_req_t req;
    struct view view;
    memset(&req, 0, sizeof(req));
    req.input.path = text_of("/");
    view_init(&view, &req);
    view_keep(&view);
    assert_text(view.path, "/");
    assert_null(view.query.base);
    assert_header(&view, "host", NULL);
    view_fini(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_split_into_path_and_query),
        cmocka_unit_test(headers_are_found_and_the_first_of_several_wins),
        cmocka_unit_test(headers_that_libh2o_took_out_are_answered),
        cmocka_unit_test(a_view_that_is_kept_outlives_the_request),
        cmocka_unit_test(a_request_of_nothing_can_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
