/* history_folder.c - the files NUMBER.json in STATE/config.
 * Owns their names and the way a new one appears: as a whole, or not at all, and never in the place of another.  Files of other
 * names are none of its business.  It waits for the disk, which only an operator's command and the start of the daemon may.
 * Called by history.c.  Must not know what is in a file. */
#include "daemon/change/history_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/parse.h"
#include "daemon/change/history_record.h"
#include "daemon/conf/file.h"

enum { NAME_MAX_BYTES = 32 };

/* "12.json": digits without a leading zero. */
static bool parse_name(const char *name, uint64_t *ret_number)
{
    char digits[NAME_MAX_BYTES];
    size_t len = strcspn(name, ".");
    if (len >= sizeof(digits) || name[0] == '0' || strcmp(name + len, ".json") != 0) {
        return false;
    }
    memcpy(digits, name, len);
    digits[len] = '\0';
    return parse_digits(digits, 10, HISTORY_NUMBER_MAX, ret_number) == 0;
}

static int format_path(const char *folder, uint64_t number, char path[FILE_PATH_MAX])
{
    int len = snprintf(path, FILE_PATH_MAX, "%s/%" PRIu64 ".json", folder, number);
    return len < FILE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Keeps numbers in falling order; the lowest one is lost when there are more than max. */
static size_t insert(uint64_t *numbers, size_t count, size_t max, uint64_t number)
{
    size_t at = count;
    while (at > 0 && numbers[at - 1] < number) {
        at--;
    }
    if (at == max) {
        return count;
    }
    size_t moved = count - at - (count == max);
    memmove(&numbers[at + 1], &numbers[at], moved * sizeof(*numbers));
    numbers[at] = number;
    return count < max ? count + 1 : count;
}

int history_folder_list(const char *folder, uint64_t *ret_numbers, size_t max, struct fsd_err *err)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : fsd_err_set(err, errno, "%s", strerror(errno));
    }
    for (;;) {
        errno = 0;
        const struct dirent *item = readdir(dir);
        if (item == NULL) {
            break;
        }
        uint64_t number = 0;
        if (parse_name(item->d_name, &number)) {
            count = insert(ret_numbers, count, max, number);
        }
    }
    int errnum = errno;
    (void)closedir(dir); /* read only: nothing can be lost */
    return errnum == 0 ? (int)count : fsd_err_set(err, errnum, "%s", strerror(errnum));
}

bool history_folder_has(const char *folder, uint64_t number)
{
    char path[FILE_PATH_MAX];
    struct stat info;
    return format_path(folder, number, path) == 0 && lstat(path, &info) == 0;
}

int history_folder_read(const char *folder, uint64_t number, char **ret_text, size_t *ret_len,
                        struct fsd_err *err)
{
    char path[FILE_PATH_MAX];
    if (format_path(folder, number, path) < 0) {
        return fsd_err_set(err, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    }
    return file_read(path, HISTORY_RECORD_MAX, true, ret_text, ret_len, err);
}

/* What can't be made shows when something is written there. */
static void make_folders(const char *folder)
{
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

/* All of text, safe on the disk.  0 or negative errno. */
static int fill(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    int result = fd_write_all(fd, text, strlen(text));
    if (result == 0 && fsync(fd) < 0) {
        result = -errno;
    }
    if (close(fd) < 0 && result == 0) {
        result = -errno;
    }
    return result;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    fd_close(&fd);
    return result;
}

int history_folder_write(const char *folder, uint64_t number, const char *text, struct fsd_err *err)
{
    char path[FILE_PATH_MAX];
    char draft[FILE_PATH_MAX];
    int len = snprintf(draft, sizeof(draft), "%s/.new", folder);
    if (len >= FILE_PATH_MAX || format_path(folder, number, path) < 0) {
        return fsd_err_set(err, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    }
    make_folders(folder);
    (void)unlink(draft); /* what a crash has left */
    int result = fill(draft, text);
    /* unlike rename, link never takes the place of another file */
    if (result == 0 && link(draft, path) < 0) {
        result = -errno;
    }
    (void)unlink(draft);
    if (result < 0) {
        return fsd_err_set(err, -result, "%s", strerror(-result));
    }
    result = sync_folder(folder);
    if (result < 0) {
        (void)fsd_err_set(err, -result, "it is not certain that the disk has it: %s",
                          strerror(-result));
    }
    return 0;
}

void history_folder_remove(const char *folder, uint64_t number)
{
    char path[FILE_PATH_MAX];
    if (format_path(folder, number, path) == 0) {
        (void)unlink(path);
    }
}
