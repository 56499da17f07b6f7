/* The log descriptor: levels, and what happens when it takes no more. */
#include "daemon/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "daemon/log/log_hub.h"

static struct log *open_log(int fd)
{
    struct log *log = calloc(1, sizeof(*log));
    assert_non_null(log);
    log_init(log, fd, CONF_LOG_TEXT, LOG_LEVEL_INFO);
    return log;
}

static void close_log(struct log *log)
{
    log_fini(log);
    free(log);
}

static void open_pipe(int ends[2])
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
}

static char *read_all(int fd)
{
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t len = 0;
    ssize_t got;
    while ((got = read(fd, text + len, (1 << 20) - 1 - len)) > 0) {
        len += (size_t)got;
    }
    return text;
}

static void close_pipe(int ends[2])
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void levels_above_the_limit_are_not_written(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    log_write(log, LOG_LEVEL_DEBUG, NULL, "not this", NULL);
    log_write(log, LOG_LEVEL_INFO, NULL, "but this", LOG_FIELDS(log_int("n", 1)));
    char *text = read_all(ends[0]);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, "but this n=1\n"));
    assert_int_equal(log->dropped, 0);
    free(text);
    close_log(log);
    close_pipe(ends);
}

static void reloads_that_are_told_otherwise_are_left_out_but_for_long_errors(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    log_event(log, LOG_LEVEL_NOTICE, NULL, "reload.begin", "first", NULL);
    log->omits_reloads = true;
    log_event(log, LOG_LEVEL_NOTICE, NULL, "reload.begin", "second", NULL);
    log_event(log, LOG_LEVEL_INFO, NULL, "code.bundled", "third", NULL);
    log_event(log, LOG_LEVEL_ERROR, NULL, "reload.failed", "fourth\nin app.lua", NULL);
    log_event(log, LOG_LEVEL_ERROR, NULL, "reload.failed", "sixth", NULL);
    log_write(log, LOG_LEVEL_NOTICE, NULL, "fifth", NULL);
    char *text = read_all(ends[0]);
    assert_non_null(strstr(text, "first"));
    assert_null(strstr(text, "second"));
    assert_null(strstr(text, "third"));
    assert_non_null(strstr(text, "fourth"));
    assert_non_null(strstr(text, "fifth"));
    assert_null(strstr(text, "sixth"));
    assert_int_equal(log->dropped, 0);
    free(text);
    close_log(log);
    close_pipe(ends);
}

static void an_event_carries_its_name_and_an_id_that_rises(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    log_event(log, LOG_LEVEL_NOTICE, NULL, "worker.ready", "ready", LOG_FIELDS(log_int("n", 1)));
    log->form = LOG_FORM_JSON;
    uint64_t before = log->event_id;
    log_event(log, LOG_LEVEL_DEBUG, NULL, "worker.started", "not at this level", NULL);
    log_event(log, LOG_LEVEL_NOTICE, NULL, "worker.ready", "ready",
              LOG_FIELDS(log_int("event", 1)));
    char *text = read_all(ends[0]);
    char wanted[128];
    assert_non_null(strstr(text, "ready n=1 event=worker.ready\n"));
    (void)snprintf(wanted, sizeof(wanted),
                   ",\"event\":\"worker.ready\",\"event_id\":%llu,\"_event\":1}\n",
                   (unsigned long long)before + 2);
    assert_non_null(strstr(text, wanted));
    assert_true(before > 1600000000000ULL); /* ids of an earlier run were smaller */
    free(text);
    close_log(log);
    close_pipe(ends);
}

static void a_full_pipe_drops_lines_and_tells_how_many(void **state)
{
    (void)state;
    int ends[2];
    char word[3000];
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    int written = 0;
    while (log->dropped < 5) {
        log_write(log, LOG_LEVEL_INFO, NULL, word, NULL);
        written++;
    }
    assert_in_range(written, 10, 100);
    free(read_all(ends[0]));
    log_write(log, LOG_LEVEL_INFO, NULL, "healed", NULL);
    assert_int_equal(log->dropped, 0);
    char *text = read_all(ends[0]);
    assert_non_null(strstr(text, "log lines were dropped lines=5\n"));
    assert_non_null(strstr(text, "healed\n"));
    free(text);
    close_log(log);
    close_pipe(ends);
}

