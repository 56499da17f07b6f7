/* report.c - the shape of a crash report, schema fsd.crash/1, and of its row in the list.
 * Owns nothing.  First what the master knows (who died, how, what follows), then what the worker left in its black box
 * (report_box.c).  Texts that a worker had a hand in are masked.  The keys are the same in each report, null where nothing is
 * known, and the short ones come first, so that a person who opens the file sees them.
 * Called by crashes.c.  Must not know where reports are kept, nor pools and processes. */
#include "daemon/crash/report.h"

#include <stdio.h>
#include <string.h>

#include "daemon/crash/mask.h"
#include "daemon/crash/report_box.h"

enum { CAUSE_MAX = CRASH_CLASS_TEXT_MAX + 512 };

static json_int_t to_json(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

/* The verdict, and the first line of the reason where there is one. */
static json_t *describe_cause(const struct crash_input *input)
{
    char words[CRASH_CLASS_TEXT_MAX];
    crash_class_format(&input->facts, words);
    const char *why = input->why == NULL ? "" : input->why;
    char text[CAUSE_MAX];
    bool is_said = strstr(words, why) != NULL; /* also when there is no reason */
    (void)snprintf(text, sizeof(text), "%s%s%.*s", words, is_said ? "" : ": ",
                   is_said ? 0 : (int)strcspn(why, "\n"), why);
    return report_box_text(input->mask, text);
}

static json_t *describe_signal_name(const struct crash_facts *facts)
{
    const char *name =
        facts->is_reaped && facts->cause.is_signal ? sigabbrev_np(facts->cause.value) : NULL;
    return name == NULL ? json_null() : json_sprintf("SIG%s", name);
}

static json_t *describe_value(const struct crash_facts *facts, bool is_signal)
{
    bool is_known = facts->is_reaped && facts->cause.is_signal == is_signal;
    return is_known ? json_integer(facts->cause.value) : json_null();
}

static json_t *describe_facts(const struct crash_input *input, const char *id)
{
    return json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "fsd.crash/1", "id", id,
        "at", to_json(input->at_us / 1000), "class",
        crash_class_name(crash_class_get(&input->facts)), "cause", describe_cause(input), "detail",
        report_box_text(input->mask, input->why), "next", report_box_text(input->mask, input->next),
        "exit_code", describe_value(&input->facts, false), "signal",
        describe_value(&input->facts, true), "signal_name", describe_signal_name(&input->facts));
}

static json_t *describe_worker(const struct crash_input *input)
{
    return json_pack("{s:s, s:o, s:i, s:I, s:I, s:I, s:s, s:o}", "pool", input->pool, "slot",
                     input->slot == CRASH_NO_SLOT ? json_null() : json_integer(input->slot), "pid",
                     input->pid, "incarnation", to_json(input->incarnation), "generation",
                     to_json(input->generation), "uptime_ms", to_json(input->uptime_ms), "state",
                     crash_class_state_name(input->facts.state), "memory_bytes",
                     input->memory_bytes == 0 ? json_null()
                                              : json_integer(to_json(input->memory_bytes)));
}

json_t *report_build(const struct crash_input *input, const char *id)
{
    json_t *report = describe_facts(input, id);
    json_t *worker = describe_worker(input);
    int failed = report == NULL || worker == NULL || json_object_update(report, worker) != 0 ||
                 report_box_add(report, input->blackbox, input->at_us, input->mask) != 0;
    json_decref(worker);
    if (failed) {
        json_decref(report);
        return NULL;
    }
    return report;
}

json_t *report_summarize(const json_t *report)
{
    const char *schema = json_string_value(json_object_get(report, "schema"));
    if (schema == NULL || strcmp(schema, "fsd.crash/1") != 0) {
        return NULL;
    }
    static const struct {
        const char *key;
        json_type type;
        bool may_be_null;
    } keys[] = {
        {"id", JSON_STRING, false},    {"at", JSON_INTEGER, false},
        {"pool", JSON_STRING, false},  {"slot", JSON_INTEGER, true},
        {"pid", JSON_INTEGER, false},  {"class", JSON_STRING, false},
        {"cause", JSON_STRING, false}, {"running", JSON_OBJECT, true},
        {"next", JSON_STRING, true},
    };
    json_t *row = json_object();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *value = json_object_get(report, keys[i].key);
        bool is_null = keys[i].may_be_null && json_is_null(value);
        if (value == NULL || (json_typeof(value) != keys[i].type && !is_null)) {
            json_decref(row);
            return NULL;
        }
        if (json_is_object(value)) {
            json_t *what = json_object_get(value, "what");
            value = json_is_string(what) ? what : json_null();
        }
        if (json_object_set(row, keys[i].key, value) != 0) {
            json_decref(row);
            return NULL;
        }
    }
    return row;
}
