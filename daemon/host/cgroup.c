/*
 * cgroup.c - finds a process's own control group in the texts of the kernel.
 *
 * Owns nothing.  /proc/PID/cgroup names the group as seen from the top of its hierarchy, and
 * /proc/PID/mountinfo says which part of the hierarchy is mounted where; only together they lead
 * to a folder, because in a container the two differ.
 *
 * Called by cgroup_own.c.  Pure.
 */
#include "daemon/host/cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

/* A part of a text. */
struct span {
    const char *at; /* borrowed; NULL: none */
    size_t len;
};

/* Takes what stands before the separator (or the end) off the front of rest. */
static struct span cut(struct span *rest, char separator)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->at, separator, rest->len);
    struct span front = {rest->at, end == NULL ? rest->len : (size_t)(end - rest->at)};
    size_t used = end == NULL ? front.len : front.len + 1;

    rest->at += used;
    rest->len -= used;
    return front;
}

static bool is_equal(struct span span, const char *word)
{
    return span.len == strlen(word) && memcmp(span.at, word, span.len) == 0;
}

/* Is word one of a list with commas? */
static bool has_word(struct span list, const char *word)
{
    while (list.len > 0) {
        if (is_equal(cut(&list, ','), word)) {
            return true;
        }
    }
    return false;
}

static bool is_number(struct span span)
{
    return span.len > 0 && strspn(span.at, "0123456789") == span.len;
}

/* The path in the line "3:cpu,cpuacct:/a"; controller NULL: in "0::/a", which is version 2. */
static struct span find_group(const char *cgroup, const char *controller)
{
    struct span rest = {cgroup, strlen(cgroup)};

    while (rest.len > 0) {
        struct span line = cut(&rest, '\n');
        struct span number = cut(&line, ':'); /* of the hierarchy */
        struct span names = cut(&line, ':');
        bool is_valid = is_number(number) && line.len > 0 && line.at[0] == '/';
        if (is_valid && (controller == NULL ? names.len == 0 : has_word(names, controller))) {
            return line;
        }
    }
    return (struct span){NULL, 0};
}

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
           text[2] <= '7';
}

/* mountinfo writes blanks and backslashes as "\040".  False: it does not fit. */
static bool append(struct cgroup_folder *folder, struct span span, bool is_escaped)
{
    size_t len = strlen(folder->path);

    for (size_t i = 0; i < span.len; i++) {
        const char *at = span.at + i;
        char c = *at;
        if (is_escaped && c == '\\' && i + 3 < span.len && is_octal(at + 1)) {
            c = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            i += 3;
        }
        if (len + 1 >= sizeof(folder->path)) {
            return false;
        }
        folder->path[len++] = c;
        folder->path[len] = '\0';
    }
    return true;
}

/* What is left of group below the root of the mount: "" or "/b".  False: it is not below it. */
static bool cut_root(struct span group, struct span root, struct span *ret_below)
{
    size_t len = is_equal(root, "/") ? 0 : root.len;

    if (group.len < len || memcmp(group.at, root.at, len) != 0 ||
        (group.len > len && group.at[len] != '/')) {
        return false;
    }
    *ret_below = (struct span){group.at + len, group.len - len};
    if (is_equal(*ret_below, "/")) {
        ret_below->len = 0;
    }
    return true;
}

/* A line of mountinfo: "36 35 0:30 ROOT POINT options [tags...] - KIND source OPTIONS". */
struct mount {
    struct span root;
    struct span point;
    struct span kind;
    struct span options;
};

static struct mount parse_mount(struct span line)
{
    struct mount mount = {0};

    for (int i = 0; i < 3; i++) {
        (void)cut(&line, ' ');
    }
    mount.root = cut(&line, ' ');
    mount.point = cut(&line, ' ');
    while (line.len > 0 && !is_equal(cut(&line, ' '), "-")) {
        /* how it is mounted does not matter */
    }
    mount.kind = cut(&line, ' ');
    (void)cut(&line, ' ');
    mount.options = line;
    return mount;
}

/* controller NULL: version 2. */
static int find_folder(struct span group, const char *mountinfo, const char *controller,
                       struct cgroup_folder *folder)
{
    struct span rest = {mountinfo, strlen(mountinfo)};

    while (rest.len > 0) {
        struct mount mount = parse_mount(cut(&rest, '\n'));
        struct span below;
        bool is_wanted = controller == NULL ? is_equal(mount.kind, "cgroup2")
                                            : is_equal(mount.kind, "cgroup") &&
                                                  has_word(mount.options, controller);
        if (!is_wanted || mount.point.len == 0 || mount.point.at[0] != '/' ||
            !cut_root(group, mount.root, &below)) {
            continue;
        }
        folder->path[0] = '\0';
        if (!append(folder, mount.point, true)) {
            return -ENAMETOOLONG;
        }
        folder->top_len = strlen(folder->path);
        folder->version = controller == NULL ? 2 : 1;
        return append(folder, below, false) ? 0 : -ENAMETOOLONG;
    }
    return -ENOENT;
}

int cgroup_find(const char *cgroup, const char *mountinfo, const char *controller,
                struct cgroup_folder *ret_folder)
{
    struct cgroup_folder folder;
    struct span group = find_group(cgroup, controller);

    if (group.at == NULL) {
        controller = NULL;
        group = find_group(cgroup, NULL);
    }
    int rc = group.at == NULL ? -ENOENT : find_folder(group, mountinfo, controller, &folder);
    if (rc == 0) {
        *ret_folder = folder;
    }
    return rc;
}

int cgroup_go_up(struct cgroup_folder *folder)
{
    if (strlen(folder->path) <= folder->top_len) {
        return 0;
    }
    *strrchr(folder->path, '/') = '\0'; /* what is behind the mount begins with one */
    return 1;
}

int cgroup_parse_cpu_max(const char *text, uint64_t *ret_quota_us, uint64_t *ret_period_us)
{
    char quota_text[24];
    char period_text[24];
    uint64_t quota = 0;
    uint64_t period = 0;

    if (sscanf(text, "%23s %23s", quota_text, period_text) != 2) {
        return -EINVAL;
    }
    if (strcmp(quota_text, "max") == 0) {
        return -ENOENT;
    }
    if (parse_digits(quota_text, 10, UINT64_MAX, &quota) < 0 ||
        parse_digits(period_text, 10, UINT64_MAX, &period) < 0 || quota == 0 || period == 0) {
        return -EINVAL;
    }
    *ret_quota_us = quota;
    *ret_period_us = period;
    return 0;
}
