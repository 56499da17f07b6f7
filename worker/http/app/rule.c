/* rule.c - what an application or a router has been told, call by call.
 * Owns the rules, each in one block with its texts.  They are only kept here; what a request meets is worked out when the application is
 * complete (flatten.c), because a router that is mounted now may get routes later.
 * Called by register.c and mount.c.  Must not know Lua. */
#include "worker/http/app/rule.h"

#include <stdlib.h>
#include <string.h>

#include "worker/http/app/app.h"

static char *keep(char **room, const char *text, size_t len)
{
    char *kept = *room;
    memcpy(kept, text, len);
    kept[len] = '\0';
    *room += len + 1;
    return kept;
}

struct app_rule *rule_add(struct app *app, const struct rule_text *text)
{
    size_t method_len = text->method == NULL ? 0 : strlen(text->method);
    size_t name_len = text->name == NULL ? 0 : strlen(text->name);
    struct app_rule *rule = calloc(1, sizeof(*rule) + text->path_len + method_len + name_len + 3);
    if (rule == NULL) {
        abort();
    }
    char *room = (char *)(rule + 1);
    rule->kind = text->kind;
    rule->path = keep(&room, text->path, text->path_len);
    rule->path_len = text->path_len;
    rule->method = text->method == NULL ? NULL : keep(&room, text->method, method_len);
    rule->name = text->name == NULL ? NULL : keep(&room, text->name, name_len);
    if (app->last_rule == NULL) {
        app->rules = rule;
    } else {
        app->last_rule->next = rule;
    }
    app->last_rule = rule;
    return rule;
}

void rule_free_all(struct app_rule *first)
{
    while (first != NULL) {
        struct app_rule *next = first->next;
        handler_free_all(&first->handlers);
        free(first);
        first = next;
    }
}
