/*
 * refs.c - references in configuration values: ${KIND:argument}.
 *
 * Owns the kinds (environment, file, systemd credential) as rows.  Each scalar with a "${" is
 * written anew from left to right; what a reference brings in is not looked at again, so a
 * secret may contain "${".  Keys are never replaced.
 *
 * Called by conf.c on the merged tree, before keys are bound: a value that a later file replaced
 * is never looked up.  Must not show what it read; messages name the reference only.
 */
#include "daemon/conf/refs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/nearest.h"
#include "daemon/conf/file.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

/* Writes what argument names to out, or says why not. */
typedef int (*resolve_fn)(const struct source *source, char *argument, FILE *out,
                          struct fsd_err *err);

static int resolve_env(const struct source *source, char *argument, FILE *out, struct fsd_err *err);
static int resolve_file(const struct source *source, char *argument, FILE *out,
                        struct fsd_err *err);
static int resolve_cred(const struct source *source, char *argument, FILE *out,
                        struct fsd_err *err);

static const char *const kind_names[] = {"ENV", "FILE", "CRED"};
static const resolve_fn kind_functions[] = {resolve_env, resolve_file, resolve_cred};
static const bool kind_secrecy[] = {false, true, true}; /* is what it brings a secret? */

enum { KIND_COUNT = sizeof(kind_names) / sizeof(kind_names[0]) };
_Static_assert(KIND_COUNT == sizeof(kind_functions) / sizeof(kind_functions[0]) &&
                   KIND_COUNT == sizeof(kind_secrecy) / sizeof(kind_secrecy[0]),
               "one function for each kind");

/* One value while it is written anew. */
struct expansion {
    struct yaml_node *node;
    struct problem_list *list;
    FILE *out;
    size_t at; /* how far node->text was read */
};

static int resolve_env(const struct source *source, char *argument, FILE *out, struct fsd_err *err)
{
    char *fallback = strstr(argument, ":-");

    (void)source; /* only files have a place to start from */
    if (fallback != NULL) {
        *fallback = '\0';
        fallback += 2;
    }
    const char *value = getenv(argument);
    /* As in the shell, ":-" also stands in for an empty variable. */
    if (fallback != NULL && (value == NULL || value[0] == '\0')) {
        value = fallback;
    }
    if (value == NULL) {
        return fsd_err_set(err, ENOENT, "the environment variable \"%s\" is not set", argument);
    }
    (void)fputs(value, out); /* a failure shows when out is closed */
    return 0;
}

int refs_read_file(const char *path, char **ret_text, size_t *ret_len, struct fsd_err *err)
{
    struct fsd_err reason;
    char *text = NULL;
    size_t len = 0;
    int rc = file_read(path, REFS_FILE_MAX, false, &text, &len, &reason);

    if (rc < 0) {
        return fsd_err_set(err, -rc, "cannot read \"%s\": %s", path, reason.text);
    }
    if (memchr(text, '\0', len) != NULL) {
        free(text);
        return fsd_err_set(err, EINVAL, "cannot use \"%s\": it has a NUL byte", path);
    }
    /* Editors and echo end a file with a newline that is not part of the secret. */
    len -= len > 0 && text[len - 1] == '\n' ? 1 : 0;
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return 0;
}

static int write_file(const char *path, FILE *out, struct fsd_err *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = refs_read_file(path, &text, &len, err);

    if (rc == 0) {
        (void)fwrite(text, 1, len, out); /* a failure shows when out is closed */
        free(text);
    }
    return rc;
}

static int resolve_file(const struct source *source, char *argument, FILE *out, struct fsd_err *err)
{
    char *path = source_resolve(source, argument);

    if (path == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    int rc = write_file(path, out, err);
    free(path);
    return rc;
}

static int resolve_cred(const struct source *source, char *argument, FILE *out, struct fsd_err *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[FILE_PATH_MAX];

    (void)source; /* credentials are in one folder */
    if (argument[0] == '\0' || argument[0] == '.' || strchr(argument, '/') != NULL) {
        return fsd_err_set(err, EINVAL, "\"%s\" is not the name of a credential", argument);
    }
    if (folder == NULL) {
        return fsd_err_set(err, ENOENT,
                           "the service has no credentials (CREDENTIALS_DIRECTORY is not set)");
    }
    int len = snprintf(path, sizeof(path), "%s/%s", folder, argument);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return fsd_err_set(err, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    }
    return write_file(path, out, err);
}

/* The place of the len bytes at expansion->at, when the file shows them as they are; else, and for
 * none, of the whole value. */
static struct problem_place place_inside(const struct expansion *expansion, size_t len)
{
    struct problem_place place = expansion->node->place;
    const char *part = expansion->node->text + expansion->at;
    size_t line_len = 0;
    const char *line = source_line(place.source, place.line, &line_len);
    size_t column = place.column + expansion->at + (expansion->node->is_plain ? 0 : 1);

    if (len > 0 && line != NULL && column - 1 + len <= line_len &&
        memcmp(line + column - 1, part, len) == 0) {
        place.column = (unsigned)column;
        place.end_column = (unsigned)(column + len);
    }
    return place;
}

static struct problem *refuse(const struct expansion *expansion, size_t len, const char *what)
{
    struct problem_place place = place_inside(expansion, len);

    return problem_add(expansion->list, PROBLEM_ERROR, &place, "%s", what);
}

/* body is what stands between the braces. */
static bool refuse_kind(const struct expansion *expansion, const char *body, size_t len)
{
    struct problem *problem = refuse(expansion, len, "unknown kind of reference");
    char kind[16] = "";

    (void)snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(body, ":"), body);
    const char *near = nearest_find(kind, kind_names, KIND_COUNT);
    if (strchr(body, ':') == NULL) {
        problem_hint(problem, "did you mean \"${ENV:%s}\"?", body);
    } else if (near != NULL) {
        problem_hint(problem, "did you mean \"%s\"?", near);
    } else {
        problem_hint(problem, "there are ENV, FILE and CRED; a literal \"${\" is \"$${\"");
    }
    return false;
}

