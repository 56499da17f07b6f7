/* body_parameters.c - the parameters that stand behind the value of a header.
 * Owns nothing; pure.  Strict where others would guess: what is no `; name=value` ends the search with an error, so that two
 * readers of one header can't see different things in it.  Empty pieces between semicolons are passed over, as
 * RFC 9110 asks.
 * Called for Content-Type (which boundary, which charset) and by disposition.c.  text/parameters.c forgives more, as what only
 * chooses an answer may.  Must not know which parameters there are. */
#include "worker/http/body/body_parameters.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/head_bytes.h"

static void skip_space(struct body_parameters *parameters)
{
    while (parameters->at < parameters->end &&
           (*parameters->at == ' ' || *parameters->at == '\t')) {
        parameters->at++;
    }
}

void body_parameters_init(struct body_parameters *parameters, const char *text, size_t len)
{
    const char *semicolon = len > 0 ? memchr(text, ';', len) : NULL;
    parameters->end = len > 0 ? text + len : text;
    parameters->at = semicolon != NULL ? semicolon : parameters->end;
}

static size_t token_len(const struct body_parameters *parameters)
{
    return (size_t)(head_bytes_skip_token(parameters->at, parameters->end) - parameters->at);
}

/* The opening quote is the next byte. */
static int take_quoted(struct body_parameters *parameters, char *buf, struct body_text *ret_value)
{
    const char *at = parameters->at + 1;
    size_t len = 0;
    while (at < parameters->end && *at != '"') {
        bool is_escape = *at == '\\' && parameters->end - at > 1 && (at[1] == '"' || at[1] == '\\');
        at += is_escape;
        buf[len++] = *at++;
    }
    if (at >= parameters->end) {
        return -EINVAL;
    }
    parameters->at = at + 1;
    *ret_value = (struct body_text){buf, len};
    return 0;
}

static int take_value(struct body_parameters *parameters, char *buf, struct body_text *ret_value)
{
    if (parameters->at < parameters->end && *parameters->at == '"') {
        return take_quoted(parameters, buf, ret_value);
    }
    size_t len = token_len(parameters);
    if (len == 0) {
        return -EINVAL;
    }
    memcpy(buf, parameters->at, len);
    parameters->at += len;
    *ret_value = (struct body_text){buf, len};
    return 0;
}

int body_parameters_next(struct body_parameters *parameters, char *buf, struct body_text *ret_name,
                         struct body_text *ret_value)
{
    skip_space(parameters);
    while (parameters->at < parameters->end && *parameters->at == ';') {
        parameters->at++;
        skip_space(parameters);
        if (parameters->at < parameters->end && *parameters->at != ';') {
            size_t len = token_len(parameters);
            struct body_text name = {parameters->at, len};
            parameters->at += len;
            if (len == 0 || parameters->at >= parameters->end || *parameters->at != '=') {
                return -EINVAL;
            }
            parameters->at++;
            int r = take_value(parameters, buf, ret_value);
            if (r < 0) {
                return r;
            }
            *ret_name = name;
            return 1;
        }
    }
    return parameters->at < parameters->end ? -EINVAL : 0;
}

int body_parameters_find(const char *text, size_t len, const char *name, char *buf,
                         struct body_text *ret_value)
{
    struct body_parameters parameters;
    struct body_text found;
    struct body_text value;
    body_parameters_init(&parameters, text, len);
    for (;;) {
        int r = body_parameters_next(&parameters, buf, &found, &value);
        if (r <= 0) {
            return r < 0 ? r : -ENOENT;
        }
        if (found.len == strlen(name) && strncasecmp(found.bytes, name, found.len) == 0) {
            *ret_value = value;
            return 0;
        }
    }
}
