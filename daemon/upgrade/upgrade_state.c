/* upgrade_state.c - the rows of all that one master hands to the next, and their way into bytes and back.
 * Owns the keys and limits.  The bytes are an array of a magic word, the version, and one map; record.c does the rest.
 * Called by upgrade.c (encode), upgrade_probe_run and upgrade_resume.c (decode).  Pure: no system call, no log.
 * Must not know where the values come from. */
#include "daemon/upgrade/upgrade_state.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_extra.h"
#include "daemon/conf/conf_files.h"
#include "daemon/conf/file.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/source.h"
#include "daemon/pool/pool.h"

enum {
    COUNT_MAX = 1 << 20,
    ID_MAX = 1 << 20, /* as long as a request may be */
    PROCS_MAX = POOL_SLOTS_MAX + CONF_STANDBY_MAX + 1,
    HEAD_COUNT = 3,
};

#define ANY       UINT64_MAX
#define BIG       INT64_MAX
#define NAME_SIZE PROTO_NAME_MAX

static const char magic[] = "fsd-upgrade";

#define TYPE(type, rows)                                                                           \
    {                                                                                              \
        sizeof(struct type), rows, sizeof(rows) / sizeof((rows)[0])                                \
    }

#define AT(member) offsetof(struct upgrade_text, member)
static const struct record_row text_rows[] = {
    {"path", RECORD_TEXT, AT(path), FILE_PATH_MAX, NULL},
    {"text", RECORD_TEXT, AT(text), SOURCE_BYTES_MAX, NULL},
};
#undef AT
const struct record_type upgrade_text_type = TYPE(upgrade_text, text_rows);

#define AT(member) offsetof(struct upgrade_override, member)
static const struct record_row override_rows[] = {
    {"pool", RECORD_NAME, AT(pool), NAME_SIZE, NULL},
    {"count", RECORD_UINT, AT(count), POOL_SLOTS_MAX, NULL},
};
#undef AT
const struct record_type upgrade_override_type = TYPE(upgrade_override, override_rows);

#define AT(member) offsetof(struct upgrade_options, member)
static const struct record_row options_rows[] = {
    {"worker_path", RECORD_TEXT, AT(worker_path), FILE_PATH_MAX, NULL},
    {"source", RECORD_TEXT, AT(source), FILE_PATH_MAX, NULL},
    {"address", RECORD_TEXT, AT(address), PARSE_ADDRESS_TEXT_MAX, NULL},
    {"control", RECORD_TEXT, AT(control), FILE_PATH_MAX, NULL},
    {"shared", RECORD_TEXT, AT(shared), FILE_PATH_MAX, NULL},
    {"workers", RECORD_UINT, AT(workers), POOL_SLOTS_MAX, NULL},
    {"is_development", RECORD_BOOL, AT(is_development), 0, NULL},
    {"watches", RECORD_BOOL, AT(watches), 0, NULL},
};
#undef AT
static const struct record_type options_type = TYPE(upgrade_options, options_rows);

#define AT(member) offsetof(struct upgrade_bundle, member)
static const struct record_row bundle_rows[] = {
    {"number", RECORD_UINT, AT(number), BIG, NULL},
    {"fd", RECORD_MAYBE_FD, AT(fd), UPGRADE_FD_SEALED, NULL},
    {"sha256", RECORD_NAME, AT(sha256), BUNDLE_SHA256_MAX, NULL},
    {"files", RECORD_UINT, AT(files), BIG, NULL},
    {"bytes", RECORD_UINT, AT(bytes), BIG, NULL},
    {"committed_us", RECORD_UINT, AT(committed_us), BIG, NULL},
    {"origin", RECORD_UINT, AT(origin), BIG, NULL},
};
#undef AT
const struct record_type upgrade_bundle_type = TYPE(upgrade_bundle, bundle_rows);

