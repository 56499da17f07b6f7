/* access_line.c - one line of the access log, by its format.
 * Owns how each variable is written, and that no client can write lines of its own.
 * Called by access_log.c for each request that is over.  Must not know where lines go. */
#include "worker/http/text/access_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/access_format.h"
#include "worker/core/json/json_write.h"

enum { NUMBER_MAX = 48, TIME_MAX = 40, US_PER_MS = 1000, US_PER_S = 1000000 };

static void write_text(struct json_buf *buf, const char *text)
{
    json_write_bytes(buf, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void write_escaped(struct json_buf *buf, struct access_text text)
{
    static const char digits[] = "0123456789ABCDEF";
    if (text.bytes == NULL || text.len == 0) {
        json_write_char(buf, '-');
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (is_plain(c)) {
            json_write_char(buf, (char)c);
        } else {
            char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 0xf]};
            json_write_bytes(buf, escape, sizeof(escape));
        }
    }
}

static void write_seconds(struct json_buf *buf, uint64_t us)
{
    char number[NUMBER_MAX];
    (void)snprintf(number, sizeof(number), "%" PRIu64 ".%03" PRIu64, us / US_PER_S,
                   us % US_PER_S / US_PER_MS);
    write_text(buf, number);
}

static void write_protocol(struct json_buf *buf, int version)
{
    char text[NUMBER_MAX];
    if (version >= 0x200) {
        (void)snprintf(text, sizeof(text), "HTTP/%d", version >> 8);
    } else {
        (void)snprintf(text, sizeof(text), "HTTP/%d.%d", version >> 8, version & 0xff);
    }
    write_text(buf, text);
}

/* "22/Nov/2026:16:05:01 +0000"; not by strftime, which speaks the language of the environment. */
static void write_time_local(struct json_buf *buf, uint64_t us)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(us / US_PER_S);
    struct tm date;
    char text[TIME_MAX];
    if (gmtime_r(&seconds, &date) == NULL) {
        json_write_char(buf, '-');
        return;
    }
    (void)snprintf(text, sizeof(text), "%02d/%s/%d:%02d:%02d:%02d +0000", date.tm_mday,
                   months[date.tm_mon], date.tm_year + 1900, date.tm_hour, date.tm_min,
                   date.tm_sec);
    write_text(buf, text);
}

static void write_time_iso8601(struct json_buf *buf, uint64_t us)
{
    time_t seconds = (time_t)(us / US_PER_S);
    struct tm date;
    char text[TIME_MAX * 2];
    if (gmtime_r(&seconds, &date) == NULL) {
        json_write_char(buf, '-');
        return;
    }
    (void)snprintf(text, sizeof(text), "%d-%02d-%02dT%02d:%02d:%02d.%03dZ", date.tm_year + 1900,
                   date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
                   (int)(us % US_PER_S / US_PER_MS));
    write_text(buf, text);
}

static void write_request(struct json_buf *buf, const struct access_facts *facts)
{
    write_escaped(buf, facts->method);
    json_write_char(buf, ' ');
    write_escaped(buf, facts->uri);
    json_write_char(buf, ' ');
    write_protocol(buf, facts->version);
}

static void write_worker(struct json_buf *buf, int64_t slot)
{
    if (slot < 0) {
        json_write_char(buf, '-');
    } else {
        json_write_integer(buf, slot);
    }
}

/* The text that a variable stands for; it is one of these. */
static const struct access_text *find_text(enum access_variable variable,
                                           const struct access_facts *facts)
{
    const struct access_text *const texts[ACCESS_WORKER + 1] = {
        [ACCESS_HOST] = &facts->host,
        [ACCESS_POOL] = &facts->pool,
        [ACCESS_REMOTE_ADDR] = &facts->remote_addr,
        [ACCESS_REMOTE_USER] = &facts->remote_user,
        [ACCESS_REQUEST_ID] = &facts->request_id,
        [ACCESS_REQUEST_METHOD] = &facts->method,
        [ACCESS_REQUEST_URI] = &facts->uri,
    };
    return texts[variable];
}