static void a_line_that_was_cut_does_not_run_into_the_next(void **state)
{
    (void)state;
    int ends[2];
    char *word = calloc(1, 90000);
    assert_non_null(word);
    memset(word, 'x', 89999);
    open_pipe(ends); /* holds 64 KiB */
    struct log *log = open_log(ends[1]);
    log_write(log, LOG_LEVEL_INFO, NULL, word, NULL);
    assert_int_equal(log->dropped, 1);
    assert_true(log->standard.is_mid_line);
    free(read_all(ends[0]));
    log_write(log, LOG_LEVEL_INFO, NULL, "next", NULL);
    char *text = read_all(ends[0]);
    assert_int_equal(text[0], '\n');
    free(text);
    free(word);
    close_log(log);
    close_pipe(ends);
}

static void a_reader_that_is_gone_costs_only_lines(void **state)
{
    (void)state;
    int ends[2];
    (void)signal(SIGPIPE, SIG_IGN);
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    (void)close(ends[0]);
    log_write(log, LOG_LEVEL_INFO, NULL, "lost", NULL);
    log_write(log, LOG_LEVEL_INFO, NULL, "lost", NULL);
    assert_int_equal(log->dropped, 2);
    close_log(log);
    (void)close(ends[1]);
}

static void a_full_disk_costs_only_lines(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    struct log *log = open_log(full);
    log_write(log, LOG_LEVEL_INFO, NULL, "lost", NULL);
    assert_int_equal(log->dropped, 1);
    close_log(log);
    (void)close(full);
}

static void a_socket_that_nobody_reads_never_blocks(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct log *log = open_log(ends[1]);
    assert_int_equal(log->standard.kind, LOG_FD_SOCKET);
    for (int i = 0; i < 100000 && log->dropped == 0; i++) {
        log_write(log, LOG_LEVEL_INFO, NULL, "a line for nobody", NULL);
    }
    assert_true(log->dropped > 0);
    close_log(log);
    close_pipe(ends);
}

static void a_terminal_has_colour_unless_it_is_unwanted(void **state)
{
    (void)state;
    int main_end = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(main_end >= 0);
    assert_int_equal(grantpt(main_end), 0);
    assert_int_equal(unlockpt(main_end), 0);
    int terminal = open(ptsname(main_end), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    struct log *log = open_log(terminal);
    assert_int_equal(log->form, LOG_FORM_COLOUR);
    for (int i = 0; i < 100000 && log->dropped == 0; i++) {
        log_write(log, LOG_LEVEL_INFO, NULL, "nobody reads the terminal", NULL);
    }
    assert_true(log->dropped > 0); /* and we are still here */
    close_log(log);
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    log = open_log(terminal);
    assert_int_equal(log->form, LOG_FORM_TEXT);
    close_log(log);
    (void)close(terminal);
    (void)close(main_end);
}

static void the_hub_gets_what_the_output_drops(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct log *log = open_log(full);
    log->hub = log_hub_new();
    assert_non_null(log->hub);
    log_write(log, LOG_LEVEL_INFO, NULL, "lost on disk", NULL);
    log_write(log, LOG_LEVEL_DEBUG, NULL, "not at this level", NULL);
    log_event(log, LOG_LEVEL_DEBUG, NULL, "a.b", "an event", NULL);
    assert_int_equal(log->dropped, 1);
    assert_int_equal(log_hub_get(log->hub, LOG_HUB_RECORDS)->next, 1);
    assert_int_equal(log_hub_get(log->hub, LOG_HUB_EVENTS)->next, 1);
    log_hub_free(log->hub);
    close_log(log);
    (void)close(full);
}

static char *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    char *text = read_all(fd);
    (void)close(fd);
    return text;
}

