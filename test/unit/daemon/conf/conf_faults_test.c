/* Configurations for which something runs out while they are read, shown or explained: they are refused with a reason, and nothing is
 * shown that is not so. */
#include "test/support/faults.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "daemon/conf/conf_extra.h"
#include "daemon/conf/conf_show.h"
#include "test/support/conf_folder.h"

/* What a run says by its exit code. */
enum { DONE = 0, REFUSED = 10, CUT = 11, WRONG = 12 };

static const char *const whole =
    "listeners: { http: { listen: \"127.0.0.1:8080\" }, alt: { listen: \"unix:/tmp/x.sock\" } }\n"
    "apps:\n"
    "  shop: { path: app.lua, settings: &s { a: [1, 2.5, true, ~, text], \"b\": { c: d } }, env: { "
    "KEY: \"${ENV:HOME}\", OTHER: v } }\n"
    "  other: { path: dir, settings: *s }\n"
    "supervisors: { all: { children: [web, jobs], strategy: one_for_all, intensity: 3, period: 1m "
    "} "
    "}\n";

static const char *const part =
    "pools:\n"
    "  web: { app: shop, listeners: [http], count: 4, limits: { body: 1MiB, keepalive: 9s } }\n"
    "  jobs: { app: other, listeners: [alt], count: auto, after: [web] }\n"
    "log: { level: debug, format: json }\n";

static const char *const broken = "listeners: { http: { listen: 8080x } }\n"
                                  "apps: { shop: { path: nope.lua, colour: red } }\n"
                                  "pools: { web: { app: shopp, listeners: [htp], cuont: 4 } }\n"
                                  "log: { level: loud }\n";

/* What the run says; problems are what a person would read. */
static int judge(struct conf *conf, const struct problem_list *list)
{
    bool is_refused = conf == NULL;
    conf_free(conf);
    return is_refused == (list->errors > 0) ? (is_refused ? REFUSED : DONE) : WRONG;
}

static int load_files(void)
{
    struct problem_list list;
    problem_list_init(&list);
    int said = judge(conf_load("fsd.yaml", &list), &list);
    problem_list_fini(&list);
    return said;
}

static int load_texts(void)
{
    char path[] = "t.yaml";
    char bytes[] = "apps: { a: { path: dir } }\npools: { p: { app: a } }\n";
    const struct conf_text text = {.path = path, .text = bytes, .len = sizeof(bytes) - 1};
    struct problem_list list;
    problem_list_init(&list);
    int said = judge(conf_load_texts(&text, 1, NULL, &list), &list);
    problem_list_fini(&list);
    return said;
}

static int make_for_run(void)
{
    struct parse_address address;
    struct problem_list list;
    problem_list_init(&list);
    if (parse_address("127.0.0.1:3000", &address) < 0) {
        return WRONG;
    }
    int said = judge(conf_new_for_run("my shop.lua", &address, 2, NULL, &list), &list);
    problem_list_fini(&list);
    return said;
}

static void count_bytes(void *ctx, const char *key, const char *value, const char *origin)
{
    size_t *count = ctx;
    *count += strlen(key) + strlen(value) + strlen(origin);
}

/* How many bytes are shown of a configuration; 0: it was cut. */
static size_t count_shown(const struct conf *conf)
{
    size_t count = 0;
    return conf_show(conf, count_bytes, &count) == 0 ? count : 0;
}

static int show(void)
{
    struct problem_list list;
    problem_list_init(&list);
    faults_is_watching = false;
    struct conf *conf = conf_load("fsd.yaml", &list);
    size_t wanted = count_shown(conf);
    faults_is_watching = true;
    size_t count = count_shown(conf);
    conf_free(conf);
    problem_list_fini(&list);
    return count == wanted ? DONE : count == 0 ? CUT : WRONG;
}

/* A copy with one more pool; what it came from stays as it was. */
static int add_extra(void)
{
    static const char text[] =
        "{\"app\":\"shop\",\"count\":1,\"listeners\":{\"f\":{\"listen\":\":0\"}}}";
    static const char more[] = "{\"app\":\"other\",\"count\":1}";
    struct conf_extra extra = {"first", text, sizeof(text) - 1};
    struct problem_list list;
    problem_list_init(&list);
    faults_is_watching = false;
    struct conf *conf = conf_load("fsd.yaml", &list);
    bool is_made = conf_extra_add(conf, &extra, 1, NULL) == 0;
    faults_is_watching = true;
    struct conf *copy = conf_copy(conf);
    extra = (struct conf_extra){"second", more, sizeof(more) - 1};
    bool is_done = copy != NULL && conf_extra_carry(copy, conf, NULL, NULL) == 0 &&
                   conf_extra_add(copy, &extra, 1, NULL) == 0;
    faults_is_watching = false;
    is_made = is_made && conf->pool_count == 3 && (!is_done || copy->pool_count == 4);
    conf_free(conf);
    conf_free(copy);
    problem_list_fini(&list);
    return !is_made ? WRONG : is_done ? DONE : REFUSED;
}

static int explain_to_programs(void)
{
    struct problem_list list;
    char *text = NULL;
    size_t len = 0;
    problem_list_init(&list);
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return CUT;
    }
    struct conf *conf = conf_parse("t.yaml", broken, strlen(broken), &list);
    bool is_whole = problem_print_json(&list, out);
    int said = conf == NULL ? (is_whole ? DONE : CUT) : WRONG;
    (void)fclose(out);
    free(text);
    conf_free(conf);
    problem_list_fini(&list);
    return said;
}

static const struct {
    const char *name;
    int (*run)(void);
    int fails_with;
} rows[] = {{"files", load_files, REFUSED}, {"texts", load_texts, REFUSED},
            {"run", make_for_run, REFUSED}, {"show", show, CUT},
            {"extra", add_extra, REFUSED},  {"problems", explain_to_programs, CUT}};

static int run_in_child(int (*run)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* cmocka's */
        (void)signal(SIGABRT, SIG_DFL);
        faults_is_watching = true;
        int said = run();
        faults_is_watching = false;
        _exit(said);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Lists the places first; all runs have the same callers, by which a place is known. */
static size_t count_refusals(size_t row)
{
    size_t refusals = 0;
    *faults = (struct faults){.count = 0};
    for (size_t i = 0; i <= faults->count; i++) {
        int said = run_in_child(rows[row].run);
        refusals += said == rows[row].fails_with;
        if (faults->was_met && said != rows[row].fails_with && said != DONE) {
            faults_print(&faults->wanted);
            fail_msg("%s: it failed, and the run said %d", rows[row].name, said);
        }
        faults->wanted = faults->sites[i];
        faults->was_met = false;
    }
    return refusals;
}

static void what_runs_out_is_a_refusal_with_a_reason(void **state)
{
    (void)state;
    write_text("fsd.yaml", whole);
    write_text("conf.d/9.yaml", part);
    faults = faults_open("faults");
    assert_non_null(faults);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        size_t refusals = count_refusals(row);
        print_message("%s: %zu places, %zu refusals\n", rows[row].name, faults->count, refusals);
        assert_true(refusals > 5);
    }
    (void)unlink("faults");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_runs_out_is_a_refusal_with_a_reason, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
