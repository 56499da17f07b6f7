#ifndef FSD_CTL_OUTPUT_H
#define FSD_CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How to write for whoever reads. */
struct output {
    FILE *file; /* borrowed */
    bool color; /* a terminal, and nobody asked for none */
    bool utf8;  /* a terminal whose locale is UTF-8 */
};

enum output_color {
    OUTPUT_PLAIN,
    OUTPUT_BOLD,
    OUTPUT_GREEN,
    OUTPUT_YELLOW,
    OUTPUT_RED,
};

enum { OUTPUT_NUMBER_MAX = 32 };

/* Looks at the file and at LC_ALL, LC_CTYPE, LANG, NO_COLOR and TERM. */
void output_init(struct output *output, FILE *file);

/* Text of others made harmless: control bytes, invalid UTF-8, direction marks, and without utf8 all that is not ASCII, become
 * \xNN.  What does not fit is cut and ends in "...". */
void output_escape(const struct output *output, const char *text, char *escaped, size_t size);
/* Writes text of others, harmless as above, however long; a tab becomes four blanks. */
void output_text(const struct output *output, const char *text);
/* The first len bytes of it. */
void output_text_part(const struct output *output, const char *text, size_t len);
/* Writes text of one or more lines as whole lines; first stands before the first, next before each of the others. */
void output_lines(const struct output *output, const char *first, const char *next,
                  const char *text);
/* How many columns a terminal needs for it (every character counts as one). */
size_t output_width(const char *text);
/* Prints escaped text in a color; width is a minimum, negative: aligned to the left, as in printf. */
void output_print(const struct output *output, enum output_color color, int width,
                  const char *escaped);
/* Prints the value on one line, as it was received. */
void output_json(const struct output *output, const json_t *value);

/* "0.3s" "41s" "12m 05s" "4h 11m" "3d 04:11" */
void output_format_duration(uint64_t duration_ms, char text[OUTPUT_NUMBER_MAX]);
/* "512 B" "4.2 KiB" "212 MiB" */
void output_format_size(uint64_t size_bytes, char text[OUTPUT_NUMBER_MAX]);
/* "1 234 567" */
void output_format_count(uint64_t count, char text[OUTPUT_NUMBER_MAX]);

#endif
