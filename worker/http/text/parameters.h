#ifndef FSD_WORKER_HTTP_TEXT_PARAMETERS_H
#define FSD_WORKER_HTTP_TEXT_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>

/* What may stand behind a word in a header: text/html;charset=utf-8;q="0.5".  Pure; nothing is allocated, and everything points
 * into the caller's text. */

/* A piece of text, not terminated. */
struct parameter_text {
    const char *bytes; /* borrowed from the caller */
    size_t len;
};

/* Where reading has come to: at a ;, or at what ends the parameters. */
struct parameters {
    const char *at;
    const char *end;
};

/* The value as it was sent, but between its quotes when it had some: \x means x then. */
struct parameter {
    struct parameter_text name;
    struct parameter_text value;
    bool is_quoted;
};

/* The next parameter that has a = (others are passed over).  When there is none, at is at the comma behind them, or at the end. */
bool parameters_next(struct parameters *parameters, struct parameter *ret_parameter);
/* Where a word ends: at a ; or a comma. */
const char *parameters_find_end(const char *at, const char *end);
/* Without the blanks around it. */
struct parameter_text parameters_trim(const char *start, const char *end);
/* The same letters, in any case. */
bool parameters_is_text(struct parameter_text text, struct parameter_text other);
/* Whether the values are the same, in any case and however they are quoted. */
bool parameters_is_value(const struct parameter *parameter, const struct parameter *other);
/* Copies the value without \ of quoted ones; out has room for value.len bytes.  Returns how many there are. */
size_t parameters_copy_value(const struct parameter *parameter, char *out);

#endif
