/* terminal.c - which characters text of others may not bring to a terminal.
 * Owns one table of ranges.  Pure.  Called by the daemon's log and by fsdctl, so that both refuse the same ones.  Must not
 * know UTF-8 or what stands in for a refused character. */
#include "common/terminal.h"

#include <stddef.h>

static const struct range {
    uint32_t first;
    uint32_t last;
} unsafe[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c},
    {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
};

bool terminal_is_unsafe(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
        if (code_point >= unsafe[i].first && code_point <= unsafe[i].last) {
            return true;
        }
    }
    return false;
}