#define AT(member) offsetof(struct upgrade_app, member)
static const struct record_row app_rows[] = {
    {"name", RECORD_NAME, AT(name), NAME_SIZE, NULL},
    {"last", RECORD_UINT, AT(last), BIG, NULL},
    {"running", RECORD_PART, AT(running), 0, &upgrade_bundle_type},
    {"previous", RECORD_UINT, AT(previous), BIG, NULL},
    {"confirmed", RECORD_UINT, AT(confirmed), BIG, NULL},
    {"kept", RECORD_LIST, AT(kept), UPGRADE_KEPT_MAX, &upgrade_bundle_type},
    {"probation_of", RECORD_UINT, AT(probation_of), BIG, NULL},
    {"probation_since_ms", RECORD_UINT, AT(probation_since_ms), BIG, NULL},
    {"setback_from", RECORD_UINT, AT(setback_from), BIG, NULL},
    {"setback_to", RECORD_UINT, AT(setback_to), BIG, NULL},
    {"setback_at_us", RECORD_UINT, AT(setback_at_us), BIG, NULL},
    {"setback_why", RECORD_NAME, AT(setback_why), UPGRADE_WHY_MAX, NULL},
};
#undef AT
const struct record_type upgrade_app_type = TYPE(upgrade_app, app_rows);

#define AT(member) offsetof(struct upgrade_socket, member)
static const struct record_row socket_rows[] = {
    {"fd", RECORD_FD, AT(fd), UPGRADE_FD_LISTENING, NULL},
};
#undef AT
const struct record_type upgrade_socket_type = TYPE(upgrade_socket, socket_rows);

#define AT(member) offsetof(struct upgrade_listener, member)
static const struct record_row listener_rows[] = {
    {"name", RECORD_NAME, AT(name), NAME_SIZE, NULL},
    {"is_foreign", RECORD_BOOL, AT(is_foreign), 0, NULL},
    {"device", RECORD_UINT, AT(device), ANY, NULL},
    {"inode", RECORD_UINT, AT(inode), ANY, NULL},
    {"live", RECORD_UINT, AT(live), POOL_SLOTS_MAX, NULL},
    {"stored", RECORD_UINT, AT(stored), POOL_SLOTS_MAX, NULL},
    {"sockets", RECORD_LIST, AT(sockets), POOL_SLOTS_MAX, &upgrade_socket_type},
};
#undef AT
const struct record_type upgrade_listener_type = TYPE(upgrade_listener, listener_rows);

#define AT(member) offsetof(struct upgrade_proc, member)
static const struct record_row proc_rows[] = {
    {"pid", RECORD_UINT, AT(pid), INT_MAX, NULL},
    {"number", RECORD_UINT, AT(number), BIG, NULL},
    {"role", RECORD_UINT, AT(role), UPGRADE_ROLES - 1, NULL},
    {"slot", RECORD_UINT, AT(slot), POOL_SLOTS_MAX - 1, NULL},
    {"shown", RECORD_UINT, AT(shown), UINT_MAX, NULL},
    {"generation", RECORD_UINT, AT(generation), BIG, NULL},
    {"config", RECORD_UINT, AT(config), BIG, NULL},
    {"is_active", RECORD_BOOL, AT(is_active), 0, NULL},
    {"log_was_malformed", RECORD_BOOL, AT(log_was_malformed), 0, NULL},
    {"has_joined", RECORD_BOOL, AT(has_joined), 0, NULL},
    {"is_behind", RECORD_BOOL, AT(is_behind), 0, NULL},
    {"retry_after_s", RECORD_UINT, AT(retry_after_s), UINT32_MAX, NULL},
    {"change", RECORD_UINT, AT(change), BIG, NULL},
    {"started_us", RECORD_UINT, AT(started_us), BIG, NULL},
    {"ready_us", RECORD_UINT, AT(ready_us), BIG, NULL},
    {"started_ms", RECORD_UINT, AT(started_ms), BIG, NULL},
    {"activated_ms", RECORD_UINT, AT(activated_ms), BIG, NULL},
    {"ready_ms", RECORD_UINT, AT(ready_ms), BIG, NULL},
    {"died_us", RECORD_UINT, AT(died_us), BIG, NULL},
    {"laggards", RECORD_UINT, AT(laggards), ANY, NULL},
    {"laggards_generation", RECORD_UINT, AT(laggards_generation), ANY, NULL},
    {"laggards_told_ms", RECORD_UINT, AT(laggards_told_ms), BIG, NULL},
    {"laggards_text", RECORD_TEXT, AT(laggards_text), PROTO_TEXT_MAX, NULL},
    {"channel", RECORD_FD, AT(channel), UPGRADE_FD_PACKETS, NULL},
    {"page", RECORD_FD, AT(page), UPGRADE_FD_PAGE, NULL},
    {"blackbox", RECORD_FD, AT(blackbox), UPGRADE_FD_BLACKBOX, NULL},
    {"log", RECORD_MAYBE_FD, AT(log), UPGRADE_FD_PACKETS, NULL},
};
#undef AT
const struct record_type upgrade_proc_type = TYPE(upgrade_proc, proc_rows);

