/* folder.c - answers requests with the files of a folder.
 *
 * Owns nothing; the folder is filled by folder_options.c.  The path of the request becomes a name (file_path.c), the name is looked up
 * below the root, then with each extension, then, for a folder, with each index file; where there is a compressed form that the client
 * takes, that is sent.  What is not found is left to the next handler, unless fallthrough is off.
 * Called by native.c for each request that comes to a handler made by fsd.static, before or within Lua.  Must not know Lua. */
#include "worker/http/file/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "worker/http/conditions.h"
#include "worker/http/file/file_coding.h"
#include "worker/http/file/file_path.h"
#include "worker/http/file/file_redirect.h"
#include "worker/http/view.h"

/* name, with something behind it; false when that is too long for any file. */
static bool set_name(struct folder_search *search, const char *name, const char *between,
                     const char *tail)
{
    int len = snprintf(search->name, sizeof(search->name), "%s%s%s", name, between, tail);
    return len > 0 && (size_t)len < sizeof(search->name);
}

static int find(struct folder_search *search)
{
    return file_root_find(&search->folder->root, search->name, &search->found);
}

/* The name itself, then with each extension where it has none. */
static int find_file(struct folder_search *search)
{
    const struct folder_list *extensions = &search->folder->extensions;
    if (!set_name(search, search->path.name, "", "")) {
        return -ENOENT;
    }
    int error = find(search);
    if (error != -ENOENT || file_path_find_ending(search->path.name) != NULL) {
        return error;
    }
    for (size_t i = 0; i < extensions->count && error == -ENOENT; i++) {
        error =
            set_name(search, search->path.name, ".", extensions->texts[i]) ? find(search) : -ENOENT;
    }
    return error;
}

/* The index file of a folder. */
static int find_index(struct folder_search *search)
{
    const struct folder_list *index = &search->folder->index;
    const char *slash = search->path.len > 0 ? "/" : "";
    int error = -ENOENT;
    for (size_t i = 0; i < index->count && (error == -ENOENT || error == -EISDIR); i++) {
        error =
            set_name(search, search->path.name, slash, index->texts[i]) ? find(search) : -ENOENT;
    }
    return error == -EISDIR ? -ENOENT : error;
}

/* Puts a compressed form in the place of what was found, when there is one that the client likes as much. */
static void find_compressed(struct folder_search *search)
{
    const struct folder_list *list = &search->folder->precompressed;
    unsigned order[FILE_CODING_MAX];
    size_t count = file_coding_choose(search->request->req, list->texts, list->count, order);
    size_t len = strlen(search->name);
    for (size_t i = 0; i < count; i++) {
        struct file_found found;
        const char *ending = list->texts[order[i]];
        int added = snprintf(search->name + len, sizeof(search->name) - len, ".%s", ending);
        bool fits = added > 0 && (size_t)added < sizeof(search->name) - len;
        int error = fits ? file_root_find(&search->folder->root, search->name, &found) : -ENOENT;
        search->name[len] = '\0';
        if (error == 0) {
            fd_close(&search->found.fd);
            search->found = found;
            search->encoding = file_coding_name(ending);
            return;
        }
    }
}

/* It was not found, or may not be: the next handler's turn, unless there is none for it. */
static enum file_verdict miss(const struct folder *folder, struct file_failure *failure, int status,
                              const char *code, const char *message)
{
    (void)file_answer_fail(failure, status, code, message);
    return folder->fallthrough ? FILE_PASSES : FILE_FAILS;
}

static enum file_verdict miss_path(const struct folder *folder, struct file_failure *failure,
                                   enum file_path_fault fault)
{
    switch (fault) {
    case FILE_PATH_MALFORMED:
        return miss(folder, failure, 400, "bad_path", "the path can't be decoded");
    case FILE_PATH_FORBIDDEN:
        return miss(folder, failure, 403, "forbidden", "the path may mean another one");
    case FILE_PATH_TOO_LONG:
    case FILE_PATH_FINE:
        break;
    }
    return miss(folder, failure, 404, "not_found", "there is no such file");
}

/* A browser that wants a page, and not a file that a page needs. */
static bool wants_page(const struct folder_search *search)
{
    const h2o_req_t *req = search->request->req;
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT, -1);
    if (at == -1 || file_path_find_ending(search->path.name) != NULL) {
        return false;
    }
    h2o_iovec_t accept = req->headers.entries[at].value;
    return h2o_strstr(accept.base, accept.len, H2O_STRLIT("text/html")) != SIZE_MAX;
}

