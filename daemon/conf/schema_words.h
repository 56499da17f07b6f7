#ifndef FSD_DAEMON_CONF_SCHEMA_WORDS_H
#define FSD_DAEMON_CONF_SCHEMA_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf/schema.h"

enum { SCHEMA_WORDS_MAX = 8 }; /* of one kind */

/* The words that a kind of value accepts; returns how many, 0 when it knows none. */
size_t schema_words_list(enum schema_kind kind, const char *ret_words[SCHEMA_WORDS_MAX]);
/* What a word of the kind means; false when it is none. */
bool schema_words_find(enum schema_kind kind, const char *text, uint32_t *ret_value);
/* The word for a value, NULL when there is none. */
const char *schema_words_name(enum schema_kind kind, uint32_t value);

#endif
