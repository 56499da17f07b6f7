/* parameters.c - name=value pairs behind a word of a header, as RFC 9110 §5.6.6 writes them.
 *
 * Owns nothing.  Reads from one ; to the next; a value in quotes may hold both ; and comma.  As Node's package content-type it forgives:
 * blanks around the =, names without a value, a quote that is not closed.
 * Pure: no Lua, no libh2o.  Called by accept.c and media_type.c.  Must not know what any name means. */
#include "worker/http/text/parameters.h"

#include <string.h>
#include <strings.h>

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at;
}

struct parameter_text parameters_trim(const char *start, const char *end)
{
    start = skip_blank(start, end);
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (struct parameter_text){.bytes = start, .len = (size_t)(end - start)};
}

bool parameters_is_text(struct parameter_text text, struct parameter_text other)
{
    return text.len == other.len && strncasecmp(text.bytes, other.bytes, text.len) == 0;
}

const char *parameters_find_end(const char *at, const char *end)
{
    while (at < end && *at != ';' && *at != ',') {
        at++;
    }
    return at;
}

/* at is behind the opening quote.  Returns the closing one, or the end. */
static const char *find_quote(const char *at, const char *end)
{
    while (at < end && *at != '"') {
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    }
    return at;
}

/* at is behind the =.  Returns where the parameter ends. */
static const char *read_value(const char *at, const char *end, struct parameter *parameter)
{
    at = skip_blank(at, end);
    parameter->is_quoted = at < end && *at == '"';
    if (!parameter->is_quoted) {
        const char *stop = parameters_find_end(at, end);
        parameter->value = parameters_trim(at, stop);
        return stop;
    }
    const char *quote = find_quote(at + 1, end);
    parameter->value = (struct parameter_text){.bytes = at + 1, .len = (size_t)(quote - at - 1)};
    return parameters_find_end(quote < end ? quote + 1 : end, end);
}

bool parameters_next(struct parameters *parameters, struct parameter *ret_parameter)
{
    const char *end = parameters->end;
    while (parameters->at < end && *parameters->at == ';') {
        const char *name = skip_blank(parameters->at + 1, end);
        const char *at = name;
        while (at < end && *at != '=' && *at != ';' && *at != ',') {
            at++;
        }
        parameters->at = at;
        if (at < end && *at == '=') {
            ret_parameter->name = parameters_trim(name, at);
            parameters->at = read_value(at + 1, end, ret_parameter);
            return true;
        }
    }
    return false;
}

/* The next byte of a value, without the \ of a quoted one; -1 at its end. */
static int next_byte(const struct parameter *parameter, size_t *at)
{
    const struct parameter_text *value = &parameter->value;
    if (parameter->is_quoted && *at + 1 < value->len && value->bytes[*at] == '\\') {
        (*at)++;
    }
    return *at < value->len ? (unsigned char)value->bytes[(*at)++] : -1;
}

static int lower(int byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

bool parameters_is_value(const struct parameter *parameter, const struct parameter *other)
{
    size_t at = 0;
    size_t other_at = 0;
    int byte;
    do {
        byte = lower(next_byte(parameter, &at));
        if (byte != lower(next_byte(other, &other_at))) {
            return false;
        }
    } while (byte != -1);
    return true;
}

size_t parameters_copy_value(const struct parameter *parameter, char *out)
{
    size_t at = 0;
    size_t len = 0;
    for (int byte; (byte = next_byte(parameter, &at)) != -1;) {
        out[len++] = (char)byte;
    }
    return len;
}
