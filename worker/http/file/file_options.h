#ifndef FSD_WORKER_HTTP_FILE_FILE_OPTIONS_H
#define FSD_WORKER_HTTP_FILE_FILE_OPTIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_dotfiles { FILE_DOTFILES_IGNORE, FILE_DOTFILES_ALLOW, FILE_DOTFILES_DENY };

struct file_header {
    char *name; /* owned; lower case */
    char *value;
    size_t name_len;
    size_t len;
};

enum { FILE_CACHE_TEXT_MAX = 64 };

/* How files are sent: what fsd.static, res:send_file and res:download have in common. */
struct file_options {
    enum file_dotfiles dotfiles;
    bool accept_ranges;
    bool etag;
    bool last_modified;
    bool cache_control;
    bool immutable;
    uint64_t max_age_s;
    char cache_text[FILE_CACHE_TEXT_MAX]; /* Cache-Control of these; "": none */
    struct file_header *headers;          /* owned */
    size_t header_count;
};

/* The defaults. */
void file_options_init(struct file_options *options);
void file_options_fini(struct file_options *options);
/* Takes the option of that name, whose value is on the top; false when it is none of these.  Raises, in the words of caller
 * ("fsd.static"), for a value that it can't have. */
bool file_options_take(lua_State *L, struct file_options *options, const char *caller,
                       const char *name);
/* Works out what is left once all were taken. */
void file_options_finish(struct file_options *options);
/* Raises: caller has no option of that name, but maybe one of names. */
int file_options_refuse(lua_State *L, const char *caller, const char *name,
                        const char *const *names, size_t count);
/* The value on the top as a flag; raises for anything else. */
bool file_options_flag(lua_State *L, const char *caller, const char *name);

#endif
