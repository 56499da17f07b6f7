/* json_decoder.c - says at which line and column JSON text is wrong.
 *
 * Owns nothing.  The place is only counted when there is an error: lines by line feeds, columns by
 * characters, so that it is what an editor shows.
 * Called by the files that make up json_decode.
 * Must not touch the Lua stack; pure but for the sentence it fills. */
#include "worker/core/json/json_decoder.h"

#include <errno.h>
#include <stdio.h>

#include "common/err.h"

int json_decoder_refuse_at(const struct json_decoder *decoder, const char *at, const char *reason)
{
    size_t line = 1;
    size_t column = 1;
    for (const char *here = decoder->start; here < at; here++) {
        if (*here == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)*here & 0xc0) != 0x80; /* not inside a character */
        }
    }
    return fsd_err_set(decoder->err, EINVAL, "invalid JSON at line %zu column %zu: %s", line,
                       column, reason);
}

int json_decoder_refuse(const struct json_decoder *decoder)
{
    char reason[32];
    if (decoder->at >= decoder->end) {
        return json_decoder_refuse_at(decoder, decoder->end, "unexpected end");
    }
    unsigned char byte = (unsigned char)*decoder->at;
    if (byte > ' ' && byte < 0x7f) {
        (void)snprintf(reason, sizeof(reason), "unexpected \"%c\"", byte); /* fits */
    } else {
        (void)snprintf(reason, sizeof(reason), "unexpected byte 0x%02x", byte); /* fits */
    }
    return json_decoder_refuse_at(decoder, decoder->at, reason);
}
