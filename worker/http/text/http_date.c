/* http_date.c - dates as heads have them, written and read.
 *
 * Owns the names of days and months.  The calendar is counted here and not by the C library, which looks at the time zone's
 * files and at the locale, and takes texts that are no dates; years begin in March, so that the leap day is the last one.  Each form
 * that may be read is a pattern, walked letter by letter.
 * Called for Last-Modified, Expires and the conditions of requests (conditional.c).  Pure.
 * Must not know what time it is. */
#include "worker/http/text/http_date.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    NAME_LEN = 3,
    DAY_S = 86400,
    DAYS_OF_ERA = 146097,     /* 400 years */
    DAYS_TO_1970 = 719468,    /* from the first of March of year 0 */
    FIRST_YEAR_OF_TWO = 1970, /* what two digits may mean at least */
};

static const char day_names[][NAME_LEN + 1] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[][NAME_LEN + 1] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const long_day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};

/* n and N: name of a day, short and long; M: month; d: two digits of a day, e: the same with a blank before one digit; Y, y: year of
 * four and of two digits; t: "08:49:37".  Anything else is itself. */
static const char *const patterns[] = {"n, d M Y t G\1T", "N, d-M-y t G\1T", "n M e t Y"};

struct date {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int seconds;
};

struct cursor {
    const char *at;
    const char *end;
};

static int64_t count_days(int64_t year, int month, int day)
{
    int from_march = (month + 9) % 12;
    year -= month <= 2 ? 1 : 0;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * from_march + 2) / 5 + day - 1;
    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static void split_days(int64_t days, struct date *date)
{
    int64_t since = days + DAYS_TO_1970;
    int64_t of_era = since % DAYS_OF_ERA;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    date->day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    date->month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    date->year = since / DAYS_OF_ERA * 400 + year + (date->month <= 2 ? 1 : 0);
}

static char *write_name(char *to, const char *name)
{
    memcpy(to, name, NAME_LEN);
    return to + NAME_LEN;
}

static char *write_two(char *to, int number, char behind)
{
    to[0] = (char)('0' + number / 10);
    to[1] = (char)('0' + number % 10);
    to[2] = behind;
    return to + 3;
}

void http_date_format(int64_t seconds, char text[HTTP_DATE_LEN + 1])
{
    struct date date;
    seconds = seconds < 0 ? 0 : seconds;
    seconds = seconds > HTTP_DATE_LAST ? HTTP_DATE_LAST : seconds;
    int64_t days = seconds / DAY_S;
    int second = (int)(seconds % DAY_S);
    split_days(days, &date);
    char *to = write_name(text, day_names[(days + 4) % 7]); /* 1970 began with a Thursday */
    *to++ = ',';
    *to++ = ' ';
    to = write_two(to, date.day, ' ');
    to = write_name(to, month_names[date.month - 1]);
    *to++ = ' ';
    to = write_two(to, (int)(date.year / 100), ' ') - 1;
    to = write_two(to, (int)(date.year % 100), ' ');
    to = write_two(to, second / 3600, ':');
    to = write_two(to, second / 60 % 60, ':');
    to = write_two(to, second % 60, ' ');
    memcpy(to, "GMT", sizeof("GMT"));
}

static bool take_char(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool take_text(struct cursor *cursor, const char *wanted)
{
    size_t len = strlen(wanted);
    if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, wanted, len) != 0) {
        return false;
    }
    cursor->at += len;
    return true;
}

static bool take_number(struct cursor *cursor, int digits, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') {
            return false;
        }
        number = number * 10 + (*cursor->at++ - '0');
    }
    *ret_number = number;
    return true;
}

static bool take_year(struct cursor *cursor, int digits, int64_t *ret_year)
{
    int year;
    if (!take_number(cursor, digits, &year)) {
        return false;
    }
    if (digits == 2) {
        year += FIRST_YEAR_OF_TWO - FIRST_YEAR_OF_TWO % 100;
        year += year < FIRST_YEAR_OF_TWO ? 100 : 0;
    }
    *ret_year = year;
    return true;
}

static bool take_day_name(struct cursor *cursor, bool is_long)
{
    for (size_t i = 0; i < sizeof(day_names) / sizeof(day_names[0]); i++) {
        if (take_text(cursor, is_long ? long_day_names[i] : day_names[i])) {
            return true;
        }
    }
    return false;
}

static bool take_month(struct cursor *cursor, int *ret_month)
{
    for (int i = 0; i < 12; i++) {
        if (take_text(cursor, month_names[i])) {
            *ret_month = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_time(struct cursor *cursor, int *ret_seconds)
{
    int hour;
    int minute;
    int second;
    if (!take_number(cursor, 2, &hour) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &minute) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &second) || hour > 23 || minute > 59 ||
        second > 60) { /* the sixtieth is a leap second */
        return false;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* What stands for one letter of a pattern. */
static bool take_part(struct cursor *cursor, char part, struct date *date)
{
    switch (part) {
    case 'n':
    case 'N':
        return take_day_name(cursor, part == 'N');
    case 'M':
        return take_month(cursor, &date->month);
    case 'd':
        return take_number(cursor, 2, &date->day);
    case 'e':
        return take_number(cursor, take_char(cursor, ' ') ? 1 : 2, &date->day);
    case 'Y':
    case 'y':
        return take_year(cursor, part == 'Y' ? 4 : 2, &date->year);
    case 't':
        return take_time(cursor, &date->seconds);
    case '\1': /* the M of GMT */
        return take_char(cursor, 'M');
    default:
        return take_char(cursor, part);
    }
}

static bool is_day(const struct date *date)
{
    static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);
    int last = date->month == 2 && !is_leap ? 28 : longest[date->month - 1];
    return date->day >= 1 && date->day <= last;
}

int http_date_parse(const char *text, size_t len, int64_t *ret_seconds)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct cursor cursor = {text, text + len};
        struct date date = {0};
        const char *part = patterns[i];
        while (*part != '\0' && take_part(&cursor, *part, &date)) {
            part++;
        }
        if (*part == '\0' && cursor.at == cursor.end && is_day(&date)) {
            *ret_seconds = count_days(date.year, date.month, date.day) * DAY_S + date.seconds;
            return 0;
        }
    }
    return -EINVAL;
}
