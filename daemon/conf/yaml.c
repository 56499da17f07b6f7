/*
 * yaml.c - from YAML text to a tree of nodes that know where they were written.
 *
 * Owns libyaml: only this file and yaml_place.c and yaml_rules.c beside it include it.  Reads the
 * parser's events and builds nodes, and holds a file to the part of YAML that nobody misreads: one
 * document, no tags, no merge keys, no duplicate keys, and limits on depth, nodes and aliases so
 * that a small file cannot become a big tree.  Types are not decided here: a scalar is text, plain
 * or quoted.
 *
 * Called by conf.c once for each file.  Must not know any key of the configuration.
 */
#include "daemon/conf/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "daemon/conf/source.h"
#include "daemon/conf/yaml_alias.h"
#include "daemon/conf/yaml_build.h"
#include "daemon/conf/yaml_place.h"
#include "daemon/conf/yaml_rules.h"

struct reader {
    yaml_parser_t parser;
    const struct source *source; /* borrowed */
    struct problem_list *list;   /* borrowed */
    struct yaml_build build;
    struct yaml_aliases aliases;
};

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, unsigned depth);

/* On success the caller deletes the event. */
static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 1) {
        return true;
    }
    yaml_place_report(&reader->parser, reader->source, reader->list);
    return false;
}

static const char *anchor_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT) {
        return (const char *)event->data.scalar.anchor;
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        return (const char *)event->data.sequence_start.anchor;
    }
    if (event->type == YAML_MAPPING_START_EVENT) {
        return (const char *)event->data.mapping_start.anchor;
    }
    return NULL;
}

static struct yaml_node *read_scalar(struct reader *reader, const yaml_event_t *event,
                                     unsigned depth)
{
    struct problem_place place = yaml_place_of(reader->source, event);
    struct yaml_node *node = yaml_build_node(&reader->build, YAML_SCALAR, &place, depth);

    if (node == NULL) {
        return NULL;
    }
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!yaml_build_text(&reader->build, node, (const char *)event->data.scalar.value,
                         event->data.scalar.length)) {
        yaml_node_free(node);
        return NULL;
    }
    return node;
}

static bool read_items(struct reader *reader, struct yaml_node *parent, unsigned depth)
{
    yaml_event_t event;

    for (;;) {
        if (!next_event(reader, &event)) {
            return false;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        struct yaml_node *item = read_node(reader, &event, depth + 1);
        if (item == NULL) {
            return false;
        }
        yaml_node_append(parent, item);
    }
}

/* The key's event is deleted here whatever happens. */
static struct yaml_node *read_pair(struct reader *reader, yaml_event_t *key_event,
                                   const struct yaml_node *parent, unsigned depth)
{
    yaml_event_t event;
    struct yaml_node *value = NULL;

    if (!yaml_rules_check_tag(reader->source, key_event, reader->list) ||
        !yaml_rules_check_key(reader->source, key_event, parent, reader->list) ||
        !next_event(reader, &event)) {
        goto out;
    }
    value = read_node(reader, &event, depth + 1);
    if (value == NULL) {
        goto out;
    }
    value->key_place = yaml_place_of(reader->source, key_event);
    value->is_key_plain = key_event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!yaml_build_key(&reader->build, value, (const char *)key_event->data.scalar.value)) {
        yaml_node_free(value);
        value = NULL;
    }

out:
    yaml_event_delete(key_event);
    return value;
}

static bool read_pairs(struct reader *reader, struct yaml_node *parent, unsigned depth)
{
    yaml_event_t event;

    for (;;) {
        if (!next_event(reader, &event)) {
            return false;
        }
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        struct yaml_node *value = read_pair(reader, &event, parent, depth);
        if (value == NULL) {
            return false;
        }
        yaml_node_append(parent, value);
    }
}

static struct yaml_node *read_collection(struct reader *reader, const yaml_event_t *event,
                                         unsigned depth)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct problem_place place = yaml_place_of(reader->source, event);
    struct yaml_node *node =
        yaml_build_node(&reader->build, is_map ? YAML_MAP : YAML_LIST, &place, depth);

    if (node == NULL) {
        return NULL;
    }
    if (is_map ? !read_pairs(reader, node, depth) : !read_items(reader, node, depth)) {
        yaml_node_free(node);
        return NULL;
    }
    return node;
}

/* Any value; deletes the event. */
static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, unsigned depth)
{
    struct yaml_node *node = NULL;

    if (!yaml_rules_check_tag(reader->source, event, reader->list)) {
        goto out;
    }
    if (event->type == YAML_ALIAS_EVENT) {
        struct problem_place place = yaml_place_of(reader->source, event);
        node = yaml_alias_copy(&reader->aliases, &reader->build,
                               (const char *)event->data.alias.anchor, &place, depth);
    } else if (event->type == YAML_SCALAR_EVENT) {
        node = read_scalar(reader, event, depth);
    } else {
        node = read_collection(reader, event, depth);
    }
    if (node != NULL && !yaml_alias_add(&reader->aliases, &reader->build, anchor_of(event), node)) {
        yaml_node_free(node);
        node = NULL;
    }

out:
    yaml_event_delete(event);
    return node;
}

/* The value of a document whose start event was seen, up to the end of the text. */
static struct yaml_node *read_document(struct reader *reader)
{
    yaml_event_t event;
    struct yaml_node *root = next_event(reader, &event) ? read_node(reader, &event, 0) : NULL;

    if (root == NULL || !next_event(reader, &event)) { /* the document's end */
        goto fail;
    }
    yaml_event_delete(&event);
    if (!next_event(reader, &event)) {
        goto fail;
    }
    bool is_end = event.type == YAML_STREAM_END_EVENT;
    struct problem_place place = yaml_place_of(reader->source, &event);
    yaml_event_delete(&event);
    if (!is_end) {
        problem_hint(
            problem_add(reader->list, PROBLEM_ERROR, &place, "the file has more than one document"),
            "put it into a file of its own in conf.d");
        goto fail;
    }
    return root;

fail:
    yaml_node_free(root);
    return NULL;
}

static struct yaml_node *read_stream(struct reader *reader)
{
    yaml_event_t event;
    struct problem_place top = {reader->source, 1, 1, 1};

    /* The first event starts the stream, the second a document unless there is none. */
    for (int i = 0; i < 2; i++) {
        if (!next_event(reader, &event)) {
            return NULL;
        }
        yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) {
            return yaml_build_node(&reader->build, YAML_MAP, &top, 0);
        }
    }
    return read_document(reader);
}

/* A file of comments and "---" is as good as an empty one. */
static struct yaml_node *check_root(struct reader *reader, struct yaml_node *root)
{
    if (root == NULL || root->kind == YAML_MAP) {
        return root;
    }
    if (yaml_is_null(root)) {
        root->kind = YAML_MAP;
        free(root->text);
        root->text = NULL;
        return root;
    }
    (void)problem_add(reader->list, PROBLEM_ERROR, &root->place,
                      "the file must be a map of sections such as \"pools:\"");
    yaml_node_free(root);
    return NULL;
}

struct yaml_node *yaml_read(const struct source *source, struct problem_list *list)
{
    struct yaml_node *root = NULL;
    struct reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL || yaml_parser_initialize(&reader->parser) != 1) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read \"%s\": out of memory",
                          source->path);
        free(reader);
        return NULL;
    }
    reader->source = source;
    reader->list = list;
    reader->build = (struct yaml_build){source, list, 0};
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)source->text, source->len);
    root = check_root(reader, read_stream(reader));
    yaml_alias_fini(&reader->aliases);
    yaml_parser_delete(&reader->parser);
    free(reader);
    return root;
}
