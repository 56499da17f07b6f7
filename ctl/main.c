/* main.c - fsdctl, the operator's client of a running fsd.
 * Owns nothing.  Must not do anything itself: the rows of commands.c say which function does. */
#include <stdio.h>

#include "common/command.h"
#include "ctl/commands.h"

int main(int argc, char **argv)
{
    return command_main(commands_get(), argc, argv, stdout, stderr);
}
