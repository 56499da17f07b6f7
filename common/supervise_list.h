#ifndef FSD_COMMON_SUPERVISE_LIST_H
#define FSD_COMMON_SUPERVISE_LIST_H

#include <stdint.h>

struct supervise_child;

#define SUPERVISE_NONE UINT32_MAX /* no child */

/* The lists that a child can be in. */
enum supervise_list_kind {
    SUPERVISE_ORDER, /* all that are specified, in start order */
    SUPERVISE_QUEUE, /* those whose news wait, the oldest first */
};
enum { SUPERVISE_LISTS = SUPERVISE_QUEUE + 1 };

struct supervise_link {
    uint32_t previous; /* ids, or SUPERVISE_NONE */
    uint32_t next;
};

/* A list through the array of children, by their ids. */
struct supervise_list {
    enum supervise_list_kind kind;
    uint32_t first; /* ids, or SUPERVISE_NONE */
    uint32_t last;
};

void supervise_list_init(struct supervise_list *list, enum supervise_list_kind kind);
/* Puts a child that is not in the list at its end. */
void supervise_list_append(struct supervise_list *list, struct supervise_child *children,
                           uint32_t id);
/* Takes out a child that is in the list. */
void supervise_list_remove(struct supervise_list *list, struct supervise_child *children,
                           uint32_t id);

#endif