static void a_file_that_was_moved_away_is_opened_anew_when_told(void **state)
{
    (void)state;
    char folder[] = "/tmp/fsd-log-XXXXXX";
    char path[64];
    char moved[64];
    struct fsd_err err;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/a.log", folder);
    (void)snprintf(moved, sizeof(moved), "%s/a.log.1", folder);
    struct log *log = open_log(STDERR_FILENO);
    assert_int_equal(log_reopen(log, &err), 0); /* there is no file */
    assert_int_equal(log_open_file(log, path, &err), 0);
    log_write(log, LOG_LEVEL_INFO, NULL, "before", NULL);
    assert_int_equal(rename(path, moved), 0);
    log_write(log, LOG_LEVEL_INFO, NULL, "meanwhile", NULL);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(log_reopen(log, &err), -EISDIR);
    assert_non_null(strstr(err.text, path));
    log_write(log, LOG_LEVEL_INFO, NULL, "still there", NULL);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(log_reopen(log, &err), 1);
    log_write(log, LOG_LEVEL_INFO, NULL, "after", NULL);
    char *text = read_file(moved);
    assert_non_null(strstr(text, "before\n"));
    assert_non_null(strstr(text, "still there\n"));
    assert_null(strstr(text, "after"));
    free(text);
    text = read_file(path);
    assert_non_null(strstr(text, "log file is opened again path="));
    assert_non_null(strstr(text, "event=log.reopened\n"));
    assert_non_null(strstr(text, "after\n"));
    free(text);
    close_log(log);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(moved), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_file_that_cannot_be_opened_at_start_is_tried_again(void **state)
{
    (void)state;
    char folder[] = "/tmp/fsd-log-XXXXXX";
    char path[64];
    int ends[2];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/logs/a.log", folder);
    open_pipe(ends);
    struct log *log = open_log(ends[1]);
    assert_int_equal(log_open_file(log, path, NULL), -ENOENT);
    log_write(log, LOG_LEVEL_INFO, NULL, "to stderr", NULL);
    char *text = read_all(ends[0]);
    assert_non_null(strstr(text, "to stderr\n"));
    free(text);
    (void)snprintf(path, sizeof(path), "%s/logs", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/logs/a.log", folder);
    log->retry_ms = 0; /* 30 s later */
    log_write(log, LOG_LEVEL_INFO, NULL, "to the file", NULL);
    text = read_file(path);
    assert_non_null(strstr(text, "to the file\n"));
    free(text);
    close_log(log);
    close_pipe(ends);
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void the_journal_is_used_when_stderr_leads_there(void **state)
{
    (void)state;
    int ends[2];
    char text[64];
    struct stat info;
    open_pipe(ends);
    assert_int_equal(fstat(ends[1], &info), 0);
    (void)snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
    struct log *log = open_log(ends[1]);
    int fd = log->journal.fd;
    assert_true(fd >= 0);
    log->journal.backlog.next++; /* a record that waits */
    log_set(log, CONF_LOG_TEXT, LOG_LEVEL_DEBUG);
    assert_int_equal(log->journal.fd, fd);
    assert_int_equal(log->level, LOG_LEVEL_DEBUG);
    assert_true(log_socket_is_waiting(&log->journal)); /* and goes on to wait */
    log->journal.backlog.next--;
    log_set(log, CONF_LOG_JSON, LOG_LEVEL_INFO); /* asked for: then lines of JSON */
    assert_true(log->journal.fd < 0);
    log_set(log, CONF_LOG_TEXT, LOG_LEVEL_INFO);
    assert_true(log->journal.fd >= 0);
    close_log(log);
    assert_int_equal(setenv("JOURNAL_STREAM", "0:0", 1), 0);
    log = open_log(ends[1]);
    assert_true(log->journal.fd < 0);
    close_log(log);
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    close_pipe(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_above_the_limit_are_not_written),
        cmocka_unit_test(reloads_that_are_told_otherwise_are_left_out_but_for_long_errors),
        cmocka_unit_test(an_event_carries_its_name_and_an_id_that_rises),
        cmocka_unit_test(a_full_pipe_drops_lines_and_tells_how_many),
        cmocka_unit_test(a_line_that_was_cut_does_not_run_into_the_next),
        cmocka_unit_test(a_reader_that_is_gone_costs_only_lines),
        cmocka_unit_test(a_full_disk_costs_only_lines),
        cmocka_unit_test(a_socket_that_nobody_reads_never_blocks),
        cmocka_unit_test(the_hub_gets_what_the_output_drops),
        cmocka_unit_test(a_file_that_was_moved_away_is_opened_anew_when_told),
        cmocka_unit_test(a_file_that_cannot_be_opened_at_start_is_tried_again),
        cmocka_unit_test(the_journal_is_used_when_stderr_leads_there),
        cmocka_unit_test(a_terminal_has_colour_unless_it_is_unwanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
