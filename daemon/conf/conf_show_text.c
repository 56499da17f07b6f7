/*
 * conf_show_text.c - values of an application as one line of text.
 *
 * Owns how a value looks that no row describes, and what may stand in a shown line at all.  The
 * result is for people and for comparing two configurations, not for reading back: it does not tell
 * "1" from 1.
 *
 * Called by conf_show.c.  Must not know keys.
 */
#include "daemon/conf/conf_show_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/terminal.h"
#include "daemon/conf/yaml.h"
#include "daemon/log/text.h"

static void write_escape(unsigned char byte, FILE *out)
{
    if (byte == '\n') {
        (void)fputs("\\n", out);
    } else if (byte == '\t') {
        (void)fputs("\\t", out);
    } else {
        (void)fprintf(out, "\\x%02x", byte);
    }
}

/* A failure to write shows when out is closed. */
static void write_escaped(const char *text, size_t len, FILE *out)
{
    while (len > 0) {
        int32_t code = 0;
        size_t used = text_next(text, len, &code);
        if (code >= 0 && !terminal_is_unsafe((uint32_t)code)) {
            (void)fwrite(text, 1, used, out);
        } else {
            for (size_t i = 0; i < used; i++) {
                write_escape((unsigned char)text[i], out);
            }
        }
        text += used;
        len -= used;
    }
}

static void write_node(const struct yaml_node *node, FILE *out)
{
    bool is_map = node->kind == YAML_MAP;

    if (node->kind == YAML_SCALAR) {
        if (node->is_expanded) {
            (void)fputs(CONF_SHOW_TEXT_SECRET, out);
        } else {
            write_escaped(node->text, node->len, out);
        }
        return;
    }
    (void)fputc(is_map ? '{' : '[', out);
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        if (child != node->child) {
            (void)fputs(", ", out);
        }
        if (is_map) {
            write_escaped(child->key, strlen(child->key), out);
            (void)fputs(": ", out);
        }
        write_node(child, out);
    }
    (void)fputc(is_map ? '}' : ']', out);
}

/* Ends what open_memstream began; NULL: no memory. */
static char *finish(FILE *out, char **text)
{
    if (fclose(out) != 0) {
        free(*text);
        return NULL;
    }
    return *text;
}

char *conf_show_text_escape(const char *text, size_t len)
{
    char *line = NULL;
    size_t line_len = 0;
    FILE *out = open_memstream(&line, &line_len);

    if (out == NULL) {
        return NULL;
    }
    write_escaped(text, len, out);
    return finish(out, &line);
}

char *conf_show_text_format(const struct yaml_node *node)
{
    char *line = NULL;
    size_t line_len = 0;
    FILE *out = open_memstream(&line, &line_len);

    if (out == NULL) {
        return NULL;
    }
    write_node(node, out);
    return finish(out, &line);
}
