/* field.c - reading fields of an answer without trusting its shape.
 * Owns nothing; texts are borrowed from the object.
 * Called by the commands that print an answer.  Must not print, nor decide which fields are needed. */
#include "ctl/field.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

const char *field_get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

bool field_is(const json_t *object, const char *key, const char *text)
{
    return strcmp(field_get_text(object, key), text) == 0;
}

bool field_find_number(const json_t *object, const char *key, uint64_t *ret_number)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return false;
    }
    *ret_number = (uint64_t)json_integer_value(value);
    return true;
}

void field_format_time(const json_t *object, const char *key, char text[FIELD_TIME_MAX])
{
    static const uint64_t year_10000_ms = 253402300800000;
    uint64_t at_ms = 0;
    char full[CLOCK_TEXT_MAX];
    if (!field_find_number(object, key, &at_ms) || at_ms >= year_10000_ms) {
        (void)snprintf(text, FIELD_TIME_MAX, "-");
        return;
    }
    clock_format(at_ms * 1000, full);
    (void)snprintf(text, FIELD_TIME_MAX, "%.10s %.8sZ", full, full + 11);
}
