/* stop.c - `fsdctl stop`: ends the daemon and waits until it has gone.
 * Owns nothing.  How: the daemon acknowledges the order at once and closes its control socket as the last thing it does; the
 * end of our connection is therefore the end of the daemon.
 * Called through the row of main.c.  Must not send signals: the daemon may be another user's. */
#include "ctl/stop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"

/* Above the 30 s that workers have to finish their requests, however often they are replaced meanwhile. */
enum { TIMEOUT_MS = 2 * 60 * 1000 };

int stop_run(const struct command_args *args)
{
    struct client client;
    uint64_t timeout_ms = 0;
    json_t *result = NULL;
    int code = ask_get_timeout(args, TIMEOUT_MS, &timeout_ms);
    code = code == FSD_EXIT_OK ? ask_open(args, timeout_ms, &client) : code;
    if (code != FSD_EXIT_OK) {
        return code;
    }
    json_t *params = json_pack("{s:b}", "now", command_has_option(args, "now"));
    code = ask_call(args, &client, "stop", params, &result);
    if (code == FSD_EXIT_OK) {
        struct fsd_err why = {""};
        int r = client_wait_end(&client, &why);
        code = client_exit_code(r);
        if (r < 0) {
            (void)fprintf(args->err, "fsd is stopping, but has not gone yet: %s\n", why.text);
        } else {
            bool json = command_has_option(args, "json");
            (void)fputs(json ? "{\"stopped\":true}\n" : "fsd has stopped\n", args->out);
        }
    }
    client_close(&client);
    json_decref(result);
    return code;
}
