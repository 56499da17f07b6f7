#ifndef FSD_DAEMON_CONF_SCHEMA_VALUE_H
#define FSD_DAEMON_CONF_SCHEMA_VALUE_H

#include <stddef.h>

struct schema_row;
struct source;

enum { SCHEMA_EXPECTED_MAX = 256 };

/* Parses text and writes it into object at the row's offset.  source is where text was written
 * (a relative path starts there); NULL for defaults, which are absolute.  -EINVAL, -ERANGE, or
 * -ENOMEM.  Only for kinds that are one value and need nothing but their text. */
int schema_value_store(const struct schema_row *row, const char *text, const struct source *source,
                       void *object);
/* What a value of the row must be: `a duration between 1s and 1h`. */
void schema_value_describe(const struct schema_row *row, char text[SCHEMA_EXPECTED_MAX]);
/* The words that the row accepts, for "did you mean"; NULL and 0 when it is not a choice. */
const char *const *schema_value_words(const struct schema_row *row, size_t *ret_count);

#endif
