#ifndef FSD_COMMON_TERMINAL_H
#define FSD_COMMON_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* Whether text of others must not hold this character when it is shown on a terminal: controls (C0, DEL, C1; newline and tab
 * too, the caller knows where those may stand), line and paragraph separators, and the marks that turn the direction of
 * what follows (Unicode TR 36 §3.1), with which a log line can be made to read as another. */
bool terminal_is_unsafe(uint32_t code_point);

#endif