static void write_item(struct json_buf *buf, const struct access_item *item,
                       const struct access_facts *facts)
{
    switch (item->variable) {
    case ACCESS_LITERAL:
        json_write_bytes(buf, item->text, item->len);
        break;
    case ACCESS_REQUEST_HEADER:
        write_escaped(buf, facts->find_header(facts->ctx, false, item->text, item->len));
        break;
    case ACCESS_RESPONSE_HEADER:
        write_escaped(buf, facts->find_header(facts->ctx, true, item->text, item->len));
        break;
    case ACCESS_BODY_BYTES_SENT:
        json_write_integer(buf, (int64_t)facts->body_bytes);
        break;
    case ACCESS_HOST:
    case ACCESS_POOL:
    case ACCESS_REMOTE_ADDR:
    case ACCESS_REMOTE_USER:
    case ACCESS_REQUEST_ID:
    case ACCESS_REQUEST_METHOD:
    case ACCESS_REQUEST_URI:
        write_escaped(buf, *find_text(item->variable, facts));
        break;
    case ACCESS_MSEC:
        write_seconds(buf, facts->ended_us);
        break;
    case ACCESS_PID:
        json_write_integer(buf, facts->pid);
        break;
    case ACCESS_REQUEST:
        write_request(buf, facts);
        break;
    case ACCESS_REQUEST_TIME:
        write_seconds(buf, facts->took_us);
        break;
    case ACCESS_SERVER_PROTOCOL:
        write_protocol(buf, facts->version);
        break;
    case ACCESS_STATUS:
        json_write_integer(buf, facts->status);
        break;
    case ACCESS_TIME_ISO8601:
        write_time_iso8601(buf, facts->ended_us);
        break;
    case ACCESS_TIME_LOCAL:
        write_time_local(buf, facts->ended_us);
        break;
    case ACCESS_WORKER:
        write_worker(buf, facts->worker);
        break;
    }
}

/* What is not UTF-8 is escaped first, as in a template. */
static void write_string(struct json_buf *buf, const char *key, struct access_text text)
{
    write_text(buf, key);
    if (text.bytes == NULL) {
        write_text(buf, "null");
    } else if (!json_write_string(buf, text.bytes, text.len)) {
        struct json_buf escaped;
        json_buf_init(&escaped);
        write_escaped(&escaped, text);
        (void)json_write_string(buf, escaped.data, escaped.len); /* it is ASCII */
        json_buf_fini(&escaped);
    }
}

static void write_header(struct json_buf *buf, const char *key, const struct access_facts *facts,
                         const char *name)
{
    write_string(buf, key, facts->find_header(facts->ctx, false, name, strlen(name)));
}

static void write_json(struct json_buf *buf, const struct access_facts *facts)
{
    write_text(buf, "{\"time\":\"");
    write_time_iso8601(buf, facts->ended_us);
    write_string(buf, "\",\"remote_addr\":", facts->remote_addr);
    write_string(buf, ",\"remote_user\":", facts->remote_user);
    write_string(buf, ",\"method\":", facts->method);
    write_string(buf, ",\"uri\":", facts->uri);
    write_text(buf, ",\"protocol\":\"");
    write_protocol(buf, facts->version);
    write_string(buf, "\",\"host\":", facts->host);
    write_text(buf, ",\"status\":");
    json_write_integer(buf, facts->status);
    write_text(buf, ",\"body_bytes_sent\":");
    json_write_integer(buf, (int64_t)facts->body_bytes);
    write_text(buf, ",\"request_time\":");
    write_seconds(buf, facts->took_us);
    write_string(buf, ",\"request_id\":", facts->request_id);
    write_header(buf, ",\"referer\":", facts, "referer");
    write_header(buf, ",\"user_agent\":", facts, "user-agent");
    write_header(buf, ",\"forwarded_for\":", facts, "x-forwarded-for");
    write_string(buf, ",\"pool\":", facts->pool);
    write_text(buf, ",\"worker\":");
    json_write_integer(buf, facts->worker);
    json_write_char(buf, '}');
}

void access_line_write(const struct access_format *format, const struct access_facts *facts,
                       struct json_buf *buf)
{
    if (format->is_json) {
        write_json(buf, facts);
    }
    for (size_t i = 0; i < format->count; i++) {
        write_item(buf, &format->items[i], facts);
    }
    json_write_char(buf, '\n');
}
