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
/* The same for the row's default, which it must have; "null" leaves the field as it is. */
int schema_value_store_initial(const struct schema_row *row, void *object);
/* What a value of the row must be: `a duration between 1s and 1h`. */
void schema_value_describe(const struct schema_row *row, char text[SCHEMA_EXPECTED_MAX]);

#endif
