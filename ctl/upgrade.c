/* upgrade.c - `fsdctl upgrade`: the running daemon becomes the fsd that is installed now.
 * Owns nothing.  How: the old program hands our connection on; the new one answers.
 * Called through the row of main.c.  Must not know how a program is replaced. */
#include "ctl/upgrade.h"

#include <errno.h>

#include "common/command.h"
#include "ctl/ask.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { TIMEOUT_MS = 60 * 1000 };

static int render(const json_t *result, const struct output *output)
{
    uint64_t pid = 0;
    if (!field_find_number(result, "pid", &pid)) {
        return -EPROTO;
    }
    (void)fputs("fsd ", output->file);
    output_text(output, field_get_text(result, "from"));
    (void)fputs(" -> ", output->file);
    output_text(output, field_get_text(result, "to"));
    (void)fprintf(output->file, ", pid %llu, workers untouched\n", (unsigned long long)pid);
    return 0;
}

int upgrade_run(const struct command_args *args)
{
    static const struct ask_row row = {"upgrade", "fsd.upgrade/1", TIMEOUT_MS, true, NULL, render};
    return ask_and_show(args, &row, json_object());
}
