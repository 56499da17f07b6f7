/* random.c - random bytes.
 * Owns nothing.  They come from the kernel, which is seeded before a service is started, so nobody waits.  Called by mod_crypto.c and
 * mod_uuid.c. */
#include "worker/toolbox/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "worker/core/error.h"

enum { STATUS_INTERNAL_ERROR = 500 };

void random_fill(lua_State *L, void *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t part = getrandom((char *)bytes + done, len - done, 0);
        if (part < 0 && errno != EINTR) {
            error_raise(L, "CryptoError", "crypto.random", STATUS_INTERNAL_ERROR,
                        "cannot get random bytes: %s", strerror(errno));
        }
        done += part > 0 ? (size_t)part : 0;
    }
}