static enum file_verdict miss_file(struct folder_search *search, int error,
                                   struct file_failure *failure)
{
    const struct folder *folder = search->folder;
    if (folder->spa != NULL && error == -ENOENT && wants_page(search) &&
        set_name(search, folder->spa, "", "") && find(search) == 0) {
        return FILE_GIVES;
    }
    (void)file_answer_fail_as(failure, error);
    return folder->fallthrough && failure->status < 500 ? FILE_PASSES : FILE_FAILS;
}

/* Whether the path is one that may have a part with a dot in front. */
static bool is_allowed(const struct folder_search *search)
{
    const struct folder *folder = search->folder;
    if (!search->path.has_dotfile || folder->options.dotfiles == FILE_DOTFILES_ALLOW) {
        return true;
    }
    for (size_t i = 0; i < folder->allow.count; i++) {
        if (file_path_is_listed(&search->path, folder->allow.texts[i])) {
            return true;
        }
    }
    return false;
}

/* "/files" where the folder is mounted at "/files": relative links of its pages would lead elsewhere. */
static bool lacks_slash(const struct file_request *request)
{
    h2o_iovec_t path = request->view->path;
    return request->path.len == 0 && path.len > 0 && path.base[path.len - 1] != '/';
}

static enum file_verdict look_up(struct folder_search *search, struct file_failure *failure)
{
    int error = -EISDIR;
    if (!lacks_slash(search->request)) {
        error = search->path.is_folder ? find_index(search) : find_file(search);
    }
    if (error == -EISDIR && search->folder->redirect) {
        search->found.fd = -1;
        return FILE_GIVES;
    }
    return error == 0 ? FILE_GIVES : miss_file(search, error == -EISDIR ? -ENOENT : error, failure);
}

enum file_verdict folder_find(struct folder *folder, const struct file_request *request,
                              struct folder_search *search, struct file_failure *ret_failure)
{
    if (!conditions_is_reading(request->req)) {
        enum file_verdict verdict =
            miss(folder, ret_failure, 405, "method_not_allowed", "files can only be read");
        ret_failure->header = "allow";
        (void)strcpy(ret_failure->value, "GET, HEAD");
        return verdict;
    }
    search->folder = folder;
    search->request = request;
    search->encoding = NULL;
    enum file_path_fault fault =
        file_path_decode(request->path.base, request->path.len, &search->path);
    if (fault != FILE_PATH_FINE) {
        return miss_path(folder, ret_failure, fault);
    }
    if (!is_allowed(search)) {
        bool denies = folder->options.dotfiles == FILE_DOTFILES_DENY;
        return miss_path(folder, ret_failure, denies ? FILE_PATH_FORBIDDEN : FILE_PATH_TOO_LONG);
    }
    enum file_verdict verdict = look_up(search, ret_failure);
    if (verdict == FILE_GIVES && search->found.fd >= 0 && folder->precompressed.count > 0) {
        find_compressed(search);
    }
    return verdict;
}

enum file_verdict folder_give(struct folder_search *search, struct file_given *ret_given,
                              struct file_failure *ret_failure)
{
    const struct folder *folder = search->folder;
    if (search->found.fd < 0) {
        file_redirect_give(search->request, ret_given);
        return FILE_GIVES;
    }
    struct file_content content = {
        .found = search->found,
        .name = search->name,
        .encoding = search->encoding,
        .has_encodings = folder->precompressed.count > 0,
        .is_hashed = folder->hash_immutable && file_path_has_hash(search->name),
    };
    search->found.fd = -1;
    int error =
        file_answer_give(search->request, &folder->options, &content, ret_given, ret_failure);
    return error == 0 ? FILE_GIVES : FILE_FAILS;
}

static void free_list(struct folder_list *list)
{
    while (list->count > 0) {
        free(list->texts[--list->count]);
    }
}

void folder_fini(struct folder *folder)
{
    file_root_close(&folder->root);
    file_options_fini(&folder->options);
    free_list(&folder->index);
    free_list(&folder->extensions);
    free_list(&folder->precompressed);
    free_list(&folder->allow);
    free(folder->spa);
    folder->spa = NULL;
}
