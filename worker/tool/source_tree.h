#ifndef FSD_WORKER_TOOL_SOURCE_TREE_H
#define FSD_WORKER_TOOL_SOURCE_TREE_H

#include <stddef.h>

struct fsd_err;

/* One Lua file or template of an application. */
struct source_file {
    char *name; /* owned; relative to the root, with '/' */
    char *text; /* owned */
    size_t len;
};

/* All files below a folder that are code (common/source_name.h), sorted by name. */
struct source_tree {
    char *root;                /* owned; absolute, symbolic links resolved */
    char *main;                /* owned; name of the main file */
    struct source_file *files; /* owned array */
    size_t count;
    size_t bytes;
    /* what was found, also where that is more than is read; set while the folders are read */
    size_t found;
    size_t found_bytes;
    char *largest; /* owned; name of the largest file */
    size_t largest_bytes;
};

/* Reads the main file and every file of code below its folder (hidden files and folders, and folders behind symbolic links, are
 * left out).  0; -ENOENT, -EACCES ... when the main file can't be opened; -EFBIG above the limits of bundle.h, with how much
 * there is; each with a sentence. */
int source_tree_read(struct source_tree *tree, const char *main_file, struct fsd_err *err);
void source_tree_fini(struct source_tree *tree);

#endif
