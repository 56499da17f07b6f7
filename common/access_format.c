/* access_format.c - the format of the access log, taken apart.
 * Owns the names of the variables, which are those of nginx, and its format "combined".  A template becomes a list of items that a
 * line is written by; the text that it came from is copied, header names in it are turned into what they are in a head.
 * The master parses it to judge the configuration, each worker to write.  Pure.  Must not know where values come from. */
#include "common/access_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/nearest.h"

static const char combined[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status "
                               "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

static const struct {
    const char *name;
    enum access_variable variable;
} rows[] = {
    {"body_bytes_sent", ACCESS_BODY_BYTES_SENT},
    {"host", ACCESS_HOST},
    {"msec", ACCESS_MSEC},
    {"pid", ACCESS_PID},
    {"pool", ACCESS_POOL},
    {"remote_addr", ACCESS_REMOTE_ADDR},
    {"remote_user", ACCESS_REMOTE_USER},
    {"request", ACCESS_REQUEST},
    {"request_id", ACCESS_REQUEST_ID},
    {"request_method", ACCESS_REQUEST_METHOD},
    {"request_time", ACCESS_REQUEST_TIME},
    {"request_uri", ACCESS_REQUEST_URI},
    {"server_protocol", ACCESS_SERVER_PROTOCOL},
    {"status", ACCESS_STATUS},
    {"time_iso8601", ACCESS_TIME_ISO8601},
    {"time_local", ACCESS_TIME_LOCAL},
    {"worker", ACCESS_WORKER},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), NAME_MAX_BYTES = 64 };

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool begins_with(const char *name, size_t len, const char *prefix)
{
    size_t prefix_len = strlen(prefix);
    return len > prefix_len && memcmp(name, prefix, prefix_len) == 0;
}

/* Names of variables have _ where those of headers have a hyphen. */
static void set_header(struct access_item *item, enum access_variable variable, char *name,
                       size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '_') {
            name[i] = '-';
        } else if (name[i] >= 'A' && name[i] <= 'Z') {
            name[i] = (char)(name[i] | 0x20);
        }
    }
    *item = (struct access_item){variable, name, len};
}

static int refuse(const char *name, size_t len, size_t position, struct fsd_err *err)
{
    const char *names[ROWS];
    char word[NAME_MAX_BYTES];
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = rows[i].name;
    }
    (void)snprintf(word, sizeof(word), "%.*s", (int)len, name);
    const char *meant = nearest_find(word, names, ROWS);
    return fsd_err_set(err, EINVAL, "there is no variable \"$%s\" (at character %zu)%s%s%s", word,
                       position, meant == NULL ? "" : "; did you mean \"$",
                       meant == NULL ? "" : meant, meant == NULL ? "" : "\"?");
}

/* name follows the $ that stands at position. */
static int read_variable(struct access_item *item, char *name, size_t len, size_t position,
                         struct fsd_err *err)
{
    if (len == 0) {
        return fsd_err_set(err, EINVAL,
                           "a variable's name must follow the \"$\" (at character %zu)", position);
    }
    if (begins_with(name, len, "http_")) {
        set_header(item, ACCESS_REQUEST_HEADER, name + 5, len - 5);
        return 0;
    }
    if (begins_with(name, len, "sent_http_")) {
        set_header(item, ACCESS_RESPONSE_HEADER, name + 10, len - 10);
        return 0;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0) {
            *item = (struct access_item){rows[i].variable, NULL, 0};
            return 0;
        }
    }
    return refuse(name, len, position, err);
}

static int read_items(struct access_format *format, struct fsd_err *err)
{
    char *at = format->text;
    while (*at != '\0') {
        if (format->count == ACCESS_FORMAT_ITEMS_MAX) {
            return fsd_err_set(err, EINVAL, "there are more than %d variables and texts in it",
                               ACCESS_FORMAT_ITEMS_MAX);
        }
        struct access_item *item = &format->items[format->count++];
        size_t len = strcspn(at, "$");
        if (len > 0) {
            *item = (struct access_item){ACCESS_LITERAL, at, len};
            at += len;
            continue;
        }
        size_t position = (size_t)(at - format->text) + 1;
        at++;
        while (is_of_name(at[len])) {
            len++;
        }
        int error = read_variable(item, at, len, position, err);
        if (error != 0) {
            return error;
        }
        at += len;
    }
    return 0;
}

int access_format_parse(struct access_format *ret_format, const char *text, struct fsd_err *err)
{
    const char *template = strcmp(text, "combined") == 0 ? combined : text;
    size_t len = strlen(template);
    ret_format->count = 0;
    ret_format->is_json = strcmp(text, "json") == 0;
    if (ret_format->is_json) {
        return 0;
    }
    if (strchr(template, '$') == NULL) {
        return fsd_err_set(err, EINVAL,
                           "it is neither \"combined\" nor \"json\" nor a template with variables "
                           "such as \"$status\"");
    }
    if (len >= sizeof(ret_format->text)) {
        return fsd_err_set(err, EINVAL, "it is longer than %zu bytes",
                           sizeof(ret_format->text) - 1);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)template[i] < 0x20 && template[i] != '\t') {
            return fsd_err_set(err, EINVAL, "there is a control character in it (at character %zu)",
                               i + 1);
        }
    }
    memcpy(ret_format->text, template, len + 1);
    return read_items(ret_format, err);
}
