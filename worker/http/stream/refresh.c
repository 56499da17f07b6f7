/* refresh.c - for who develops: pages that browsers have open load themselves again when there is new code.
 * Owns the event streams of the pages.  A page gets a script that names the code it was made by; the script listens to a stream, which
 * says by which code requests are answered now, and again when that changes.  It ends when the worker leaves or after a while; then the
 * browser connects again, perhaps to another worker.  What is said is different: the page is loaded again.  So nobody has to know which
 * pages are open, and where.
 * Called by intake.c, answer.c, exchange.c and server.c, and does something only when the master says that this is `fsd run`.  Must not
 * know Lua. */
#include "worker/http/stream/refresh.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/edition.h"
#include "worker/http/service.h"

#define STREAM_PATH "/.fsd/refresh"
#define SCRIPT_PATH "/.fsd/refresh.js"

enum {
    LIFE_MS = 20000, /* so that those of pages that are closed are found, without heartbeats */
    RETRY_MS = 1000, /* after a worker has left, or the daemon: nobody may be there for long */
    RETURN_MS = 100, /* after a life that is over: somebody is there */
    CODE_MAX = 48,
};

/* A browser has few connections to one server: only the page that is looked at keeps one.  A page that comes from a cache, or by a worker
 * that has the old code still, is loaded again a few times, not for ever. */
static const char script[] =
    "(function () {\n"
    "  var code = document.currentScript.dataset.code, source = null;\n"
    "  function stop() { if (source) { source.close(); source = null; } }\n"
    "  function count(wanted) {\n"
    "    try {\n"
    "      var key = 'fsd-refresh ' + location.pathname;\n"
    "      var seen = (sessionStorage.getItem(key) || '').split(' ');\n"
    "      var times = seen[0] === wanted ? Number(seen[1]) : 0;\n"
    "      sessionStorage.setItem(key, wanted + ' ' + (times + 1));\n"
    "      return times;\n"
    "    } catch (error) { return 4; }\n"
    "  }\n"
    "  function on_code(event) {\n"
    "    if (event.data === code) { return; }\n"
    "    var times = count(event.data);\n"
    "    if (times > 4) { return; }\n"
    "    stop();\n"
    "    setTimeout(function () { location.reload(); }, times * 200);\n"
    "  }\n"
    "  function listen() {\n"
    "    if (source || document.hidden) { return; }\n"
    "    source = new EventSource('" STREAM_PATH "');\n"
    "    source.onmessage = on_code;\n"
    "    source.onerror = function () {\n"
    "      if (source && source.readyState === 2) { source = null; setTimeout(listen, 1000); }\n"
    "    };\n"
    "  }\n"
    "  document.addEventListener('visibilitychange', function () {\n"
    "    if (document.hidden) { stop(); } else { listen(); }\n"
    "  });\n"
    "  addEventListener('pagehide', stop);\n"
    "  addEventListener('pageshow', listen);\n"
    "  listen();\n"
    "})();\n";

/* The stream of one page; lives in the memory of libh2o's request. */
struct refresh {
    struct service *service; /* borrowed */
    h2o_req_t *req;          /* borrowed */
    h2o_generator_t generator;
    struct timer life;
    bool is_flying; /* libh2o has what was sent */
    bool is_behind; /* there is other code than it has said */
    bool ends;
    bool lingers;
    char text[CODE_MAX + 32];
    struct refresh *previous; /* borrowed: in the service's list */
    struct refresh *next;
};

/* Another daemon counts its generations from 1 again.  NULL: the worker has no code. */
static void write_code(const struct edition *edition, char code[CODE_MAX])
{
    (void)snprintf(code, CODE_MAX, "%d-%" PRIu64, (int)getppid(),
                   edition != NULL ? edition->generation : 0);
}

static void leave_list(struct refresh *refresh)
{
    if (refresh->previous != NULL) {
        refresh->previous->next = refresh->next;
    } else if (refresh->service->refreshes == refresh) {
        refresh->service->refreshes = refresh->next;
    }
    if (refresh->next != NULL) {
        refresh->next->previous = refresh->previous;
    }
    refresh->previous = refresh->next = NULL;
}

static void on_disposed(void *disposed)
{
    struct refresh *refresh = disposed;
    leave_list(refresh);
    timer_clear(&refresh->service->runtime->loop.timers, &refresh->life);
}

static void say_code(struct refresh *refresh)
{
    char code[CODE_MAX];
    write_code(refresh->service->edition, code);
    int len =
        snprintf(refresh->text, sizeof(refresh->text), "retry: %d\ndata: %s\n\n", RETRY_MS, code);
    h2o_iovec_t text = h2o_iovec_init(refresh->text, (size_t)len);
    refresh->is_flying = true;
    refresh->is_behind = false;
    h2o_send(refresh->req, &text, 1, H2O_SEND_STATE_IN_PROGRESS);
}

