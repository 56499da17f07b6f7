/* oom_parse.c - reads the three texts of the kernel that tell how many processes of our cgroup it killed for lack of memory.
 * Owns nothing.  /proc/self/cgroup names the cgroup as seen from the hierarchy's root; /proc/self/mountinfo says which part
 * of the hierarchy is mounted where, so that the file can be found in a container as well, where the two differ.  Of version
 * 1 (a line with the controller "memory") the file is memory.oom_control, of version 2 memory.events; both have a line
 * "oom_kill N".  Called by oom.c.  Pure. */
#include "daemon/crash/oom_parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

/* A piece of a text that is not ended by NUL. */
struct piece {
    const char *at;
    size_t len;
};

/* Takes what stands before the separator (or the end) off the front of *rest. */
static struct piece take(struct piece *rest, char separator)
{
    const char *end = memchr(rest->at, separator, rest->len);
    struct piece piece = {rest->at, end == NULL ? rest->len : (size_t)(end - rest->at)};
    size_t took = end == NULL ? piece.len : piece.len + 1;
    rest->at += took;
    rest->len -= took;
    return piece;
}

static bool is_word(struct piece piece, const char *word)
{
    return piece.len == strlen(word) && memcmp(piece.at, word, piece.len) == 0;
}

static bool has_word(struct piece list, const char *word)
{
    while (list.len > 0) {
        if (is_word(take(&list, ','), word)) {
            return true;
        }
    }
    return false;
}

/* The path of the hierarchy with the controller ("": version 2), at NULL when there is none. */
static struct piece find_cgroup(const char *cgroup, const char *controller)
{
    struct piece rest = {cgroup, strlen(cgroup)};
    while (rest.len > 0) {
        struct piece line = take(&rest, '\n');
        (void)take(&line, ':'); /* the hierarchy's number */
        struct piece controllers = take(&line, ':');
        if (controller[0] == '\0' ? controllers.len == 0 : has_word(controllers, controller)) {
            return line;
        }
    }
    return (struct piece){NULL, 0};
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static size_t unescape(struct piece piece, char *text, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < piece.len && len + 1 < size; i++) {
        unsigned value = (unsigned char)piece.at[i];
        if (value == '\\' && i + 3 < piece.len) {
            value = (unsigned)(piece.at[i + 1] - '0') << 6 |
                    (unsigned)(piece.at[i + 2] - '0') << 3 | (unsigned)(piece.at[i + 3] - '0');
            i += 3;
        }
        text[len++] = (char)value;
    }
    text[len] = '\0';
    return len;
}

/* What remains of the cgroup's path below the mount's root; false when it is not below. */
static bool strip_root(struct piece cgroup, struct piece root, struct piece *ret_below)
{
    if (is_word(root, "/")) {
        root.len = 0;
    }
    if (cgroup.len < root.len || memcmp(cgroup.at, root.at, root.len) != 0) {
        return false;
    }
    *ret_below = (struct piece){cgroup.at + root.len, cgroup.len - root.len};
    if (is_word(*ret_below, "/")) {
        ret_below->len = 0;
    }
    return ret_below->len == 0 || ret_below->at[0] == '/';
}

struct mount {
    struct piece root;
    struct piece point;
    struct piece kind;
    struct piece options; /* of the file system */
};

/* "31 23 0:28 ROOT POINT options [tags...] - KIND source OPTIONS" */
static struct mount split_mount(struct piece line)
{
    struct mount mount;
    for (int i = 0; i < 3; i++) {
        (void)take(&line, ' ');
    }
    mount.root = take(&line, ' ');
    mount.point = take(&line, ' ');
    while (line.len > 0 && !is_word(take(&line, ' '), "-")) {
    }
    mount.kind = take(&line, ' ');
    (void)take(&line, ' ');
    mount.options = line;
    return mount;
}

static int find_path(struct piece cgroup, const char *mountinfo, const char *controller, char *path,
                     size_t size)
{
    bool is_second = controller[0] == '\0';
    struct piece rest = {mountinfo, strlen(mountinfo)};
    while (rest.len > 0) {
        struct mount mount = split_mount(take(&rest, '\n'));
        struct piece below;
        if (!is_word(mount.kind, is_second ? "cgroup2" : "cgroup") ||
            (!is_second && !has_word(mount.options, controller)) ||
            !strip_root(cgroup, mount.root, &below)) {
            continue;
        }
        size_t len = unescape(mount.point, path, size);
        int added = snprintf(path + len, size - len, "%.*s/%s", (int)below.len, below.at,
                             is_second ? "memory.events" : "memory.oom_control");
        return (size_t)added < size - len ? 0 : -ENAMETOOLONG;
    }
    return -ENOENT;
}

int oom_parse_path(const char *cgroup, const char *mountinfo, char *path, size_t size)
{
    static const char *const controllers[] = {"memory", ""};
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        struct piece found = find_cgroup(cgroup, controllers[i]);
        if (found.at != NULL) {
            return find_path(found, mountinfo, controllers[i], path, size);
        }
    }
    return -ENOENT;
}

int oom_parse_count(const char *text, uint64_t *ret_count)
{
    struct piece rest = {text, strlen(text)};
    while (rest.len > 0) {
        struct piece line = take(&rest, '\n');
        if (is_word(take(&line, ' '), "oom_kill")) {
            char digits[24];
            (void)snprintf(digits, sizeof(digits), "%.*s", (int)(line.len < 23 ? line.len : 23),
                           line.at);
            return parse_digits(digits, 10, UINT64_MAX, ret_count) == 0 ? 0 : -EINVAL;
        }
    }
    return -EINVAL;
}
