/* accept.c - what a client accepts, and which of several offers suits it best.
 *
 * Owns nothing.  Order and precedence are those of Node's packages accepts and negotiator, which people know from Express: quality,
 * then how exactly an offer is named, then the place in the header, then the place in the offers.  The text is hostile: entries and
 * parameters are bounded, so that a choice costs no more than (length of the header) x (number of offers).
 * Pure: no Lua, no libh2o.  Called by requests (req:accepts and its like), by res:format and for files that are kept compressed.
 * Must not know short names of types ("json"): whoever asks says "application/json". */
#include "worker/http/text/accept.h"

#include <stdbool.h>
#include <string.h>

/* How exactly an entry names an offer. */
enum exactness {
    EXACT_PARAMETERS = 1,
    EXACT_SUBTYPE = 2,
    EXACT_TYPE = 4,
    EXACT_WILDCARD = 0,
    EXACT_NAME = 1,           /* of charsets and encodings */
    EXACT_LANGUAGE_WIDER = 1, /* asked for "de", offered "de-CH" */
    EXACT_LANGUAGE_NARROWER = 2,
    EXACT_LANGUAGE = 4,
};

/* How well an offer is liked; quality 0: not at all. */
struct liking {
    uint32_t quality;
    int exactness;
    int order;
};

static bool is_word(struct parameter_text text, const char *word)
{
    return parameters_is_text(text, (struct parameter_text){.bytes = word, .len = strlen(word)});
}

/* 0.5 is 500000; what is no number is 0, so not acceptable. */
static uint32_t read_quality(struct parameter_text text)
{
    enum { MOST = 1000 };
    const char *at = text.bytes;
    const char *end = at + text.len;
    uint32_t whole = 0;
    uint32_t fraction = 0;
    if (text.len == 0) {
        return ACCEPT_QUALITY_ONE;
    }
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        whole = whole > MOST ? MOST : whole * 10 + (uint32_t)(*at - '0');
    }
    uint32_t unit = ACCEPT_QUALITY_ONE / 10;
    if (at < end && *at == '.') {
        for (at++; at < end && *at >= '0' && *at <= '9'; at++) {
            fraction += unit * (uint32_t)(*at - '0');
            unit /= 10;
        }
    }
    return (whole > MOST ? MOST : whole) * ACCEPT_QUALITY_ONE + fraction;
}

/* Whether a parameter of that name stands before the one at until: of several the first counts. */
static bool is_repeated(struct parameters parameters, const char *until, struct parameter_text name)
{
    struct parameter parameter;
    while (parameters_next(&parameters, &parameter) && parameter.name.bytes < until) {
        if (parameters_is_text(parameter.name, name)) {
            return true;
        }
    }
    return false;
}

/* Reads the parameters of an entry: quality, and how many there are.  Returns where the entry ends. */
static const char *read_parameters(struct accept_entry *entry, const char *at, const char *end)
{
    struct parameters parameters = {.at = at, .end = end};
    struct parameter parameter;
    unsigned qualities = 0;
    while (parameters_next(&parameters, &parameter)) {
        entry->parameter_count++;
        if (is_word(parameter.name, "q") && qualities++ == 0) {
            entry->quality = read_quality(parameter.value);
        }
    }
    entry->has_parameters = entry->parameter_count > qualities;
    entry->parameters = (struct parameter_text){.bytes = at, .len = (size_t)(parameters.at - at)};
    return parameters.at;
}

static bool is_usable(enum accept_kind kind, const struct accept_entry *entry)
{
    bool is_right =
        entry->value.len > 0 &&
        (kind != ACCEPT_TYPE || memchr(entry->value.bytes, '/', entry->value.len) != NULL);
    return is_right && entry->parameter_count <= ACCEPT_PARAMETERS_MAX;
}

