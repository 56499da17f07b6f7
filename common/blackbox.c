/* blackbox.c - makes, maps and reads the black box of one incarnation.
 * Owns the layout with blackbox.h, and no memory: the mapping belongs to whoever asked for it.  The master makes one memfd
 * a worker and seals its size, so that the worker can't make the master fault.  A reader copies an entry, then looks
 * whether it was being written meanwhile (or the writer died while it wrote: then it is absent), then bounds what the copy
 * says; nothing in the box is used as a pointer, and an index only after masking.
 * Called by the master's process and crash code, and once by the worker.  Must not know what a report looks like. */
#include "common/blackbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_TRIES = 3 }; /* a live worker may be writing just now */

int blackbox_create(void)
{
    int fd = memfd_create("fsd-blackbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -errno;
    }
    if (ftruncate(fd, BLACKBOX_SIZE) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int error = errno;
        (void)close(fd); /* nothing was written */
        return -error;
    }
    return fd;
}

struct blackbox *blackbox_map(int fd, bool writable)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return NULL;
    }
    if (info.st_size != BLACKBOX_SIZE) { /* a shorter file would be a SIGBUS later */
        errno = EINVAL;
        return NULL;
    }
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *memory = mmap(NULL, BLACKBOX_SIZE, protection, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void blackbox_unmap(const struct blackbox *box)
{
    if (box != NULL) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): takes const away, as free would need, too */
        (void)munmap((void *)(uintptr_t)box, BLACKBOX_SIZE); /* fails only if never mapped */
    }
}

static uint64_t get(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_acquire);
}

/* Copies an entry, which begins with its sequence.  False when it was being written all the time, or for ever. */
static bool copy_entry(void *ret_copy, const void *entry, size_t size)
{
    const _Atomic uint64_t *sequence = entry;
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t before = get(sequence);
        memcpy(ret_copy, entry, size);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(sequence, memory_order_relaxed) == before) {
            return true;
        }
    }
    return false;
}

/* text has room for limit + 1 bytes; what follows a NUL is left out. */
static void copy_text(char *text, const char *bytes, size_t len, size_t limit)
{
    len = strnlen(bytes, len < limit ? len : limit);
    memcpy(text, bytes, len);
    text[len] = '\0';
}

static bool read_request(const struct blackbox *box, unsigned index,
                         struct blackbox_request *ret_request)
{
    struct blackbox_request_entry entry;
    if (!copy_entry(&entry, &box->requests[index], sizeof(entry)) || entry.number == 0) {
        return false;
    }
    ret_request->number = entry.number;
    ret_request->is_open = entry.is_open != 0;
    ret_request->status = ret_request->is_open ? 0 : entry.status;
    ret_request->duration_us = ret_request->is_open ? 0 : entry.duration_us;
    ret_request->generation = entry.generation;
    ret_request->begun_mono_us = entry.begun_us;
    ret_request->begun_wall_us = entry.begun_us + get(&box->wall_offset_us);
    copy_text(ret_request->method, entry.method, entry.method_len, BLACKBOX_METHOD_MAX);
    copy_text(ret_request->path, entry.path, entry.path_len, BLACKBOX_PATH_MAX);
    copy_text(ret_request->place, entry.place, sizeof(entry.place), BLACKBOX_PLACE_MAX);
    if (entry.id_len > 0) {
        copy_text(ret_request->id, entry.id, entry.id_len, BLACKBOX_ID_MAX);
    } else {
        (void)snprintf(ret_request->id, sizeof(ret_request->id), "%llx-%llx",
                       (unsigned long long)entry.id_high, (unsigned long long)entry.id_low);
    }
    return true;
}

static void read_subject(const struct blackbox *box, uint64_t word, struct blackbox_now *ret_now)
{
    uint64_t place = word >> BLACKBOX_KIND_BITS;
    if (ret_now->kind == BLACKBOX_REQUEST) {
        struct blackbox_request request = {0};
        if (read_request(box, place & (BLACKBOX_REQUESTS - 1), &request) &&
            request.number == place >> BLACKBOX_INDEX_BITS) { /* else another one by now */
            ret_now->has_request = true;
            ret_now->request = request;
        }
        return;
    }
    char name[sizeof(box->now_name)];
    memcpy(name, box->now_name, sizeof(name));
    copy_text(ret_now->name, name, sizeof(name), BLACKBOX_PLACE_MAX);
    ret_now->generation = ret_now->kind == BLACKBOX_LOAD ? get(&box->now_generation) : 0;
}

static bool is_written(const struct blackbox *box)
{
    return box != NULL && get(&box->version) == BLACKBOX_VERSION;
}

void blackbox_read_now(const struct blackbox *box, struct blackbox_now *ret_now)
{
    for (int i = 0; is_written(box) && i < READ_TRIES; i++) {
        memset(ret_now, 0, sizeof(*ret_now));
        uint64_t word = get(&box->now);
        ret_now->kind = (enum blackbox_kind)(word & ((1U << BLACKBOX_KIND_BITS) - 1));
        if (ret_now->kind == BLACKBOX_NOTHING) {
            return;
        }
        ret_now->since_mono_us = get(&box->now_since_us);
        ret_now->since_wall_us = ret_now->since_mono_us + get(&box->wall_offset_us);
        read_subject(box, word, ret_now);
        if (get(&box->now) == word) {
            return;
        }
    }
    memset(ret_now, 0, sizeof(*ret_now));
}