static bool write_reference(const struct expansion *expansion, char *body, size_t len)
{
    struct fsd_err err;
    size_t kind_len = strcspn(body, ":");

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (body[kind_len] != ':' || strlen(kind_names[i]) != kind_len ||
            memcmp(kind_names[i], body, kind_len) != 0) {
            continue;
        }
        if (kind_functions[i](expansion->node->place.source, body + kind_len + 1, expansion->out,
                              &err) == 0) {
            expansion->node->is_secret = expansion->node->is_secret || kind_secrecy[i];
            return true;
        }
        (void)refuse(expansion, len, err.text);
        return false;
    }
    return refuse_kind(expansion, body, len);
}

/* Handles the "${" at expansion->at and steps over it. */
static bool expand_one(struct expansion *expansion)
{
    const char *start = expansion->node->text + expansion->at;
    const char *end = strchr(start, '}');

    if (end == NULL) {
        problem_hint(refuse(expansion, 2, "the reference has no \"}\""),
                     "a literal \"${\" is written \"$${\"");
        expansion->at = expansion->node->len;
        return false;
    }
    size_t len = (size_t)(end + 1 - start);
    char *body = strndup(start + 2, len - 3);
    if (body == NULL) {
        (void)refuse(expansion, len, strerror(ENOMEM));
        expansion->at += len;
        return false;
    }
    bool done = strstr(body, "${") == NULL;
    if (!done) {
        (void)refuse(expansion, len, "a reference cannot stand inside a reference");
    } else {
        done = write_reference(expansion, body, len);
    }
    free(body);
    expansion->at += len;
    return done;
}

/* Copies or replaces what stands at expansion->at, and steps over it. */
static bool expand_next(struct expansion *expansion)
{
    const char *at = expansion->node->text + expansion->at;

    if (strncmp(at, "${", 2) == 0) {
        return expand_one(expansion);
    }
    bool is_escape = strncmp(at, "$${", 3) == 0;
    if (is_escape) {
        (void)fputs("${", expansion->out); /* a failure shows when out is closed */
    } else {
        (void)fputc(*at, expansion->out);
    }
    expansion->at += is_escape ? 3 : 1;
    return true;
}

/* Reads the whole text; every broken reference in it is reported. */
static bool expand_all(struct expansion *expansion)
{
    bool done = true;

    while (expansion->at < expansion->node->len) {
        done = expand_next(expansion) && done;
        if (ftell(expansion->out) > REFS_TEXT_MAX) {
            (void)refuse(expansion, 0, "the value has more than 1 MiB with its references");
            return false;
        }
    }
    return done;
}

static void expand_scalar(struct yaml_node *node, struct problem_list *list)
{
    char *text = NULL;
    size_t len = 0;
    struct expansion expansion = {node, list, open_memstream(&text, &len), 0};
    bool done = expansion.out != NULL && expand_all(&expansion);

    /* glibc's fclose may take the text away without saying so */
    if (expansion.out == NULL || fclose(expansion.out) != 0 || text == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, &node->place, "%s", strerror(ENOMEM));
        done = false;
    }
    if (!done) {
        free(text);
        node->is_broken = true;
        return;
    }
    free(node->text);
    node->text = text;
    node->len = len;
    node->is_plain = false;
    node->is_expanded = true;
}

void refs_resolve(struct yaml_node *node, struct problem_list *list)
{
    if (node->kind == YAML_SCALAR && memmem(node->text, node->len, "${", 2) != NULL) {
        expand_scalar(node, list);
    }
    for (struct yaml_node *child = node->child; child != NULL; child = child->next) {
        refs_resolve(child, list);
    }
}
