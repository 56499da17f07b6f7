#ifndef FSD_DAEMON_OWNER_H
#define FSD_DAEMON_OWNER_H

#include <stddef.h>

/* The struct of the given type in which *pointer is embedded as member: how a callback finds its owner. */
#define OWNER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