#define AT(member) offsetof(struct upgrade_slot, member)
static const struct record_row slot_rows[] = {
    {"state", RECORD_UINT, AT(state), SLOT_STATES - 1, NULL},
    {"failures", RECORD_UINT, AT(failures), UINT_MAX, NULL},
    {"retry_at_ms", RECORD_UINT, AT(retry_at_ms), BIG, NULL},
    {"vacant_since_ms", RECORD_UINT, AT(vacant_since_ms), BIG, NULL},
    {"borrower", RECORD_UINT, AT(borrower), BIG, NULL},
    {"had_proved", RECORD_BOOL, AT(had_proved), 0, NULL},
    {"wanted", RECORD_UINT, AT(wanted), BIG, NULL},
    {"restarts", RECORD_UINT, AT(restarts), BIG, NULL},
    {"requests_total", RECORD_UINT, AT(requests_total), ANY, NULL},
    {"died_us", RECORD_UINT, AT(died_us), BIG, NULL},
    {"last_exit", RECORD_NAME, AT(last_exit), FSD_ERR_MAX, NULL},
};
#undef AT
const struct record_type upgrade_slot_type = TYPE(upgrade_slot, slot_rows);

#define AT(member) offsetof(struct upgrade_time, member)
static const struct record_row time_rows[] = {
    {"at_ms", RECORD_UINT, AT(at_ms), BIG, NULL},
};
#undef AT
const struct record_type upgrade_time_type = TYPE(upgrade_time, time_rows);

#define AT(member) offsetof(struct upgrade_pool, member)
static const struct record_row pool_rows[] = {
    {"name", RECORD_NAME, AT(name), NAME_SIZE, NULL},
    {"config", RECORD_UINT, AT(config), BIG, NULL},
    {"count", RECORD_UINT, AT(count), POOL_SLOTS_MAX, NULL},
    {"phase", RECORD_UINT, AT(phase), POOL_LEAVING, NULL},
    {"was_up", RECORD_BOOL, AT(was_up), 0, NULL},
    {"is_down_told", RECORD_BOOL, AT(is_down_told), 0, NULL},
    {"cause", RECORD_NAME, AT(cause), UPGRADE_CAUSE_MAX, NULL},
    {"restarts", RECORD_LIST, AT(restarts), CONF_INTENSITY_MAX, &upgrade_time_type},
    {"probe_at_ms", RECORD_UINT, AT(probe_at_ms), BIG, NULL},
    {"is_mended", RECORD_BOOL, AT(is_mended), 0, NULL},
    {"probed_at_ms", RECORD_UINT, AT(probed_at_ms), BIG, NULL},
    {"requests_gone", RECORD_UINT, AT(requests_gone), ANY, NULL},
    {"reserve_failures", RECORD_UINT, AT(reserve_failures), UINT_MAX, NULL},
    {"reserve_at_ms", RECORD_UINT, AT(reserve_at_ms), BIG, NULL},
    {"slots", RECORD_LIST, AT(slots), POOL_SLOTS_MAX, &upgrade_slot_type},
    {"procs", RECORD_LIST, AT(procs), PROCS_MAX, &upgrade_proc_type},
};
#undef AT
const struct record_type upgrade_pool_type = TYPE(upgrade_pool, pool_rows);

