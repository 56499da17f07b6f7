/* answer.c - what one object means that the daemon sent after a request.
 * Owns the rows that make error codes of JSON-RPC ours.  How: answers of other requests and notifications are not for us; an
 * error without an id speaks of the connection itself.
 * Called by client.c.  Pure.  Must not know any method, nor where the object came from. */
#include "ctl/answer.h"

#include <errno.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/rpc.h"

static const struct {
    int code;
    int errnum;
} meanings[] = {
    {RPC_FORBIDDEN, EACCES},
    {RPC_UNKNOWN_METHOD, ENOTSUP},
    {RPC_BAD_CONFIG, EBADMSG},
};

/* What an error object means to us. */
static int take_error(const json_t *error, struct fsd_err *err)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_t *code = json_object_get(error, "code");
    if (message == NULL || !json_is_integer(code)) {
        return fsd_err_set(err, EPROTO,
                           "the answer of fsd makes no sense: an error without reason");
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == json_integer_value(code)) {
            return fsd_err_set(err, meanings[i].errnum, "%s", message);
        }
    }
    return fsd_err_set(err, EREMOTEIO, "%s", message);
}

int answer_take(const json_t *answer, json_t **ret_result, struct fsd_err *err)
{
    const json_t *id = json_object_get(answer, "id");
    const json_t *error = json_object_get(answer, "error");
    bool ours = json_is_integer(id) && json_integer_value(id) == ANSWER_ID;
    if (error != NULL && (ours || json_is_null(id))) {
        return take_error(error, err);
    }
    if (!json_is_object(answer)) {
        return fsd_err_set(err, EPROTO, "the answer of fsd makes no sense: it is not an object");
    }
    if (!ours) {
        return 1;
    }
    json_t *result = json_object_get(answer, "result");
    if (result == NULL) {
        return fsd_err_set(err, EPROTO, "the answer of fsd makes no sense: it has no result");
    }
    *ret_result = json_incref(result);
    return 0;
}
