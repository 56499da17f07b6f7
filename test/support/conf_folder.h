#ifndef FSD_TEST_SUPPORT_CONF_FOLDER_H
#define FSD_TEST_SUPPORT_CONF_FOLDER_H

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf/conf.h"
#include "test/support/problems.h"

/* A new folder as the working directory, with applications and room for a configuration. */

static const char *const conf_folder_files[] = {
    "app.lua",        "my shop.lua",    "dir/app.lua",
    "fsd.yaml",       "conf.d/10.yaml", "conf.d/9.yaml",
    "conf.d/B.yaml",  "conf.d/a.yaml",  "conf.d/.hidden.yaml",
    "conf.d/note.txt"};

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

/* Every test runs in a new folder with two applications. */
static inline int set_up(void **state)
{
    char folder[] = "/tmp/fsd-conf-XXXXXX";

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("conf.d", 0755), 0);
    assert_int_equal(mkdir("dir", 0755), 0);
    assert_int_equal(mkdir("empty", 0755), 0);
    write_text("app.lua", "");
    write_text("my shop.lua", "");
    write_text("dir/app.lua", "");
    *state = strdup(folder);
    return 0;
}

static inline int tear_down(void **state)
{
    for (size_t i = 0; i < sizeof(conf_folder_files) / sizeof(conf_folder_files[0]); i++) {
        (void)unlink(conf_folder_files[i]);
    }
    (void)rmdir("conf.d");
    (void)rmdir("dir");
    (void)rmdir("empty");
    (void)rmdir(*state);
    free(*state);
    return 0;
}

#define BASE                                                                                       \
    "listeners: { http: { listen: \"127.0.0.1:8080\" }, alt: { listen: \"127.0.0.1:8081\" } }\n"   \
    "apps: { shop: { path: app.lua } }\n"                                                          \
    "pools: { web: { app: shop, listeners: [http, alt] } }\n"

/* Loads fsd.yaml and checks that the printed problems contain expected (NULL: there are none). */
static inline struct conf *load(const char *expected)
{
    struct problem_list list;

    problem_list_init(&list);
    struct conf *conf = conf_load("fsd.yaml", &list);
    if (expected == NULL) {
        problems_assert_none(&list);
    } else {
        problems_assert_contains(&list, expected);
    }
    assert_int_equal(conf == NULL, list.errors > 0);
    problem_list_fini(&list);
    return conf;
}

#endif
