/* header_text.c - the words of a response head: which bytes may stand in it, reason phrases, short names of types.
 * Owns two tables (types: mime.c).  Pure: no Lua, no libh2o.  Called by response.c, answer.c and native.c for everything that comes from an
 * application, because libh2o 2.2.5 would send a line break in a header as it is. */
#include "worker/http/text/header_text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/head_bytes.h"
#include "worker/http/text/mime.h"

bool header_text_is_name(const char *text, size_t len)
{
    return len > 0 && head_bytes_skip_token(text, text + len) == text + len;
}

/* Whether one of eight bytes is below the blank or DEL; other bytes may be taken for such when one is. */
static bool has_suspect(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones * 0x80;
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    uint64_t deletes = word ^ ones * 0x7f;
    return (((word - ones * 0x20) & ~word) | ((deletes - ones) & ~deletes)) & highs;
}

bool header_text_is_value(const char *text, size_t len)
{
    size_t i = 0;
    while (len - i >= sizeof(uint64_t) && !has_suspect(text + i)) {
        i += sizeof(uint64_t); /* nearly always: a value is a dozen bytes or two */
    }
    for (; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool header_text_is_ours(const char *name, size_t len)
{
    static const char *const ours[] = {
        "connection", "content-length",    "date",    "keep-alive", "server", "te",
        "trailer",    "transfer-encoding", "upgrade",
    };
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strlen(ours[i]) == len && strncasecmp(ours[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

const char *header_text_fault(const char *name, size_t name_len, const char *value, size_t len)
{
    if (!header_text_is_name(name, name_len) || name_len > HEADER_TEXT_NAME_MAX) {
        return "the name is too long, or has a character that a header name can't have";
    }
    if (header_text_is_ours(name, name_len)) {
        return "fsd sets it itself";
    }
    return header_text_is_value(value, len) ? NULL
                                            : "the value has a line break or control character";
}

const char *header_text_find_type(const char *word)
{
    if (strcmp(word, "form") == 0) {
        return "application/x-www-form-urlencoded";
    }
    return mime_find(word, strlen(word));
}

static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a Teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {499, "Client Closed Request"}, /* nginx's number; nobody is left to read it */
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {509, "Bandwidth Limit Exceeded"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};

const char *header_text_reason(int status)
{
    if (status == 200) { /* nearly always */
        return "OK";
    }
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Unknown";
}