/* Who does not speak of identity accepts it, but likes it least. */
static void add_identity(struct accept *accept, unsigned order)
{
    uint32_t least = ACCEPT_QUALITY_ONE;
    for (unsigned i = 0; i < accept->count; i++) {
        const struct accept_entry *entry = &accept->entries[i];
        if (is_word(entry->value, "identity") || is_word(entry->value, "*")) {
            return;
        }
        if (entry->quality != 0 && entry->quality < least) {
            least = entry->quality;
        }
    }
    static const char name[] = "identity";
    accept->entries[accept->count++] = (struct accept_entry){
        .value = {.bytes = name, .len = sizeof(name) - 1},
        .parameters = {.bytes = name, .len = 0},
        .quality = least,
        .order = order,
    };
}

void accept_parse(struct accept *accept, enum accept_kind kind, const char *text, size_t len)
{
    static const char *const all[] = {
        [ACCEPT_TYPE] = "*/*",
        [ACCEPT_CHARSET] = "*",
        [ACCEPT_ENCODING] = "",
        [ACCEPT_LANGUAGE] = "*",
    };
    unsigned most = kind == ACCEPT_ENCODING ? ACCEPT_ENTRIES_MAX - 1 : ACCEPT_ENTRIES_MAX;
    if (text == NULL) {
        text = all[kind];
        len = strlen(text);
    }
    const char *end = text + len;
    unsigned order = 0;
    accept->kind = kind;
    accept->count = 0;
    for (const char *at = text; at < end && accept->count < most; at++, order++) {
        struct accept_entry *entry = &accept->entries[accept->count];
        const char *stop = parameters_find_end(at, end);
        *entry = (struct accept_entry){
            .value = parameters_trim(at, stop), .quality = ACCEPT_QUALITY_ONE, .order = order};
        at = read_parameters(entry, stop, end);
        accept->count += is_usable(kind, entry);
    }
    if (kind == ACCEPT_ENCODING) {
        add_identity(accept, order);
    }
}

unsigned accept_sort(struct accept *accept)
{
    unsigned count = 0;
    for (unsigned i = 0; i < accept->count;
         i++) { /* by insertion, so equal ones keep their order */
        struct accept_entry entry = accept->entries[i];
        unsigned at = i;
        for (; at > 0 && accept->entries[at - 1].quality < entry.quality; at--) {
            accept->entries[at] = accept->entries[at - 1];
        }
        accept->entries[at] = entry;
        count += entry.quality > 0;
    }
    return count;
}

/* Whether an offer has the parameter that is wished for. */
static bool has_parameter(struct parameters offered, const struct parameter *wished)
{
    struct parameter parameter;
    while (parameters_next(&offered, &parameter)) {
        if (parameters_is_text(parameter.name, wished->name)) {
            return parameters_is_value(&parameter, wished);
        }
    }
    return wished->value.len == 0;
}

static bool has_parameters(const struct accept_entry *entry, struct parameters offered)
{
    const struct parameters all = {.at = entry->parameters.bytes,
                                   .end = entry->parameters.bytes + entry->parameters.len};
    struct parameters parameters = all;
    struct parameter wished;
    while (parameters_next(&parameters, &wished)) {
        bool counts = !is_word(wished.name, "q") && !is_word(wished.value, "*") &&
                      !is_repeated(all, wished.name.bytes, wished.name);
        if (counts && !has_parameter(offered, &wished)) {
            return false;
        }
    }
    return true;
}

/* The part of a text up to a byte that it need not have, and the part behind that. */
static void split(struct parameter_text text, char byte, struct parameter_text *ret_first,
                  struct parameter_text *ret_rest)
{
    const char *end = text.bytes + text.len;
    const char *found = text.len > 0 ? memchr(text.bytes, byte, text.len) : NULL;
    const char *stop = found != NULL ? found : end;
    *ret_first = (struct parameter_text){.bytes = text.bytes, .len = (size_t)(stop - text.bytes)};
    const char *rest = found != NULL ? found + 1 : end;
    *ret_rest = (struct parameter_text){.bytes = rest, .len = (size_t)(end - rest)};
}

/* The functions that follow return an exactness, or -1 when the entry does not mean the offer. */

