/* cron_parse.c - reads a schedule.
 * Owns the grammar: five fields, each a list of values, ranges and steps; months and weekdays also by name.  One row a field says
 * what it may hold.  As in Vixie's cron, day and weekday are alternatives unless one of them begins with a star.
 * Pure.  Called by mod_timer.c.  Must not know clocks (cron.c). */
#include "worker/lib/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { FIELDS = 5, FIELD_DAY = 2, FIELD_WEEKDAY = 4, WORD_LEN = 3, SUNDAY_TOO = 7 };

static const struct field {
    const char *name;
    int min;
    int max;
    const char *words; /* three letters each, the first one for min */
} fields[FIELDS] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, SUNDAY_TOO, "sunmontuewedthufrisat"},
};

static const struct nickname {
    const char *name;
    const char *text;
} nicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

/* Longest there is; February is asked in leap years. */
static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/* One field that is being read. */
struct reader {
    const struct field *field;
    const char *at; /* in the lower-case text, which ends with NUL */
    const char *begin;
    struct fsd_err *err;
};

static int refuse(const struct reader *reader, const char *why)
{
    int len = (int)strcspn(reader->begin, " \t");
    return fsd_err_set(reader->err, EINVAL, "%s \"%.*s\" %s", reader->field->name, len,
                       reader->begin, why);
}

static int read_word(struct reader *reader, int *ret_value)
{
    const char *words = reader->field->words;
    for (size_t i = 0; words[i * WORD_LEN] != '\0'; i++) {
        if (strncmp(reader->at, words + i * WORD_LEN, WORD_LEN) == 0) {
            *ret_value = reader->field->min + (int)i;
            reader->at += WORD_LEN;
            return 0;
        }
    }
    return refuse(reader, words[0] != '\0' ? "is neither a number nor a name" : "is not a number");
}

static int read_number(struct reader *reader, int *ret_value)
{
    int value = 0;
    while (isdigit((unsigned char)*reader->at) && value < 1000) {
        value = value * 10 + (*reader->at - '0');
        reader->at++;
    }
    *ret_value = value;
    return 0;
}

static int read_value(struct reader *reader, int *ret_value)
{
    if (!isdigit((unsigned char)*reader->at)) {
        return read_word(reader, ret_value);
    }
    (void)read_number(reader, ret_value);
    if (*ret_value < reader->field->min || *ret_value > reader->field->max) {
        return fsd_err_set(reader->err, EINVAL, "%s must be from %d to %d, not %d",
                           reader->field->name, reader->field->min, reader->field->max, *ret_value);
    }
    return 0;
}

/* The end of a range that is not given by a star. */
static int read_last(struct reader *reader, int first, int *ret_last)
{
    if (*reader->at != '-') {
        *ret_last = *reader->at == '/' ? reader->field->max : first; /* 5/15: from 5 on */
        return 0;
    }
    reader->at++;
    int error = read_value(reader, ret_last);
    if (error == 0 && *ret_last == 0 && reader->field->max == SUNDAY_TOO) {
        *ret_last = SUNDAY_TOO; /* sat-sun */
    }
    return error != 0 || *ret_last >= first ? error : refuse(reader, "runs backwards");
}

/* A star, a value or a range, each with an optional step. */
static int read_item(struct reader *reader, uint64_t *bits)
{
    int first = reader->field->min;
    int last = reader->field->max;
    int step = 1;
    if (*reader->at == '*') {
        reader->at++;
    } else {
        int error = read_value(reader, &first);
        error = error != 0 ? error : read_last(reader, first, &last);
        if (error != 0) {
            return error;
        }
    }
    if (*reader->at == '/') {
        reader->at++;
        (void)read_number(reader, &step);
        if (step < 1 || step > reader->field->max) {
            return refuse(reader, "has a step that is 0, missing or too large");
        }
    }
    for (int value = first; value <= last; value += step) {
        *bits |= UINT64_C(1) << value;
    }
    return 0;
}

static int read_field(struct reader *reader, uint64_t *ret_bits)
{
    uint64_t bits = 0;
    int error = read_item(reader, &bits);
    while (error == 0 && *reader->at == ',') {
        reader->at++;
        error = read_item(reader, &bits);
    }
    if (error == 0 && *reader->at != '\0' && *reader->at != ' ' && *reader->at != '\t') {
        error = refuse(reader, "is not a list of values, ranges and steps");
    }
    if (error == 0) {
        *ret_bits = bits;
    }
    return error;
}

static bool has_a_day(const struct cron *cron)
{
    if (!cron->needs_both) {
        return true; /* every month has each weekday */
    }
    for (int month = 1; month <= 12; month++) {
        uint64_t days = (UINT64_C(2) << month_days[month - 1]) - 1;
        if ((cron->months >> month & 1) != 0 && (cron->days & days) != 0) {
            return true;
        }
    }
    return false;
}

static int parse_fields(const char *text, struct cron *cron, struct fsd_err *err)
{
    uint64_t bits[FIELDS];
    bool has_star[FIELDS];
    const char *at = text + strspn(text, " \t");
    for (size_t i = 0; i < FIELDS; i++) {
        struct reader reader = {&fields[i], at, at, err};
        if (*at == '\0') {
            return fsd_err_set(err, EINVAL, "expected 5 fields, got %zu", i);
        }
        has_star[i] = *at == '*';
        int error = read_field(&reader, &bits[i]);
        if (error != 0) {
            return error;
        }
        at = reader.at + strspn(reader.at, " \t");
    }
    if (*at != '\0') {
        return fsd_err_set(err, EINVAL, "expected 5 fields, got more: \"%s\"", at);
    }
    uint64_t weekdays = (bits[FIELD_WEEKDAY] | bits[FIELD_WEEKDAY] >> SUNDAY_TOO) & 0x7f;
    *cron = (struct cron){bits[0], bits[1],  bits[FIELD_DAY],
                          bits[3], weekdays, has_star[FIELD_DAY] || has_star[FIELD_WEEKDAY]};
    return has_a_day(cron)
               ? 0
               : fsd_err_set(err, EINVAL, "no month has such a day: it would never run");
}

int cron_parse(const char *text, size_t len, struct cron *ret_cron, struct fsd_err *err)
{
    char lower[CRON_TEXT_MAX];
    struct cron cron;
    if (len >= sizeof(lower) || memchr(text, '\0', len) != NULL) {
        return fsd_err_set(err, EINVAL, "too long, or with a NUL byte in it");
    }
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    lower[len] = '\0';
    const char *expanded = lower;
    for (size_t i = 0; i < sizeof(nicknames) / sizeof(nicknames[0]); i++) {
        if (strcmp(lower, nicknames[i].name) == 0) {
            expanded = nicknames[i].text;
        }
    }
    if (*expanded == '@') {
        return fsd_err_set(err, EINVAL,
                           "\"%s\" is not one of @hourly, @daily, @weekly, @monthly, @yearly",
                           expanded);
    }
    int error = parse_fields(expanded, &cron, err);
    if (error == 0) {
        *ret_cron = cron;
    }
    return error;
}