#define AT(member) offsetof(struct upgrade_shared, member)
static const struct record_row shared_rows[] = {
    {"name", RECORD_NAME, AT(name), NAME_SIZE, NULL},
    {"size", RECORD_UINT, AT(size), BIG, NULL},
    {"seed", RECORD_UINT, AT(seed), ANY, NULL},
    {"fd", RECORD_FD, AT(fd), UPGRADE_FD_SHARED, NULL},
};
#undef AT
const struct record_type upgrade_shared_type = TYPE(upgrade_shared, shared_rows);

#define AT(member) offsetof(struct upgrade_claim, member)
static const struct record_row claim_rows[] = {
    {"name", RECORD_NAME, AT(name), UPGRADE_CLAIM_MAX, NULL},
    {"incarnation", RECORD_UINT, AT(incarnation), BIG, NULL},
    {"serial", RECORD_UINT, AT(serial), ANY, NULL},
    {"index", RECORD_UINT, AT(index), UINT32_MAX, NULL},
    {"waits", RECORD_BOOL, AT(waits), 0, NULL},
    {"is_holder", RECORD_BOOL, AT(is_holder), 0, NULL},
};
#undef AT
const struct record_type upgrade_claim_type = TYPE(upgrade_claim, claim_rows);

#define AT(member) offsetof(struct upgrade_extra, member)
static const struct record_row extra_rows[] = {
    {"name", RECORD_NAME, AT(name), NAME_SIZE, NULL},
    {"text", RECORD_TEXT, AT(text), CONF_EXTRA_TEXT_MAX, NULL},
};
#undef AT
const struct record_type upgrade_extra_type = TYPE(upgrade_extra, extra_rows);

#define AT(member) offsetof(struct upgrade_caller, member)
static const struct record_row caller_rows[] = {
    {"fd", RECORD_MAYBE_FD, AT(fd), UPGRADE_FD_STREAM, NULL},
    {"id", RECORD_TEXT, AT(id), ID_MAX, NULL},
};
#undef AT
static const struct record_type caller_type = TYPE(upgrade_caller, caller_rows);

#define AT(member) offsetof(struct upgrade_state, member)
static const struct record_row state_rows[] = {
    {"version", RECORD_NAME, AT(version), UPGRADE_VERSION_MAX, NULL},
    {"protocol", RECORD_UINT, AT(protocol), BIG, NULL},
    {"page_version", RECORD_UINT, AT(page_version), BIG, NULL},
    {"blackbox_version", RECORD_UINT, AT(blackbox_version), BIG, NULL},
    {"pid", RECORD_UINT, AT(pid), INT_MAX, NULL},
    {"path", RECORD_TEXT, AT(path), FILE_PATH_MAX, NULL},
    {"is_drained", RECORD_BOOL, AT(is_drained), 0, NULL},
    {"was_ready", RECORD_BOOL, AT(was_ready), 0, NULL},
    {"started_us", RECORD_UINT, AT(started_us), BIG, NULL},
    {"incarnations", RECORD_UINT, AT(incarnations), BIG, NULL},
    {"config_number", RECORD_UINT, AT(config_number), BIG, NULL},
    {"config_last", RECORD_UINT, AT(config_last), BIG, NULL},
    {"config_hash", RECORD_NAME, AT(config_hash), CONF_TEXT_HASH_MAX, NULL},
    {"auto_count", RECORD_UINT, AT(auto_count), POOL_SLOTS_MAX, NULL},
    {"event_id", RECORD_UINT, AT(event_id), BIG, NULL},
    {"log_dropped", RECORD_UINT, AT(log_dropped), BIG, NULL},
    {"seen", RECORD_UINT, AT(seen), UINT64_MAX, NULL},
    {"control", RECORD_FD, AT(control), UPGRADE_FD_LISTENING, NULL},
    {"control_device", RECORD_UINT, AT(control_device), ANY, NULL},
    {"control_inode", RECORD_UINT, AT(control_inode), ANY, NULL},
    {"caller", RECORD_PART, AT(caller), 0, &caller_type},
    {"options", RECORD_PART, AT(options), 0, &options_type},
    {"texts", RECORD_LIST, AT(texts), CONF_FILES_MAX, &upgrade_text_type},
    {"overrides", RECORD_LIST, AT(overrides), SCHEMA_GROUP_MAX, &upgrade_override_type},
    {"kept_overrides", RECORD_LIST, AT(kept_overrides), SCHEMA_GROUP_MAX, &upgrade_override_type},
    {"apps", RECORD_LIST, AT(apps), SCHEMA_GROUP_MAX, &upgrade_app_type},
    {"listeners", RECORD_LIST, AT(listeners), SCHEMA_GROUP_MAX, &upgrade_listener_type},
    {"pools", RECORD_LIST, AT(pools), SCHEMA_GROUP_MAX, &upgrade_pool_type},
    {"shared", RECORD_LIST, AT(shared), CONF_SHARED_MAX, &upgrade_shared_type},
    {"claims", RECORD_LIST, AT(claims), CLAIMS_MAX, &upgrade_claim_type},
    {"extras", RECORD_LIST, AT(extras), CONF_EXTRA_POOLS_MAX, &upgrade_extra_type},
};
#undef AT
const struct record_type upgrade_state_type = TYPE(upgrade_state, state_rows);

