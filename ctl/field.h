#ifndef FSD_CTL_FIELD_H
#define FSD_CTL_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { FIELD_TIME_MAX = 32 };

/* Fields of a JSON object that a daemon sent, perhaps of another version: any may be missing or of another kind. */

/* "-" when it is no string. */
const char *field_get_text(const json_t *object, const char *key);
/* Is it this string? */
bool field_is(const json_t *object, const char *key, const char *text);
/* False when it is missing, null, negative or no integer. */
bool field_find_number(const json_t *object, const char *key, uint64_t *ret_number);
/* Milliseconds since 1970 as "2026-11-22 10:31:02Z", "-" when it is no such number. */
void field_format_time(const json_t *object, const char *key, char text[FIELD_TIME_MAX]);

#endif
