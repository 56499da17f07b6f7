#ifndef FSD_DAEMON_CONF_SCHEMA_FORMAT_H
#define FSD_DAEMON_CONF_SCHEMA_FORMAT_H

#include <stdio.h>

struct conf;
struct schema_row;

/* Writes the value of the row in object as a file would say it, in one form for each value: two
 * values are equal when their texts are.  Names are looked up in conf.  Nothing is written for a
 * section or a map. */
void schema_format(const struct schema_row *row, const struct conf *conf, const void *object,
                   FILE *out);

#endif
