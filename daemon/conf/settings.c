/*
 * settings.c - an application's free settings, as MessagePack.
 *
 * Owns the typing of values that no key row describes: a scalar in quotes (or from a reference)
 * is a string, any other is what YAML 1.2's core schema (section 10.3.2) says: null, true or
 * false, an integer (decimal, 0x, 0o), a float, else a string.  Numbers that do not fit are
 * errors, because a rounded one would be a wrong one.
 *
 * Called by schema.c for apps.NAME.settings.  Must not know a key.
 */
#include "daemon/conf/settings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/msgpack.h"
#include "common/parse.h"
#include "daemon/conf/yaml.h"

static const struct {
    const char *word;
    bool value;
} booleans[] = {
    {"true", true},   {"True", true},   {"TRUE", true},
    {"false", false}, {"False", false}, {"FALSE", false},
};

static const struct {
    const char *word;
    double value;
} special_floats[] = {
    {".inf", INFINITY},   {".Inf", INFINITY},  {".INF", INFINITY},   {"+.inf", INFINITY},
    {"+.Inf", INFINITY},  {"+.INF", INFINITY}, {"-.inf", -INFINITY}, {"-.Inf", -INFINITY},
    {"-.INF", -INFINITY}, {".nan", NAN},       {".NaN", NAN},        {".NAN", NAN},
};

static bool write_boolean(const char *text, struct msgpack_writer *writer)
{
    for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
        if (strcmp(booleans[i].word, text) == 0) {
            msgpack_write_bool(writer, booleans[i].value);
            return true;
        }
    }
    return false;
}

/* 0, -ERANGE, or -EINVAL when the text is no integer. */
static int parse_integer(const char *text, int64_t *ret_value)
{
    uint64_t value = 0;
    unsigned radix = strncmp(text, "0x", 2) == 0 ? 16 : strncmp(text, "0o", 2) == 0 ? 8 : 0;

    if (radix == 0) {
        return parse_int(text[0] == '+' && text[1] != '-' ? text + 1 : text, INT64_MIN, INT64_MAX,
                         ret_value);
    }
    int rc = parse_digits(text + 2, radix, INT64_MAX, &value);
    if (rc == 0) {
        *ret_value = (int64_t)value;
    }
    return rc;
}

static int parse_number(const char *text, double *ret_value)
{
    for (size_t i = 0; i < sizeof(special_floats) / sizeof(special_floats[0]); i++) {
        if (strcmp(special_floats[i].word, text) == 0) {
            *ret_value = special_floats[i].value;
            return 0;
        }
    }
    return parse_float(text, ret_value);
}

static void refuse_number(const struct yaml_node *node, const char *label, const char *kind,
                          struct problem_list *list)
{
    problem_hint(problem_add(list, PROBLEM_ERROR, &node->place, "%s: %s does not fit %s", label,
                             node->text, kind),
                 "put it into quotes to make it a string");
}

static void encode_plain(const struct yaml_node *node, const char *label, struct problem_list *list,
                         struct msgpack_writer *writer)
{
    int64_t integer = 0;
    double number = 0;

    if (yaml_is_null(node)) {
        msgpack_write_nil(writer);
        return;
    }
    if (write_boolean(node->text, writer)) {
        return;
    }
    int rc = parse_integer(node->text, &integer);
    if (rc == 0) {
        msgpack_write_int(writer, integer);
        return;
    }
    if (rc == -ERANGE) {
        refuse_number(node, label, "a 64-bit integer", list);
        return;
    }
    rc = parse_number(node->text, &number);
    if (rc == 0) {
        msgpack_write_float(writer, number);
    } else if (rc == -ERANGE) {
        refuse_number(node, label, "a floating point number", list);
    } else {
        msgpack_write_str(writer, node->text, node->len);
    }
}

static void encode_node(const struct yaml_node *node, const char *label, struct problem_list *list,
                        struct msgpack_writer *writer)
{
    switch (node->kind) {
    case YAML_SCALAR:
        if (node->is_plain) {
            encode_plain(node, label, list, writer);
        } else {
            msgpack_write_str(writer, node->text, node->len);
        }
        return;
    case YAML_LIST:
        msgpack_write_array(writer, (uint32_t)node->child_count);
        break;
    case YAML_MAP:
        msgpack_write_map(writer, (uint32_t)node->child_count);
        break;
    }
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        if (node->kind == YAML_MAP) {
            msgpack_write_text(writer, child->key);
        }
        encode_node(child, label, list, writer);
    }
}

int settings_encode(const struct yaml_node *map, const char *label, struct problem_list *list,
                    unsigned char **ret_data, size_t *ret_len)
{
    struct msgpack_writer writer;

    msgpack_writer_init(&writer, SETTINGS_BYTES_MAX);
    if (map == NULL) {
        msgpack_write_map(&writer, 0);
    } else {
        encode_node(map, label, list, &writer);
    }
    int rc = msgpack_writer_take(&writer, ret_data, ret_len);
    if (rc < 0) {
        (void)problem_add(list, PROBLEM_ERROR, map == NULL ? NULL : &map->key_place, "%s: %s",
                          label, rc == -EMSGSIZE ? "more than 1 MiB of settings" : strerror(-rc));
    }
    msgpack_writer_fini(&writer);
    return rc;
}
