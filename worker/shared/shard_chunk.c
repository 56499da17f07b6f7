/* shard_chunk.c - the memory of a shard: chunks of one size, chained.
 * Owns the list of free chunks and the walk along a chain.  Chunks of one size never fragment: whatever is removed makes room for whatever
 * comes.  Each index is read once and checked before it is followed, and each walk is bounded by a length that was checked before.
 * Called by shard.c and shard_entry.c.  Pure.  Must not know what the bytes mean. */
#include <errno.h>
#include <string.h>

#include "worker/shared/shard_parts.h"

enum {
    FIRST_BYTES = sizeof(((struct shard_entry *)NULL)->bytes),
    MORE_BYTES = sizeof(((struct shard_more *)NULL)->bytes),
};

uint32_t shard_chunks_for(size_t key_len, size_t value_len)
{
    size_t len = key_len + value_len;
    size_t more = len > FIRST_BYTES ? (len - FIRST_BYTES + MORE_BYTES - 1) / MORE_BYTES : 0;
    return (uint32_t)(1 + more);
}

bool shard_is_index(const struct shard *shard, uint32_t index)
{
    return index >= 1 && index <= shard->chunk_count;
}

static void *chunk_at(const struct shard *shard, uint32_t index)
{
    return shard->chunks + (size_t)(index - 1) * SHARD_CHUNK;
}

struct shard_entry *shard_entry_at(const struct shard *shard, uint32_t index)
{
    return chunk_at(shard, index);
}

int shard_get_available(const struct shard *shard, uint32_t *ret_count)
{
    uint32_t used = shard_load(&shard->head->used);
    uint32_t free_count = shard_load(&shard->head->free_count);
    if (used > shard->chunk_count || free_count > used) {
        return -EBADMSG;
    }
    *ret_count = shard->chunk_count - used + free_count;
    return 0;
}

/* 0 when there is none, which is damage to a caller that has counted. */
static uint32_t take_chunk(struct shard *shard)
{
    struct shard_head *head = shard->head;
    uint32_t index = shard_load(&head->free);
    if (index == 0) {
        uint32_t used = shard_load(&head->used);
        if (used >= shard->chunk_count) {
            return 0;
        }
        head->used = used + 1;
        return used + 1;
    }
    if (!shard_is_index(shard, index)) {
        return 0;
    }
    const struct shard_more *chunk = chunk_at(shard, index);
    head->free = chunk->next;
    head->free_count--;
    return index;
}

int shard_take_chunks(struct shard *shard, uint32_t count, uint32_t *ret_first)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = take_chunk(shard);
        if (index == 0) {
            return -EBADMSG;
        }
        struct shard_more *chunk = chunk_at(shard, index);
        chunk->next = first;
        first = index;
    }
    *ret_first = first;
    return 0;
}

int shard_give_chunks(struct shard *shard, uint32_t first, uint32_t count)
{
    struct shard_head *head = shard->head;
    uint32_t index = first;
    for (uint32_t i = 0; i < count; i++) {
        if (!shard_is_index(shard, index)) {
            return -EBADMSG;
        }
        struct shard_more *chunk = chunk_at(shard, index);
        uint32_t next = shard_load(&chunk->next);
        chunk->next = head->free;
        head->free = index;
        head->free_count++;
        index = next;
    }
    return 0;
}

void shard_place_init(struct shard_place *place, const struct shard *shard, uint32_t entry)
{
    struct shard_entry *first = chunk_at(shard, entry);
    *place = (struct shard_place){shard, entry, first->bytes, FIRST_BYTES};
}

/* The next piece of at most len bytes: its address and its length, or NULL: damage. */
static unsigned char *take_piece(struct shard_place *place, size_t len, size_t *ret_len)
{
    if (place->room == 0) {
        const struct shard_more *chunk = chunk_at(place->shard, place->index);
        uint32_t index = shard_load(&chunk->next);
        if (!shard_is_index(place->shard, index)) {
            return NULL;
        }
        struct shard_more *next = chunk_at(place->shard, index);
        place->index = index;
        place->at = next->bytes;
        place->room = MORE_BYTES;
    }
    unsigned char *piece = place->at;
    *ret_len = len < place->room ? len : place->room;
    place->at += *ret_len;
    place->room -= *ret_len;
    return piece;
}

int shard_place_skip(struct shard_place *place, size_t len)
{
    size_t piece_len = 0;
    for (; len > 0; len -= piece_len) {
        if (take_piece(place, len, &piece_len) == NULL) {
            return -EBADMSG;
        }
    }
    return 0;
}

int shard_place_read(struct shard_place *place, void *to, size_t len)
{
    unsigned char *at = to;
    size_t piece_len = 0;
    for (; len > 0; len -= piece_len) {
        const unsigned char *piece = take_piece(place, len, &piece_len);
        if (piece == NULL) {
            return -EBADMSG;
        }
        memcpy(at, piece, piece_len);
        at += piece_len;
    }
    return 0;
}

int shard_place_write(struct shard_place *place, const void *from, size_t len)
{
    const unsigned char *at = from;
    size_t piece_len = 0;
    for (; len > 0; len -= piece_len) {
        unsigned char *piece = take_piece(place, len, &piece_len);
        if (piece == NULL) {
            return -EBADMSG;
        }
        memcpy(piece, at, piece_len);
        at += piece_len;
    }
    return 0;
}

int shard_place_equals(struct shard_place *place, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    size_t piece_len = 0;
    for (; len > 0; len -= piece_len) {
        const unsigned char *piece = take_piece(place, len, &piece_len);
        if (piece == NULL) {
            return -EBADMSG;
        }
        if (memcmp(piece, at, piece_len) != 0) {
            return 0;
        }
        at += piece_len;
    }
    return 1;
}
