#ifndef FSD_COMMON_MEMORY_H
#define FSD_COMMON_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* Resident memory of a process in bytes; 0 when it is gone, or /proc does not show it to us. */
uint64_t memory_read(pid_t pid);

#endif
