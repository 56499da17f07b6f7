/* moment.c - reads dates and times.
 * Owns nothing.  Years have four digits, as RFC 3339 wants them; digits of a fraction behind the ninth are not looked at.  Pure.
 * Called by mod_time.c. */
#include "worker/toolbox/moment.h"

enum { FRACTION_DIGITS = 9, DAY_S = 86400 };

struct reader {
    const char *text;
    size_t len;
    size_t at;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool skip(struct reader *reader, char c)
{
    if (reader->at < reader->len && reader->text[reader->at] == c) {
        reader->at++;
        return true;
    }
    return false;
}

/* So many digits, with a value from least to most. */
static bool take(struct reader *reader, unsigned digits, int least, int most, int *ret_value)
{
    int value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (reader->at == reader->len || !is_digit(reader->text[reader->at])) {
            return false;
        }
        value = value * 10 + (reader->text[reader->at++] - '0');
    }
    *ret_value = value;
    return value >= least && value <= most;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int moment_days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

int64_t moment_of_day(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year; /* whole years since the year 0 */
    int64_t leaps = year == 0 ? 0 : (past - 1) / 4 - (past - 1) / 100 + (past - 1) / 400 + 1;
    int64_t days = past * 365 + leaps + before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
    return (days - 719528) * DAY_S; /* so many days from the year 0 to 1970 */
}

static bool read_date(struct reader *reader, struct moment *moment)
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (!take(reader, 4, 0, 9999, &year) || !skip(reader, '-') || !take(reader, 2, 1, 12, &month) ||
        !skip(reader, '-') || !take(reader, 2, 1, moment_days_in(year, month), &day)) {
        return false;
    }
    moment->seconds = moment_of_day(year, month, day);
    return true;
}

static bool read_fraction(struct reader *reader, struct moment *moment)
{
    unsigned count = 0;
    uint32_t value = 0;
    while (reader->at < reader->len && is_digit(reader->text[reader->at])) {
        if (count < FRACTION_DIGITS) {
            value = value * 10 + (uint32_t)(reader->text[reader->at] - '0');
            count++;
        }
        reader->at++;
    }
    if (count == 0) {
        return false;
    }
    for (; count < FRACTION_DIGITS; count++) {
        value *= 10;
    }
    moment->nanoseconds = value;
    return true;
}

static bool read_time(struct reader *reader, struct moment *moment)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take(reader, 2, 0, 23, &hour) || !skip(reader, ':') || !take(reader, 2, 0, 59, &minute)) {
        return false;
    }
    if (skip(reader, ':')) {
        if (!take(reader, 2, 0, 60, &second)) {
            return false;
        }
        if ((skip(reader, '.') || skip(reader, ',')) && !read_fraction(reader, moment)) {
            return false;
        }
    }
    moment->seconds += hour * 3600 + minute * 60 + second;
    return true;
}

static bool read_offset(struct reader *reader, struct moment *moment)
{
    int hours = 0;
    int minutes = 0;
    if (reader->at == reader->len) {
        return true;
    }
    moment->has_offset = true;
    if (skip(reader, 'Z') || skip(reader, 'z')) {
        return true;
    }
    bool is_west = skip(reader, '-');
    if ((!is_west && !skip(reader, '+')) || !take(reader, 2, 0, 23, &hours)) {
        return false;
    }
    if ((skip(reader, ':') || reader->at < reader->len) && !take(reader, 2, 0, 59, &minutes)) {
        return false;
    }
    int offset = hours * 3600 + minutes * 60;
    moment->offset = is_west ? -offset : offset;
    moment->seconds -= moment->offset;
    return true;
}

bool moment_parse(const char *text, size_t len, struct moment *moment)
{
    struct reader reader = {text, len, 0};
    struct moment read = {0};
    if (!read_date(&reader, &read)) {
        return false;
    }
    if (reader.at < len) {
        bool has_time = skip(&reader, 'T') || skip(&reader, 't') || skip(&reader, ' ');
        if (!has_time || !read_time(&reader, &read) || !read_offset(&reader, &read) ||
            reader.at < len) {
            return false;
        }
    }
    *moment = read;
    return true;
}
