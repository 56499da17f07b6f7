/* verb_config.c - `fsd config ...`: the configuration's keys, without one being read.
 * Owns nothing.  How: the schema's rows print themselves.
 * Called through the rows of main.c.  Must not know any key. */
#include "daemon/verb/verb.h"

#include "common/command.h"
#include "common/proto.h"
#include "daemon/conf/schema.h"

int verb_config_example(const struct command_args *args)
{
    schema_print_example(args->out);
    return FSD_EXIT_OK;
}
