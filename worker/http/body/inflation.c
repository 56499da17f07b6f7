/* inflation.c - inflates a compressed body with limits on what comes out.
 * Owns zlib's state and the bytes that came out.  Each run makes a piece, and looks at the limits before the next one: so a bomb costs no
 * more memory than the limit, and none of it is ever held at once beyond that.  Several gzip members in a row are one body;
 * anything else behind the end is not.
 * Called by body_inflate.c, which lets others run in between.  Must not know Lua. */
#include "worker/http/body/inflation.h"

#include <limits.h>
#include <stdlib.h>

enum {
    ROOM_FIRST = 16 * 1024,
    WINDOW_GZIP = 16 + MAX_WBITS,
    WINDOW_ZLIB = MAX_WBITS,
    WINDOW_RAW = -MAX_WBITS,
};

/* RFC 1950 §2.2: the method is 8, and the two bytes are a multiple of 31. */
static bool has_zlib_header(struct body_text body)
{
    if (body.len < 2) {
        return false;
    }
    unsigned first = (unsigned char)body.bytes[0];
    return (first & 0x0f) == 8 && (first << 8 | (unsigned char)body.bytes[1]) % 31 == 0;
}

void inflation_init(struct inflation *inflation, struct body_text body, bool is_gzip, size_t limit)
{
    int window = is_gzip ? WINDOW_GZIP : has_zlib_header(body) ? WINDOW_ZLIB : WINDOW_RAW;
    *inflation = (struct inflation){.is_gzip = is_gzip, .limit = limit};
    if (inflateInit2(&inflation->stream, window) != Z_OK) {
        abort(); /* the worker's rule: memory out is fatal */
    }
    inflation->is_open = true;
}

void inflation_fini(struct inflation *inflation)
{
    if (inflation->is_open) {
        (void)inflateEnd(&inflation->stream);
    }
    free(inflation->out);
    *inflation = (struct inflation){0};
}

/* One byte more than the limit shows that it is passed. */
static void make_room(struct inflation *inflation)
{
    if (inflation->len < inflation->room) {
        return;
    }
    size_t room = inflation->room == 0 ? ROOM_FIRST : 2 * inflation->room;
    if (room > inflation->limit) {
        room = inflation->limit + 1;
    }
    char *out = realloc(inflation->out, room);
    if (out == NULL) {
        abort();
    }
    inflation->out = out;
    inflation->room = room;
}

/* Behind the end of a stream: another gzip member, or nothing. */
static enum inflation_result judge_rest(struct inflation *inflation, struct body_text body)
{
    if (inflation->used == body.len) {
        return INFLATION_DONE;
    }
    if (!inflation->is_gzip || inflateReset(&inflation->stream) != Z_OK) {
        return INFLATION_BROKEN;
    }
    return INFLATION_GOES_ON;
}

static enum inflation_result judge_size(const struct inflation *inflation)
{
    if (inflation->len > inflation->limit) {
        return INFLATION_TOO_LARGE;
    }
    if (inflation->len > INFLATION_RATIO_FREE &&
        inflation->len / INFLATION_RATIO_MAX > inflation->used) {
        return INFLATION_BOMB;
    }
    return INFLATION_GOES_ON;
}

static enum inflation_result inflate_piece(struct inflation *inflation, struct body_text body,
                                           size_t budget)
{
    z_stream *stream = &inflation->stream;
    make_room(inflation);
    size_t room = inflation->room - inflation->len;
    size_t rest = body.len - inflation->used;
    unsigned in = (unsigned)(rest < UINT_MAX ? rest : UINT_MAX);
    unsigned out = (unsigned)(room < budget ? room : budget);
    stream->next_in = (const unsigned char *)body.bytes + inflation->used;
    stream->avail_in = in;
    stream->next_out = (unsigned char *)inflation->out + inflation->len;
    stream->avail_out = out;
    int r = inflate(stream, Z_NO_FLUSH);
    inflation->used += in - stream->avail_in;
    inflation->len += out - stream->avail_out;
    if (r != Z_OK && r != Z_STREAM_END) {
        return INFLATION_BROKEN; /* Z_BUF_ERROR too: there is room, so it ends too early */
    }
    enum inflation_result result = judge_size(inflation);
    return result == INFLATION_GOES_ON && r == Z_STREAM_END ? judge_rest(inflation, body) : result;
}

enum inflation_result inflation_run(struct inflation *inflation, struct body_text body,
                                    size_t budget)
{
    size_t stop = inflation->len + budget;
    enum inflation_result result = INFLATION_GOES_ON;
    for (size_t calls = 0; result == INFLATION_GOES_ON && inflation->len < stop; calls++) {
        if (calls > budget / 64) {
            break; /* members without content */
        }
        result = inflate_piece(inflation, body, stop - inflation->len);
    }
    return result;
}
