#ifndef FSD_WORKER_HTTP_FILE_FOLDER_H
#define FSD_WORKER_HTTP_FILE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/file/file_answer.h"
#include "worker/http/file/file_options.h"
#include "worker/http/file/file_path.h"
#include "worker/http/file/file_root.h"

enum { FOLDER_LIST_MAX = 16 };

/* A short list of texts. */
struct folder_list {
    size_t count;
    char *texts[FOLDER_LIST_MAX]; /* owned */
};

/* What fsd.static gives: a folder whose files are sent without entering Lua. */
struct folder {
    struct file_root root; /* owned */
    struct file_options options;
    struct folder_list index;         /* names that stand for a folder */
    struct folder_list extensions;    /* tried behind a name that is not there, without a dot */
    struct folder_list precompressed; /* "br", "gz", "zst", the ones liked best first */
    struct folder_list allow;         /* patterns of paths that dotfiles does not count for */
    char *spa;                        /* owned; name below root; NULL: none */
    bool fallthrough;
    bool redirect;
    bool hash_immutable;
};

/* One look-up. */
struct folder_search {
    struct folder *folder;              /* borrowed */
    const struct file_request *request; /* borrowed */
    struct file_path path;
    char name[FILE_PATH_MAX + 64]; /* of what was found, below the folder */
    struct file_found found;       /* its fd is the caller's after GIVES; -1 with a redirect */
    const char *encoding;
};

/* Finds what the request means, in search->found and name: a file, or, with found.fd -1, that the path lacks the slash of a folder.
 * *ret_failure is filled also with PASSES. */
enum file_verdict folder_find(struct folder *folder, const struct file_request *request,
                              struct folder_search *search, struct file_failure *ret_failure);
/* The answer to a search that GIVES; takes what was found. */
enum file_verdict folder_give(struct folder_search *search, struct file_given *ret_given,
                              struct file_failure *ret_failure);
/* Closes all and frees the texts. */
void folder_fini(struct folder *folder);

#endif
