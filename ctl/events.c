/* events.c - `fsdctl events`: what happened to the service.
 * Owns nothing.  Called through the row of main.c.  Must not know which events there are. */
#include "ctl/events.h"

#include <stdint.h>

#include "common/command.h"
#include "common/parse.h"
#include "ctl/ask.h"
#include "ctl/follow.h"
#include "ctl/record.h"

enum { TAIL = 10 };

int events_run(const struct command_args *args)
{
    static const struct follow_row row = {"events", "fsd.events/1", "events",
                                          "event",  TAIL,           record_print_event};
    const char *since = command_find_option(args, "since");
    uint64_t id = 0;
    if (since != NULL && parse_digits(since, 10, INT64_MAX, &id) < 0) {
        return ask_refuse(args, "--since must be the number of an event, not \"%s\"", since);
    }
    json_t *params = json_pack("{s:b}", "follow", command_has_option(args, "follow"));
    if (since != NULL &&
        json_object_set_new(params, "since_id", json_integer((json_int_t)id)) < 0) {
        json_decref(params);
        params = NULL;
    }
    return follow_run(args, &row, params, since != NULL);
}
