/* crashes.c - `fsdctl crashes`: the list of crash reports, or one of them.
 * Owns nothing.  Called through the row of main.c.  Must not open the files of reports: the daemon has newer ones in
 * memory when the disk is full, and they are not for everybody's eyes. */
#include "ctl/crashes.h"

#include <errno.h>

#include "common/clock.h"
#include "common/command.h"
#include "ctl/ask.h"
#include "ctl/crash_render.h"
#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/table.h"

enum { TIMEOUT_MS = 10 * 1000 };

static void add_crash(struct table *table, const json_t *crash, uint64_t now_ms)
{
    uint64_t at_ms = 0;
    char ago[OUTPUT_NUMBER_MAX] = "-";
    if (field_find_number(crash, "at", &at_ms)) {
        output_format_duration(now_ms > at_ms ? now_ms - at_ms : 0, ago);
    }
    table_add_row(table);
    table_add_cell(table, OUTPUT_BOLD, field_get_text(crash, "id"));
    table_add_cell(table, OUTPUT_PLAIN, ago);
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(crash, "class"));
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(crash, "running"));
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(crash, "cause"));
}

int crashes_render(const json_t *result, uint64_t now_ms, const struct output *output)
{
    static const struct table_column columns[] = {
        {"ID", false}, {"AGO", true}, {"CLASS", false}, {"RUNNING", false}, {"CAUSE", false}};
    const json_t *crashes = json_object_get(result, "crashes");
    struct table table;
    if (!json_is_array(crashes)) {
        return -EPROTO;
    }
    if (json_array_size(crashes) == 0) {
        (void)fputs("no crash reports in ", output->file);
        output_text(output, field_get_text(result, "folder"));
        (void)fputc('\n', output->file);
        return 0;
    }
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_array_size(crashes); i++) {
        add_crash(&table, json_array_get(crashes, i), now_ms);
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}

static int render_list(const json_t *result, const struct output *output)
{
    return crashes_render(result, clock_wall_us() / 1000, output);
}

int crashes_run(const struct command_args *args)
{
    static const struct ask_row list = {"crashes", "fsd.crashes/1", TIMEOUT_MS, false,
                                        NULL,      render_list};
    static const struct ask_row one = {"crashes", "fsd.crash/1", TIMEOUT_MS,
                                       false,     NULL,          crash_render};
    if (args->value_count == 0) {
        return ask_and_show(args, &list, json_object());
    }
    return ask_and_show(args, &one, json_pack("{s:s}", "id", args->values[0]));
}