static int by_number_falling(const void *left, const void *right)
{
    uint64_t a = ((const struct blackbox_request *)left)->number;
    uint64_t b = ((const struct blackbox_request *)right)->number;
    return (a < b) - (a > b);
}

static void read_requests(const struct blackbox *box, struct blackbox_copy *copy)
{
    for (unsigned i = 0; i < BLACKBOX_REQUESTS; i++) {
        if (read_request(box, i, &copy->requests[copy->request_count])) {
            copy->request_count++;
        }
    }
    qsort(copy->requests, copy->request_count, sizeof(copy->requests[0]), by_number_falling);
}

static int by_number_rising(const void *left, const void *right)
{
    uint64_t a = ((const struct blackbox_line *)left)->number;
    uint64_t b = ((const struct blackbox_line *)right)->number;
    return (a > b) - (a < b);
}

static void add_line(struct blackbox_copy *copy, const struct blackbox_line_entry *head,
                     const char *text, size_t limit)
{
    if (head->number == 0) {
        return;
    }
    struct blackbox_line *line = &copy->lines[copy->line_count++];
    line->number = head->number;
    line->wall_us = head->wall_us;
    line->level = (int)(head->level & 0xff);
    copy_text(line->text, text, head->len, limit);
}

static void read_lines(const struct blackbox *box, struct blackbox_copy *copy)
{
    for (unsigned i = 0; i < BLACKBOX_LINES; i++) {
        struct blackbox_line_entry entry;
        if (copy_entry(&entry, &box->lines[i], sizeof(entry))) {
            add_line(copy, &entry, entry.text, sizeof(entry.text));
        }
    }
    for (unsigned i = 0; i < BLACKBOX_ERRORS; i++) {
        struct blackbox_error_entry entry;
        if (copy_entry(&entry, &box->errors[i], sizeof(entry))) {
            struct blackbox_line_entry head = {.number = entry.number,
                                               .wall_us = entry.wall_us,
                                               .level = entry.level,
                                               .len = entry.len};
            add_line(copy, &head, entry.text, sizeof(entry.text));
        }
    }
    qsort(copy->lines, copy->line_count, sizeof(copy->lines[0]), by_number_rising);
}

static unsigned bound(uint64_t number, unsigned limit)
{
    return number < limit ? (unsigned)number : limit;
}

static void read_frames(const struct blackbox_death_entry *entry, struct blackbox_death *ret_death)
{
    ret_death->frame_count = bound(get(&entry->frame_count), BLACKBOX_FRAMES);
    unsigned named_count = bound(get(&entry->named_count), ret_death->frame_count);
    for (unsigned i = 0; i < ret_death->frame_count; i++) {
        ret_death->frames[i].address = entry->frames[i];
        if (i < named_count) {
            char name[BLACKBOX_FRAME_MAX];
            memcpy(name, entry->names[i], sizeof(name));
            copy_text(ret_death->frames[i].text, name, sizeof(name), BLACKBOX_FRAME_MAX);
        }
    }
}

static void read_death(const struct blackbox_death_entry *entry, struct blackbox_death *ret_death)
{
    uint64_t signal = get(&entry->signal);
    if (signal == 0) {
        return;
    }
    ret_death->is_noted = true;
    ret_death->signal = (int)(signal & 0x7f);
    ret_death->code = (int)entry->code;
    ret_death->address = entry->address;
    ret_death->sender = (int)entry->sender;
    read_frames(entry, ret_death);
    char lua_stack[BLACKBOX_LUA_MAX];
    unsigned lua_len = bound(get(&entry->lua_len), sizeof(lua_stack));
    memcpy(lua_stack, entry->lua_stack, lua_len);
    copy_text(ret_death->lua_stack, lua_stack, lua_len, BLACKBOX_LUA_MAX);
    ret_death->is_finished = get(&entry->is_finished) == 1;
}

void blackbox_read(const struct blackbox *box, struct blackbox_copy *ret_copy)
{
    memset(ret_copy, 0, sizeof(*ret_copy));
    if (!is_written(box)) {
        return;
    }
    ret_copy->is_written = true;
    blackbox_read_now(box, &ret_copy->now);
    read_requests(box, ret_copy);
    read_lines(box, ret_copy);
    read_death(&box->death, &ret_copy->death);
}

const char *blackbox_title(const struct blackbox_now *now, char text[BLACKBOX_TITLE_MAX])
{
    text[0] = '\0';
    switch (now->kind) {
    case BLACKBOX_NOTHING:
        break;
    case BLACKBOX_REQUEST:
        (void)snprintf(text, BLACKBOX_TITLE_MAX, "%s%s%s",
                       now->has_request ? now->request.method : "a request",
                       now->has_request ? " " : "", now->request.path);
        break;
    case BLACKBOX_TASK:
        (void)snprintf(text, BLACKBOX_TITLE_MAX, "task %s", now->name);
        break;
    case BLACKBOX_LOAD:
        (void)snprintf(text, BLACKBOX_TITLE_MAX, "loading %s", now->name);
        break;
    }
    return text;
}
