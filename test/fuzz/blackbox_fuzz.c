/* sources: common/blackbox.c | */
/* What the master reads of a black box: the worker may have written any bytes. */
#include "common/blackbox.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
    assert(strnlen(text, size) < size);
}

static void check_request(const struct blackbox_request *request)
{
    check(request->id, sizeof(request->id));
    check(request->method, sizeof(request->method));
    check(request->path, sizeof(request->path));
    check(request->place, sizeof(request->place));
    assert(!request->is_open || request->status == 0);
}

/* The input is repeated over the whole box, so that short inputs reach every part. */
static void fill(struct blackbox *box, const uint8_t *data, size_t size)
{
    unsigned char *bytes = (unsigned char *)box;
    for (size_t at = 0; size > 0 && at < BLACKBOX_SIZE; at += size) {
        size_t left = BLACKBOX_SIZE - at;
        memcpy(bytes + at, data, size < left ? size : left);
    }
    if (size % 8 != 7) { /* mostly a version that is read on */
        box->version = BLACKBOX_VERSION;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct blackbox_copy copy;
    char title[BLACKBOX_TITLE_MAX];
    struct blackbox *box = calloc(1, BLACKBOX_SIZE);
    assert(box != NULL);
    fill(box, data, size);
    memset(&copy, 0xff, sizeof(copy));
    blackbox_read(box, &copy);
    assert(copy.request_count <= BLACKBOX_REQUESTS);
    assert(copy.line_count <= BLACKBOX_LINES + BLACKBOX_ERRORS);
    assert(copy.death.frame_count <= BLACKBOX_FRAMES);
    for (unsigned i = 0; i < copy.request_count; i++) {
        check_request(&copy.requests[i]);
    }
    for (unsigned i = 0; i < copy.line_count; i++) {
        check(copy.lines[i].text, sizeof(copy.lines[i].text));
    }
    for (unsigned i = 0; i < copy.death.frame_count; i++) {
        check(copy.death.frames[i].text, sizeof(copy.death.frames[i].text));
    }
    check(copy.death.lua_stack, sizeof(copy.death.lua_stack));
    check_request(&copy.now.request);
    check(blackbox_title(&copy.now, title), sizeof(title));
    free(box);
    return 0;
}