_Static_assert((int)UPGRADE_CAUSE_MAX == (int)POOL_TEXT_MAX, "a cause fits");
_Static_assert(sizeof(((struct upgrade_state *)NULL)->config_hash) >= CONF_TEXT_HASH_MAX,
               "a hash fits");

int upgrade_state_encode(const struct upgrade_state *state, unsigned char **ret_data,
                         size_t *ret_len)
{
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, UPGRADE_STATE_MAX);
    msgpack_write_array(&writer, HEAD_COUNT);
    msgpack_write_text(&writer, magic);
    msgpack_write_int(&writer, UPGRADE_STATE_VERSION);
    record_write(&writer, &upgrade_state_type, state);
    return msgpack_writer_take(&writer, ret_data, ret_len);
}

/* 0 and the version, or -EPROTO with a sentence. */
static int read_head(struct msgpack_reader *reader, int64_t *ret_version, struct fsd_err *err)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_ARRAY, &value) < 0 || value.count != HEAD_COUNT ||
        msgpack_expect(reader, MSGPACK_STR, &value) < 0 || value.len != strlen(magic) ||
        memcmp(value.bytes, magic, value.len) != 0 ||
        msgpack_expect(reader, MSGPACK_INT, &value) < 0) {
        return fsd_err_set(err, EPROTO, "it is no state of an fsd");
    }
    if (value.integer < 1 || value.integer > UPGRADE_STATE_VERSION) {
        return fsd_err_set(err, EPROTO, "it is of version %" PRId64 ", known are versions up to %d",
                           value.integer, UPGRADE_STATE_VERSION);
    }
    *ret_version = value.integer;
    return 0;
}

int upgrade_state_decode(struct upgrade_state *ret_state, const void *data, size_t len,
                         struct fsd_err *err)
{
    struct record_source source = {.may_lack = false};
    struct upgrade_state state = {.control = -1};
    struct fsd_err why = {""};
    int64_t version = 0;
    msgpack_reader_init(&source.reader, data, len);
    int error = read_head(&source.reader, &version, &why);
    if (error == 0) {
        source.may_lack = version < UPGRADE_STATE_VERSION;
        error = record_read(&source, &upgrade_state_type, &state, &why);
    }
    if (error == 0 && source.reader.at != source.reader.end) {
        error = fsd_err_set(&why, EPROTO, "something follows its end");
    }
    if (error == 0) {
        error = upgrade_check(&state, &why);
    }
    if (error < 0) {
        upgrade_state_fini(&state);
        return fsd_err_set(err, -error, "cannot read the state: %s", why.text);
    }
    *ret_state = state;
    return 0;
}

void upgrade_state_fini(struct upgrade_state *state)
{
    record_free(&upgrade_state_type, state);
    *state = (struct upgrade_state){.control = -1};
}
