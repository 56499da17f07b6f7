/* crash_id.c - the names of crash reports.
 * Owns nothing.  An id is the file's name and what a person types, so it sorts by time and has nothing in it that a path,
 * a shell or a terminal knows.  Called by crashes.c (makes one) and store.c (believes none before it was checked).  Pure. */
#include "daemon/crash/crash_id.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

enum { TIME_LEN = sizeof("20261122-103355-") - 1 };

#define LAST_US 253402300799999999ULL /* the end of the year 9999: four digits */

/* "2026-11-22T10:33:55.123Z" to "20261122-103355-". */
static void format_time(uint64_t at_us, char text[TIME_LEN + 1])
{
    char full[CLOCK_TEXT_MAX];
    clock_format(at_us < LAST_US ? at_us : LAST_US, full);
    (void)snprintf(text, TIME_LEN + 1, "%.4s%.2s%.2s-%.2s%.2s%.2s-", full, full + 5, full + 8,
                   full + 11, full + 14, full + 17);
}

void crash_id_format(uint64_t at_us, const char *pool, unsigned slot, uint64_t incarnation,
                     unsigned repeat, char id[CRASH_ID_MAX])
{
    char start[TIME_LEN + 1];
    format_time(at_us, start);
    char again[16] = "";
    if (repeat > 0) {
        (void)snprintf(again, sizeof(again), "-%u", repeat);
    }
    char place[16] = "standby";
    if (slot != CRASH_NO_SLOT) {
        (void)snprintf(place, sizeof(place), "%u", slot);
    }
    (void)snprintf(id, CRASH_ID_MAX, "%s%.64s-%s-%llu%s", start, pool, place,
                   (unsigned long long)incarnation, again);
    for (char *at = id; *at != '\0'; at++) {
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '-';
    }
}

bool crash_id_is_valid(const char *id)
{
    size_t len = strnlen(id, CRASH_ID_MAX);
    if (len < TIME_LEN + 4 || len >= CRASH_ID_MAX) { /* at least a letter, slot and incarnation */
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_dash_place = i == 8 || i == TIME_LEN - 1;
        bool is_digit = isdigit((unsigned char)id[i]);
        bool is_other = islower((unsigned char)id[i]) || id[i] == '-';
        if (i < TIME_LEN ? (is_dash_place ? id[i] != '-' : !is_digit) : !is_digit && !is_other) {
            return false;
        }
    }
    return true;
}

bool crash_id_is_of(const char *id, uint64_t at_us)
{
    char start[TIME_LEN + 1];
    format_time(at_us, start);
    return strncmp(id, start, TIME_LEN) == 0;
}
