/* output.c - how fsdctl writes: colors, numbers for people, text of others made harmless.
 * Owns nothing.  How: struct output says once what the reader's terminal can show; everything else asks it.
 * Escaping is done on characters, so that a name with accents stays readable where the terminal shows UTF-8, and nothing
 * that a daemon sends can move the cursor or hide a part of a line.
 * Called by the commands and table.c.  Must not know what is written. */
#include "ctl/output.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/terminal.h"

static const char *const color_codes[] = {
    [OUTPUT_PLAIN] = "",          [OUTPUT_BOLD] = "\033[1m", [OUTPUT_GREEN] = "\033[32m",
    [OUTPUT_YELLOW] = "\033[33m", [OUTPUT_RED] = "\033[31m",
};

static bool is_utf8_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') { /* the first that is set decides */
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

void output_init(struct output *output, FILE *file)
{
    int fd = fileno(file);
    bool terminal = fd >= 0 && isatty(fd) == 1;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    output->file = file;
    output->utf8 = terminal && is_utf8_locale();
    output->color = terminal && (no_color == NULL || no_color[0] == '\0') &&
                    (term == NULL || strcmp(term, "dumb") != 0);
}

/* The length of the UTF-8 character at text; 0: there is none, or one that must not be shown. */
static size_t measure_character(const unsigned char *text, bool utf8)
{
    unsigned char first = text[0];
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    }
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (!utf8 || first < 0xc2 || first > 0xf4) {
        return 0;
    }
    unsigned long code = first & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    bool is_bad =
        code < least[len] || code > 0x10ffff || surrogate || terminal_is_unsafe((uint32_t)code);
    return is_bad ? 0 : len;
}

void output_escape(const struct output *output, const char *text, char *escaped, size_t size)
{
    static const char cut[] = "...";
    size_t used = 0;
    size_t safe = 0; /* up to here "..." still fits behind */
    for (const char *at = text; *at != '\0';) {
        char piece[8];
        size_t len = measure_character((const unsigned char *)at, output->utf8);
        size_t piece_len = len;
        if (len > 0) {
            memcpy(piece, at, len);
        } else {
            piece_len = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)*at);
            len = 1;
        }
        if (used + piece_len + 1 > size) {
            memcpy(escaped + safe, cut, sizeof(cut));
            return;
        }
        memcpy(escaped + used, piece, piece_len);
        used += piece_len;
        safe = used + sizeof(cut) <= size ? used : safe;
        at += len;
    }
    escaped[used] = '\0';
}

void output_text_part(const struct output *output, const char *text, size_t len)
{
    for (const char *end = text + len; text < end;) {
        size_t character = measure_character((const unsigned char *)text, output->utf8);
        if (character > 0) {
            (void)fwrite(text, 1, character, output->file);
        } else if (*text == '\t') {
            (void)fputs("    ", output->file);
        } else {
            (void)fprintf(output->file, "\\x%02x", (unsigned char)*text);
        }
        text += character > 0 ? character : 1;
    }
}

void output_text(const struct output *output, const char *text)
{
    output_text_part(output, text, strlen(text));
}

void output_lines(const struct output *output, const char *first, const char *next,
                  const char *text)
{
    const char *before = first;
    do {
        size_t len = strcspn(text, "\n");
        (void)fputs(before, output->file);
        output_text_part(output, text, len);
        (void)fputc('\n', output->file);
        text += len + (text[len] == '\n');
        before = next;
    } while (*text != '\0');
}

size_t output_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += (*text & 0xc0) != 0x80; /* the bytes that follow in a character count nothing */
    }
    return width;
}

void output_print(const struct output *output, enum output_color color, int width,
                  const char *escaped)
{
    bool colored = output->color && color != OUTPUT_PLAIN;
    int padding = abs(width) - (int)output_width(escaped);
    padding = padding > 0 ? padding : 0;
    (void)fprintf(output->file, "%*s%s%s%s%*s", width > 0 ? padding : 0, "",
                  colored ? color_codes[color] : "", escaped, colored ? "\033[0m" : "",
                  width < 0 ? padding : 0, "");
}

void output_json(const struct output *output, const json_t *value)
{
    (void)json_dumpf(value, output->file, JSON_COMPACT | JSON_ENCODE_ANY);
    (void)fputc('\n', output->file);
}

void output_format_duration(uint64_t duration_ms, char text[OUTPUT_NUMBER_MAX])
{
    unsigned long long seconds = duration_ms / 1000;
    unsigned long long minutes = seconds / 60;
    unsigned long long hours = minutes / 60;
    if (seconds < 10) {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "%llu.%llus", seconds,
                       (unsigned long long)(duration_ms % 1000 / 100));
    } else if (minutes < 1) {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "%llus", seconds);
    } else if (hours < 1) {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "%llum %02llus", minutes, seconds % 60);
    } else if (hours < 24) {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "%lluh %02llum", hours, minutes % 60);
    } else {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "%llud %02llu:%02llu", hours / 24, hours % 24,
                       minutes % 60);
    }
}

void output_format_size(uint64_t size_bytes, char text[OUTPUT_NUMBER_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)size_bytes;
    size_t unit = 0;
    while (value >= (unit == 0 ? 1024.0 : 1023.5)) { /* what would be rounded to 1024 moves on */
        value /= 1024;
        unit++;
    }
    bool exact = unit == 0 || value >= 9.95;
    (void)snprintf(text, OUTPUT_NUMBER_MAX, "%.*f %s", exact ? 0 : 1, value, units[unit]);
}

void output_format_count(uint64_t count, char text[OUTPUT_NUMBER_MAX])
{
    char digits[OUTPUT_NUMBER_MAX];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            text[used++] = ' ';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}
