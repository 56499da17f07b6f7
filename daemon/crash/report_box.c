/* report_box.c - the part of a crash report that the dead worker wrote itself, in its black box.
 * Owns nothing for longer than a call.  The box is copied once (blackbox_read bounds everything); then each part becomes
 * JSON, every text through mask_text.  A part that was never written is null or empty, so that all reports have the same keys.
 * Called by report.c.  Must not believe what the box says, and must not look at anything but the box. */
#include "daemon/crash/report_box.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blackbox.h"
#include "common/log_level.h"
#include "daemon/crash/mask.h"

/* Why the kernel sent a signal, by si_code. */
static const struct {
    int signal; /* 0: any */
    int code;
    const char *words;
} meanings[] = {
    {SIGSEGV, SEGV_MAPERR, "nothing is mapped at the address"},
    {SIGSEGV, SEGV_ACCERR, "the address may not be used so"},
    {SIGBUS, BUS_ADRALN, "the address is not aligned"},
    {SIGBUS, BUS_ADRERR, "nothing stands behind the address: a mapped file was cut"},
    {SIGFPE, FPE_INTDIV, "division of an integer by zero"},
    {SIGFPE, FPE_INTOVF, "overflow of an integer"},
    {SIGILL, ILL_ILLOPC, "no such instruction"},
    {SIGILL, ILL_ILLOPN, "no such operand"},
    {0, SI_USER, "sent by a process"},
    {0, SI_QUEUE, "sent by a process"},
    {0, SI_TKILL, "sent by a thread, as abort() does"},
    {0, SI_KERNEL, "sent by the kernel"},
};

static const char *find_meaning(int signal, int code)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == code && (meanings[i].signal == 0 || meanings[i].signal == signal)) {
            return meanings[i].words;
        }
    }
    return NULL;
}

static json_int_t to_json(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

/* Milliseconds from then to now; 0 for a then that is no time, or later. */
static json_int_t elapsed_ms(uint64_t then_us, uint64_t now_us)
{
    return then_us == 0 || then_us > now_us ? 0 : to_json((now_us - then_us) / 1000);
}

json_t *report_box_text(const struct mask *mask, const char *text)
{
    char copy[BLACKBOX_LUA_MAX + 512]; /* signs may be longer than what they hide */
    size_t len = text == NULL ? 0 : mask_text(mask, text, strlen(text), copy, sizeof(copy));
    return len == 0 ? json_null() : json_stringn(copy, len);
}

/* "GET /path" */
static json_t *describe_title(const struct mask *mask, const struct blackbox_request *request)
{
    struct blackbox_now now = {.kind = BLACKBOX_REQUEST, .has_request = true, .request = *request};
    char title[BLACKBOX_TITLE_MAX];
    return report_box_text(mask, blackbox_title(&now, title));
}

static json_t *describe_running(const struct mask *mask, const struct blackbox_now *now,
                                uint64_t at_us)
{
    if (now->kind == BLACKBOX_NOTHING) {
        return json_null();
    }
    char title[BLACKBOX_TITLE_MAX];
    return json_pack(
        "{s:o, s:o, s:I, s:o}", "what", report_box_text(mask, blackbox_title(now, title)), "id",
        report_box_text(mask, now->request.id), "since_ms", elapsed_ms(now->since_wall_us, at_us),
        "handler", report_box_text(mask, now->request.place));
}

static json_t *describe_request(const struct mask *mask, const struct blackbox_request *request,
                                uint64_t at_us)
{
    json_t *row =
        json_pack("{s:o, s:o, s:o, s:I, s:I}", "what", describe_title(mask, request), "id",
                  report_box_text(mask, request->id), "handler",
                  report_box_text(mask, request->place), "generation", to_json(request->generation),
                  "begun_at", to_json(request->begun_wall_us / 1000));
    if (row == NULL) {
        return NULL;
    }
    int failed =
        request->is_open
            ? json_object_set_new(row, "open_ms",
                                  json_integer(elapsed_ms(request->begun_wall_us, at_us)))
            : json_object_set_new(row, "duration_us", json_integer(to_json(request->duration_us))) |
                  json_object_set_new(row, "status", json_integer((json_int_t)request->status));
    if (failed != 0) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static json_t *describe_requests(const struct mask *mask, const struct blackbox_copy *copy,
                                 bool are_open, uint64_t at_us)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < copy->request_count; i++) {
        if (copy->requests[i].is_open == are_open &&
            json_array_append_new(rows, describe_request(mask, &copy->requests[i], at_us)) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static const char *name_level(int level)
{
    bool is_level = level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG;
    return is_level ? log_level_format((enum log_level)level) : "unknown";
}

static json_t *describe_lines(const struct mask *mask, const struct blackbox_copy *copy)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < copy->line_count; i++) {
        const struct blackbox_line *line = &copy->lines[i];
        json_t *row = json_pack("{s:I, s:s, s:o}", "at", to_json(line->wall_us / 1000), "level",
                                name_level(line->level), "text", report_box_text(mask, line->text));
        if (json_array_append_new(rows, row) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static json_t *describe_fault(const struct blackbox_death *death)
{
    if (!death->is_noted) {
        return json_null();
    }
    char address[24];
    (void)snprintf(address, sizeof(address), "0x%" PRIx64, death->address);
    bool was_sent = death->sender != 0 || death->code <= 0;
    return json_pack("{s:i, s:i, s:s?, s:s?, s:o, s:b}", "signal", death->signal, "code",
                     death->code, "meaning", find_meaning(death->signal, death->code), "address",
                     was_sent ? NULL : address, "sender_pid",
                     was_sent && death->sender > 0 ? json_integer(death->sender) : json_null(),
                     "is_complete", death->is_finished ? 1 : 0);
}

static json_t *describe_frames(const struct mask *mask, const struct blackbox_death *death)
{
    if (death->frame_count == 0) {
        return json_null();
    }
    json_t *rows = json_array();
    for (unsigned i = 0; i < death->frame_count; i++) {
        const struct blackbox_frame *frame = &death->frames[i];
        char text[BLACKBOX_FRAME_MAX + 32];
        (void)snprintf(text, sizeof(text), "0x%" PRIx64 "%s%s", frame->address,
                       frame->text[0] == '\0' ? "" : " ", frame->text);
        if (json_array_append_new(rows, report_box_text(mask, text)) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

int report_box_add(json_t *report, const struct blackbox *box, uint64_t at_us,
                   const struct mask *mask)
{
    struct blackbox_copy *copy = malloc(sizeof(*copy));
    if (copy == NULL) {
        return -ENOMEM;
    }
    blackbox_read(box, copy);
    int failed =
        json_object_set_new(report, "running", describe_running(mask, &copy->now, at_us)) |
        json_object_set_new(report, "fault", describe_fault(&copy->death)) |
        json_object_set_new(report, "lua_stack", report_box_text(mask, copy->death.lua_stack)) |
        json_object_set_new(report, "c_backtrace", describe_frames(mask, &copy->death)) |
        json_object_set_new(report, "open_requests", describe_requests(mask, copy, true, at_us)) |
        json_object_set_new(report, "recent_requests",
                            describe_requests(mask, copy, false, at_us)) |
        json_object_set_new(report, "log_lines", describe_lines(mask, copy));
    free(copy);
    return failed != 0 ? -ENOMEM : 0;
}
