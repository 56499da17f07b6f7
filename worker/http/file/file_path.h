#ifndef FSD_WORKER_HTTP_FILE_FILE_PATH_H
#define FSD_WORKER_HTTP_FILE_FILE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* From the path of a URL to a name below a folder.  Pure. */

enum { FILE_PATH_MAX = 2048 };

enum file_path_fault {
    FILE_PATH_FINE,
    FILE_PATH_MALFORMED, /* a bad escape, or a NUL: 400 */
    FILE_PATH_FORBIDDEN, /* it could mean another place than it says: 403 */
    FILE_PATH_TOO_LONG,  /* no file has such a name: 404 */
};

struct file_path {
    char
        name[FILE_PATH_MAX]; /* below the folder, without a slash at either end; "" is the folder */
    size_t len;
    bool is_folder;   /* the path ended with a slash, or was empty */
    bool has_dotfile; /* a part begins with a dot */
};

/* Decodes the escapes of a URL's path once, and takes only one spelling of each name: parts that are empty, "." or "..", a backslash,
 * and escapes of a slash or of letters, digits and -._~, which nobody needs to escape, are FORBIDDEN.  A path that went around a
 * handler mounted at "/private" as "//private" or "/%70rivate" can't come in here then.  path is undefined after a fault. */
enum file_path_fault file_path_decode(const char *text, size_t len, struct file_path *path);
/* The same for a name that is no URL: nothing is decoded, and it has no slash at its beginning. */
enum file_path_fault file_path_take(const char *text, size_t len, struct file_path *path);
/* Whether "/name" is one of the patterns, whose * at the end stands for anything: "/.well-known/ *" without the blank. */
bool file_path_is_listed(const struct file_path *path, const char *pattern);
/* Behind the last dot of the last part of a name, without that; NULL when it has none there. */
const char *file_path_find_ending(const char *name);
/* Whether a file's name has a hash of its content, as bundlers write it: "app.3f2a9c1b.js", "index-BkH3xY2z.css". */
bool file_path_has_hash(const char *name);

#endif
