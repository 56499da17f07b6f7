/* field.c - reading fields of an answer without trusting its shape.
 * Owns nothing; texts are borrowed from the object.
 * Called by the commands that print an answer.  Must not print, nor decide which fields are needed. */
#include "ctl/field.h"

#include <string.h>

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
