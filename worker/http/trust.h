#ifndef FSD_WORKER_HTTP_TRUST_H
#define FSD_WORKER_HTTP_TRUST_H

#include <lua.h>

#include "common/address.h"
#include "common/err.h"

/* Reads what app:set("trust_proxy", value) is given, at index: true, false, a number of hops, an address or a list of them (one text with
 * commas, or a table), or a function.  -EINVAL or -E2BIG with a sentence. */
int trust_read(lua_State *L, int index, struct address_trust *ret_trust, struct fsd_err *err);

#endif
