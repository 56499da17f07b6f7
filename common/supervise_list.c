/* supervise_list.c - lists of children that need no memory of their own.
 * Owns the links.  They are ids, not addresses, so the owner may move the array of children.
 * Called by supervise_child.c, which alone decides when a child enters and leaves a list.
 * Pure.  Must not know what a child is doing. */
#include "common/supervise_list.h"

#include "common/supervise_child.h"

void supervise_list_init(struct supervise_list *list, enum supervise_list_kind kind)
{
    *list = (struct supervise_list){.kind = kind, .first = SUPERVISE_NONE, .last = SUPERVISE_NONE};
}

void supervise_list_append(struct supervise_list *list, struct supervise_child *children,
                           uint32_t id)
{
    children[id].links[list->kind] =
        (struct supervise_link){.previous = list->last, .next = SUPERVISE_NONE};
    if (list->last == SUPERVISE_NONE) {
        list->first = id;
    } else {
        children[list->last].links[list->kind].next = id;
    }
    list->last = id;
}

void supervise_list_remove(struct supervise_list *list, struct supervise_child *children,
                           uint32_t id)
{
    struct supervise_link link = children[id].links[list->kind];
    if (link.previous == SUPERVISE_NONE) {
        list->first = link.next;
    } else {
        children[link.previous].links[list->kind].next = link.next;
    }
    if (link.next == SUPERVISE_NONE) {
        list->last = link.previous;
    } else {
        children[link.next].links[list->kind].previous = link.previous;
    }
}
