#ifndef FSD_WORKER_SHARED_SHARD_HASH_H
#define FSD_WORKER_SHARED_SHARD_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A keyed hash of bytes that others choose: without the seed nobody can find keys that collide. */
uint64_t shard_hash(uint64_t seed, const void *bytes, size_t len);

#endif
