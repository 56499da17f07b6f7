#ifndef FSD_WORKER_HTTP_REQUEST_QUERY_TABLE_H
#define FSD_WORKER_HTTP_REQUEST_QUERY_TABLE_H

#include <lua.h>
#include <stddef.h>

/* Pushes the pairs of a query or form (text may be NULL when len is 0).  depth 0: names to values, a name that comes several times
 * has a list.  depth 1 to QUERY_KEY_DEPTH_MAX: brackets in names nest tables: a[b]=1, a[]=1, a[0]=1.  what ("query", "form") is for the
 * message of the Error 413 "parameters.too.many", which is raised above QUERY_PAIRS_MAX pairs. */
void query_table_push(lua_State *L, const char *text, size_t len, size_t depth, const char *what);

struct query_nesting {
    size_t depth; /* brackets that count: 1 to QUERY_KEY_DEPTH_MAX */
    unsigned
        index_max; /* the largest number that is a place in a list: QUERY_KEY_INDEX_MAX at most */
};

/* Pushes a table of the names and values that stand, by turns, in the list at index pairs, which is absolute; its values are texts. */
void query_table_nest(lua_State *L, int pairs, const struct query_nesting *nesting);

#endif
