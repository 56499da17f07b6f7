/* params.c - walking over the parameters of a call.
 * Owns nothing.  jansson iterates over an object through a pointer that is not const, though it changes nothing; here is the one
 * place that takes the word away.
 * Called by methods_params.c and stream_params.c.  Pure.  Must not know a parameter. */
#include "daemon/method/params.h"

static json_t *without_const(const json_t *params)
{
    union {
        const json_t *in;
        json_t *out;
    } object = {.in = params};
    return object.out;
}

void *params_first(const json_t *params)
{
    return json_object_iter(without_const(params));
}

void *params_next(const json_t *params, void *at)
{
    return json_object_iter_next(without_const(params), at);
}
