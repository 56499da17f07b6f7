#ifndef FSD_DAEMON_CHANGE_HISTORY_RECORD_H
#define FSD_DAEMON_CHANGE_HISTORY_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/conf/conf_text.h"

struct fsd_err;

/* What led to a configuration. */
enum history_how {
    HISTORY_START,
    HISTORY_APPLY,
    HISTORY_RELOAD,
    HISTORY_ROLLBACK,
    HISTORY_SCALE,
};
enum { HISTORY_HOWS = HISTORY_SCALE + 1 };

enum {
    HISTORY_FILES_MAX = 256,
    HISTORY_PATH_MAX = 4096,
    HISTORY_TEXT_MAX = 16 << 20,   /* bytes of all texts together */
    HISTORY_RECORD_MAX = 40 << 20, /* bytes of JSON: escaped, a text may have twice its length */
};
#define HISTORY_NUMBER_MAX UINT64_C(999999999999999) /* exact in every JSON */

/* One configuration that was applied, without its texts. */
struct history_entry {
    uint64_t number; /* 1 to HISTORY_NUMBER_MAX */
    uint64_t at_ms;  /* wall clock */
    char hash[CONF_TEXT_HASH_MAX];
    enum history_how how;
    size_t files;
};

/* "start", "apply", "reload", "rollback" or "scale". */
const char *history_record_format_how(enum history_how how);
/* The JSON of one record, which the caller frees.  -EMSGSIZE when the texts are too long, -EINVAL when one of them is not UTF-8. */
int history_record_encode(const struct history_entry *entry, const struct conf_text *texts,
                          char **ret_json, struct fsd_err *err);
/* Reads what encode wrote, with distrust.  -EINVAL when it is something else; the reason alone is in err ("it is not JSON: ...").  The
 * caller frees the texts (ret_entry->files of them) with history_record_free_texts; ret_texts NULL: it is only checked. */
int history_record_decode(const char *json, size_t len, struct history_entry *ret_entry,
                          struct conf_text **ret_texts, struct fsd_err *err);
/* Accepts NULL. */
void history_record_free_texts(struct conf_text *texts, size_t count);

#endif