static int compare_type(const struct accept_entry *entry, struct parameter_text offer)
{
    const char *end = offer.bytes + offer.len;
    const char *stop = parameters_find_end(offer.bytes, end);
    struct parameter_text type;
    struct parameter_text subtype;
    struct parameter_text wished;
    struct parameter_text wished_subtype;
    const struct parameter_text offered_type = parameters_trim(offer.bytes, stop);
    split(offered_type, '/', &type, &subtype);
    split(entry->value, '/', &wished, &wished_subtype);
    int exactness = 0;
    if (type.len == offered_type.len) { /* no type, but a word */
        return -1;
    }
    if (parameters_is_text(type, wished)) {
        exactness |= EXACT_TYPE;
    } else if (!is_word(wished, "*")) {
        return -1;
    }
    if (parameters_is_text(subtype, wished_subtype)) {
        exactness |= EXACT_SUBTYPE;
    } else if (!is_word(wished_subtype, "*")) {
        return -1;
    }
    if (!entry->has_parameters) {
        return exactness;
    }
    struct parameters offered = {.at = stop, .end = end};
    return has_parameters(entry, offered) ? exactness | EXACT_PARAMETERS : -1;
}

static int compare_name(const struct accept_entry *entry, struct parameter_text offer)
{
    if (parameters_is_text(entry->value, offer)) {
        return EXACT_NAME;
    }
    return is_word(entry->value, "*") ? EXACT_WILDCARD : -1;
}

static int compare_language(const struct accept_entry *entry, struct parameter_text offer)
{
    struct parameter_text prefix;
    struct parameter_text wished_prefix;
    struct parameter_text rest;
    split(offer, '-', &prefix, &rest);
    split(entry->value, '-', &wished_prefix, &rest);
    if (parameters_is_text(entry->value, offer)) {
        return EXACT_LANGUAGE;
    }
    if (parameters_is_text(wished_prefix, offer)) {
        return EXACT_LANGUAGE_NARROWER;
    }
    if (parameters_is_text(entry->value, prefix)) {
        return EXACT_LANGUAGE_WIDER;
    }
    return is_word(entry->value, "*") ? EXACT_WILDCARD : -1;
}

static int compare(enum accept_kind kind, const struct accept_entry *entry,
                   struct parameter_text offer)
{
    switch (kind) {
    case ACCEPT_TYPE:
        return compare_type(entry, offer);
    case ACCEPT_CHARSET:
    case ACCEPT_ENCODING:
        return compare_name(entry, offer);
    case ACCEPT_LANGUAGE:
        return compare_language(entry, offer);
    }
    return -1;
}

/* The entry that names an offer most exactly decides; of equal ones the best, then the last. */
static struct liking find_liking(const struct accept *accept, struct parameter_text offer)
{
    struct liking best = {.quality = 0, .exactness = 0, .order = -1};
    for (unsigned i = 0; i < accept->count; i++) {
        const struct accept_entry *entry = &accept->entries[i];
        int exactness = compare(accept->kind, entry, offer);
        bool is_nearer = exactness > best.exactness ||
                         (exactness == best.exactness && entry->quality >= best.quality);
        if (exactness >= 0 && is_nearer) {
            best = (struct liking){entry->quality, exactness, (int)entry->order};
        }
    }
    return best;
}

static bool is_better(const struct liking *liking, const struct liking *other)
{
    if (liking->quality != other->quality) {
        return liking->quality > other->quality;
    }
    if (liking->exactness != other->exactness) {
        return liking->exactness > other->exactness;
    }
    return liking->order < other->order;
}

int accept_choose(const struct accept *accept, const struct parameter_text *offers, size_t count)
{
    struct liking best = {.quality = 0, .exactness = 0, .order = 0};
    int chosen = -1;
    for (size_t i = 0; i < count; i++) {
        struct liking liking = find_liking(accept, offers[i]);
        if (liking.quality > 0 && (chosen < 0 || is_better(&liking, &best))) {
            best = liking;
            chosen = (int)i;
        }
    }
    return chosen;
}
