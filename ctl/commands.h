#ifndef FSD_CTL_COMMANDS_H
#define FSD_CTL_COMMANDS_H

struct command_program;

/* The command line of fsdctl. */
const struct command_program *commands_get(void);

#endif
