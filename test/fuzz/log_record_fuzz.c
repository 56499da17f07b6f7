/* sources: daemon/log/log_record.c daemon/log/log_line.c daemon/log/log_json.c daemon/log/log_journal.c daemon/log/log_buf.c daemon/log/text.c common/msgpack_read.c common/msgpack.c common/clock.c common/log_level.c common/err.c common/terminal.c | jansson */
/* A worker's log record: whatever it is, the text has no control byte but newlines, the JSON is one valid line, what goes over the
 * control socket is JSON that everybody can read, and the journal gets whole fields. */
#include "daemon/log/log_record.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/log/log_buf.h"
#include "daemon/log/log_journal.h"
#include "daemon/log/log_json.h"
#include "daemon/log/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char line[LOG_LINE_MAX];

static void check_text(const struct log_record *record)
{
    size_t len = log_line_format(record, LOG_FORM_TEXT, line, sizeof(line));
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 && line[i] != '\n') {
            abort();
        }
        if (line[i] == '\n' && i + 1 < len && memcmp(&line[i], "\n    ", 5) != 0) {
            abort(); /* a line that could pass for a record */
        }
    }
}

static void check_json(const struct log_record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        if (memchr(record->fields[i].key, '\0', record->fields[i].key_len) != NULL) {
            return; /* the parser used here refuses NUL in a key */
        }
    }
    size_t len = log_line_format(record, LOG_FORM_JSON, line, sizeof(line));
    json_t *parsed = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    if (parsed == NULL || memchr(line, '\n', len) != line + len - 1) {
        abort();
    }
    json_decref(parsed);
}

static void check_answer(const struct log_record *record)
{
    struct log_buf buf = {line, 0, sizeof(line), false};
    log_json_put(&buf, record, LOG_JSON_RECORD);
    json_t *parsed = json_loadb(line, buf.len, 0, NULL);
    if (parsed == NULL || buf.is_cut ||
        json_integer_value(json_object_get(parsed, "slot")) != record->subject.slot) {
        abort();
    }
    json_decref(parsed);
}

static void check_journal(const struct log_record *record)
{
    static char packet[LOG_JOURNAL_MAX];
    const char *end = packet + log_journal_encode(record, packet, sizeof(packet));
    for (const char *at = packet; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        uint64_t len = 0;
        for (size_t i = 8; newline != NULL && i > 0; i--) {
            len = len << 8 | (unsigned char)newline[i];
        }
        if (newline == NULL || len >= (uint64_t)(end - newline) || newline[9 + len] != '\n') {
            abort();
        }
        at = newline + 9 + len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_record record;
    uint64_t dropped;
    if (size <= PROTO_LOG_MAX && log_record_decode(data, size, &record, &dropped, NULL) == 0) {
        record.subject = (struct log_subject){"web", 1, 2};
        check_text(&record);
        check_json(&record);
        check_answer(&record);
        check_journal(&record);
    }
    return 0;
}
