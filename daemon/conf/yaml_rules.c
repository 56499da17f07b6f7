/*
 * yaml_rules.c - the parts of YAML that a configuration may not use.
 *
 * Owns the refusals that libyaml leaves to its caller: tags, merge keys, keys that are no words,
 * and duplicate keys, which it does not even notice.
 *
 * Called by yaml.c for each value and key.  Must not build nodes.
 */
#include "daemon/conf/yaml_rules.h"

#include <string.h>

#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"
#include "daemon/conf/yaml_place.h"

static const char *tag_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT) {
        return (const char *)event->data.scalar.tag;
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        return (const char *)event->data.sequence_start.tag;
    }
    if (event->type == YAML_MAPPING_START_EVENT) {
        return (const char *)event->data.mapping_start.tag;
    }
    return NULL;
}

/* The key decides what a value is, so a tag could only contradict it. */
bool yaml_rules_check_tag(const struct source *source, const yaml_event_t *event,
                          struct problem_list *list)
{
    if (tag_of(event) == NULL) {
        return true;
    }
    struct problem_place place = yaml_place_of(source, event);
    problem_hint(problem_add(list, PROBLEM_ERROR, &place, "tags are not supported"),
                 "leave out \"!...\", or put a text that begins with \"!\" into quotes");
    return false;
}

static bool is_word(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length > 0 &&
           strlen((const char *)event->data.scalar.value) == event->data.scalar.length;
}

/* What a key may be: a scalar with text, not "<<", and new in its map. */
bool yaml_rules_check_key(const struct source *source, const yaml_event_t *event,
                          const struct yaml_node *parent, struct problem_list *list)
{
    struct problem_place place = yaml_place_of(source, event);

    if (!is_word(event)) {
        (void)problem_add(list, PROBLEM_ERROR, &place, "a key must be a word");
        return false;
    }
    const char *key = (const char *)event->data.scalar.value;
    if (strcmp(key, "<<") == 0) {
        problem_hint(
            problem_add(list, PROBLEM_ERROR, &place, "merge keys (\"<<\") are not supported"),
            "write the keys out, or repeat a whole value by an alias");
        return false;
    }
    const struct yaml_node *twin = yaml_find(parent, key);
    if (twin != NULL) {
        (void)problem_add(list, PROBLEM_ERROR, &place,
                          "duplicate key \"%s\", first written at %s:%u:%u", key, source->path,
                          twin->key_place.line, twin->key_place.column);
        return false;
    }
    if (parent->child_count == YAML_KEYS_MAX) {
        (void)problem_add(list, PROBLEM_ERROR, &place, "a map has more than %d keys",
                          YAML_KEYS_MAX);
        return false;
    }
    return true;
}