static void send_end(struct refresh *refresh)
{
    int len = snprintf(refresh->text, sizeof(refresh->text), "retry: %d\n\n",
                       refresh->service->draining ? RETRY_MS : RETURN_MS);
    h2o_iovec_t text = h2o_iovec_init(refresh->text, (size_t)len);
    if (refresh->lingers) {
        answer_linger(refresh->req);
    }
    refresh->is_flying = true;
    h2o_send(refresh->req, &text, 1, H2O_SEND_STATE_FINAL); /* it may be gone from here on */
}

/* Twice is fine. */
static void end(struct refresh *refresh)
{
    leave_list(refresh);
    refresh->ends = true;
    if (!refresh->is_flying) {
        send_end(refresh);
    }
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    struct refresh *refresh = H2O_STRUCT_FROM_MEMBER(struct refresh, generator, generator);
    refresh->is_flying = false;
    if (refresh->ends) {
        send_end(refresh);
    } else if (refresh->is_behind) {
        say_code(refresh);
    }
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    (void)req;
    on_disposed(H2O_STRUCT_FROM_MEMBER(struct refresh, generator, generator));
}

static void on_life_over(struct timer *timer)
{
    end(H2O_STRUCT_FROM_MEMBER(struct refresh, life, timer));
}

static void set_head(h2o_req_t *req, const char *type)
{
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, type, strlen(type), 1);
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, H2O_STRLIT("no-cache"),
                   1);
}

static void answer_stream(struct service *service, h2o_req_t *req)
{
    struct refresh *refresh = h2o_mem_alloc_shared(&req->pool, sizeof(*refresh), on_disposed);
    *refresh = (struct refresh){.service = service,
                                .req = req,
                                .generator = {on_proceed, on_stop},
                                .ends = service->draining,
                                .is_flying = true};
    if (!refresh->ends) {
        refresh->next = service->refreshes;
        if (refresh->next != NULL) {
            refresh->next->previous = refresh;
        }
        service->refreshes = refresh;
        loop_set_timer(&service->runtime->loop, &refresh->life, LIFE_MS, on_life_over);
    }
    set_head(req, "text/event-stream");
    refresh->lingers = answer_begin(service, req, 200, &refresh->generator, true);
    say_code(refresh);
}

bool refresh_answer(struct service *service, h2o_req_t *req)
{
    h2o_iovec_t path = req->path_normalized;
    bool is_get = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"));
    if (!service->runtime->config.refreshes || !is_get) {
        return false;
    }
    if (h2o_memis(path.base, path.len, H2O_STRLIT(SCRIPT_PATH))) {
        set_head(req, "text/javascript; charset=utf-8");
        answer_send(service, req, 200, h2o_iovec_init(H2O_STRLIT(script)), false);
        return true;
    }
    if (h2o_memis(path.base, path.len, H2O_STRLIT(STREAM_PATH))) {
        answer_stream(service, req);
        return true;
    }
    return false;
}

static h2o_iovec_t find_header(const h2o_headers_t *headers, const char *name)
{
    ssize_t at = h2o_find_header_by_str(headers, name, strlen(name), -1);
    return at == -1 ? h2o_iovec_init(NULL, 0) : headers->entries[at].value;
}

static bool contains(h2o_iovec_t text, const char *part)
{
    return text.len > 0 && h2o_strstr(text.base, text.len, part, strlen(part)) != SIZE_MAX;
}

/* A page that somebody looks at: what a script fetches is left as it is, and so is the answer to a form, which nobody wants
 * to send once more. */
static bool is_page(h2o_req_t *req)
{
    bool is_get = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
                  h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    h2o_iovec_t shown = find_header(&req->headers, "sec-fetch-dest");
    return is_get && contains(find_header(&req->headers, "accept"), "text/html") &&
           (shown.len == 0 || contains(shown, "document")) &&
           contains(find_header(&req->res.headers, "content-type"), "text/html") &&
           find_header(&req->res.headers, "content-encoding").len == 0;
}

h2o_iovec_t refresh_add_script(const struct service *service, const struct edition *edition,
                               h2o_req_t *req, h2o_iovec_t body)
{
    if (!service->runtime->config.refreshes || body.base == NULL || body.len == 0 ||
        !is_page(req)) {
        return body;
    }
    char code[CODE_MAX];
    char tag[CODE_MAX + 64];
    write_code(edition, code);
    int len = snprintf(tag, sizeof(tag),
                       "\n<script src=\"" SCRIPT_PATH "\" data-code=\"%s\"></script>\n", code);
    return h2o_concat(&req->pool, body, h2o_iovec_init(tag, (size_t)len));
}

void refresh_tell_all(struct service *service)
{
    struct refresh *next = NULL;
    for (struct refresh *refresh = service->refreshes; refresh != NULL; refresh = next) {
        next = refresh->next;
        refresh->is_behind = true;
        if (!refresh->is_flying) {
            say_code(refresh);
        }
    }
}

void refresh_end_all(struct service *service)
{
    while (service->refreshes != NULL) {
        end(service->refreshes);
    }
}
