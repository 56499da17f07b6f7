/*
 * source.c - a configuration text together with its name.
 *
 * Owns the bytes of one file while the configuration is loaded, so that every message can show
 * the line that it talks about, and knows which folder relative paths in it start from: the one
 * that holds the file, as the file was named (symbolic links are not followed for that).  It notes
 * where every 64th character begins: parsers count characters, places count bytes.
 *
 * Made by conf.c, read by yaml.c and problem.c, which only look.  Must not know YAML.
 */
#include "daemon/conf/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/file.h"

/* A place is asked for with each value, so it must not take longer the further back it is. */
enum { SOURCE_STEP = 64 };

/* "a/b.yaml" -> "<working directory>/a"; the caller frees it. */
static char *folder_of(const char *path)
{
    char *folder = file_absolute(path);

    if (folder != NULL) {
        char *slash = strrchr(folder, '/');
        slash[slash == folder ? 1 : 0] = '\0';
    }
    return folder;
}

static bool is_first_byte(char byte)
{
    return ((unsigned char)byte & 0xc0U) != 0x80U;
}

/* False: no memory. */
static bool note_characters(struct source *source)
{
    source->steps = malloc((source->len / SOURCE_STEP + 1) * sizeof(source->steps[0]));
    if (source->steps == NULL) {
        return false;
    }
    for (size_t i = 0; i < source->len; i++) {
        if (!is_first_byte(source->text[i])) {
            continue;
        }
        if (source->character_count % SOURCE_STEP == 0) {
            source->steps[source->character_count / SOURCE_STEP] = i;
        }
        source->character_count++;
    }
    return true;
}

/* Takes text. */
static struct source *source_take(const char *path, char *text, size_t len)
{
    struct source *source = calloc(1, sizeof(*source));

    if (source == NULL) {
        free(text);
        return NULL;
    }
    source->text = text;
    source->len = len;
    source->path = strdup(path);
    source->folder = folder_of(path);
    if (source->path == NULL || source->folder == NULL || !note_characters(source)) {
        source_free(source);
        return NULL;
    }
    return source;
}

struct source *source_new(const char *path, const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy == NULL) {
        return NULL;
    }
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return source_take(path, copy, len);
}

int source_read(const char *file, const char *name, struct source **ret_source, struct fsd_err *err)
{
    struct fsd_err reason;
    char *text = NULL;
    size_t len = 0;
    int rc = file_read(file, SOURCE_BYTES_MAX, true, &text, &len, &reason);

    if (rc < 0) {
        return fsd_err_set(err, -rc, "cannot read \"%s\": %s", file, reason.text);
    }
    struct source *source = source_take(name, text, len);
    if (source == NULL) {
        return fsd_err_set(err, ENOMEM, "cannot read \"%s\": %s", file, strerror(ENOMEM));
    }
    *ret_source = source;
    return 0;
}

void source_free(struct source *source)
{
    if (source == NULL) {
        return;
    }
    free(source->path);
    free(source->folder);
    free(source->text);
    free(source->steps);
    free(source);
}

const char *source_line(const struct source *source, unsigned line, size_t *ret_len)
{
    const char *at = source->text;
    const char *end = source->text + source->len;

    for (unsigned i = 1; i < line && at != NULL; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL || line == 0) {
        return NULL;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((stop == NULL ? end : stop) - at);
    if (len > 0 && at[len - 1] == '\r') {
        len--;
    }
    *ret_len = len;
    return at;
}

size_t source_offset(const struct source *source, size_t character)
{
    if (character >= source->character_count) {
        return source->len;
    }
    size_t at = source->steps[character / SOURCE_STEP];
    for (size_t left = character % SOURCE_STEP; left > 0;) {
        at++;
        left -= is_first_byte(source->text[at]) ? 1 : 0;
    }
    return at;
}

char *source_resolve(const struct source *source, const char *path)
{
    char *resolved = NULL;

    if (path[0] == '/') {
        return strdup(path);
    }
    if (asprintf(&resolved, "%s%s%s", source->folder, source->folder[1] == '\0' ? "" : "/", path) <
        0) {
        return NULL;
    }
    return resolved;
}
