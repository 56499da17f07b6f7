/* The memory of shared dictionaries: who keeps it, and what can be done to it. */
#include "daemon/shared/shared_set.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/conf/conf.h"

static struct shared_set *make(struct conf_shared *entries, size_t count,
                               const struct shared_set *from)
{
    struct conf conf = {.shared = entries, .shared_count = count};
    struct shared_set *set = NULL;
    assert_int_equal(shared_set_make(&conf, from, &set), 0);
    return set;
}

static ino_t inode_of(int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    return info.st_ino;
}

static void memory_has_its_size_and_keeps_it(void **state)
{
    (void)state;
    char name[] = "cache";
    struct conf_shared entry = {.name = name, .size_bytes = 100000};
    struct shared_set *set = make(&entry, 1, NULL);
    const struct shared_memory *memory = &set->items[0];
    struct stat info;
    assert_string_equal(memory->body.name, "cache");
    assert_int_equal(memory->body.size, 100000);
    assert_int_equal(fstat(memory->fd, &info), 0);
    assert_int_equal(info.st_size, 100000);
    assert_int_equal(info.st_blocks, 0); /* it takes no memory yet */
    assert_int_equal(ftruncate(memory->fd, 0), -1);
    assert_int_equal(ftruncate(memory->fd, 200000), -1);
    assert_int_equal(fcntl(memory->fd, F_ADD_SEALS, F_SEAL_WRITE), -1); /* nor can it be closed */
    assert_int_equal(fcntl(memory->fd, F_GETFD), FD_CLOEXEC);
    shared_set_release(&set);
    assert_null(set);
}

static void what_has_the_same_name_and_size_is_the_same_memory(void **state)
{
    (void)state;
    char names[3][8] = {"same", "larger", "gone"};
    struct conf_shared before[] = {
        {.name = names[0], .size_bytes = 65536},
        {.name = names[1], .size_bytes = 65536},
        {.name = names[2], .size_bytes = 65536},
    };
    struct conf_shared after[] = {
        {.name = names[1], .size_bytes = 131072},
        {.name = names[0], .size_bytes = 65536},
    };
    struct shared_set *old = make(before, 3, NULL);
    struct shared_set *now = make(after, 2, old);
    assert_ptr_equal(shared_set_find(now, &old->items[0]), &now->items[1]);
    assert_int_equal(inode_of(now->items[1].fd), inode_of(old->items[0].fd));
    assert_null(shared_set_find(now, &old->items[1]));
    assert_null(shared_set_find(now, &old->items[2]));
    assert_null(shared_set_find(NULL, &old->items[0]));
    int fd = now->items[1].fd;
    shared_set_release(&old);
    assert_true(inode_of(fd) > 0); /* each has its own descriptor */
    shared_set_release(&now);
}

static void memory_of_the_same_name_and_size_made_anew_is_another(void **state)
{
    (void)state;
    char name[] = "cache";
    struct conf_shared entry = {.name = name, .size_bytes = 65536};
    struct shared_set *one = make(&entry, 1, NULL);
    struct shared_set *other = make(&entry, 1, NULL);
    assert_true(one->items[0].body.seed != other->items[0].body.seed);
    assert_null(shared_set_find(one, &other->items[0]));
    shared_set_release(&one);
    shared_set_release(&other);
}

static void the_last_reference_closes_it(void **state)
{
    (void)state;
    char name[] = "cache";
    struct conf_shared entry = {.name = name, .size_bytes = 65536};
    struct shared_set *one = make(&entry, 1, NULL);
    struct shared_set *other = shared_set_keep(one);
    int fd = one->items[0].fd;
    shared_set_release(&one);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    shared_set_release(&other);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    shared_set_release(&other);
    assert_null(shared_set_keep(NULL));
}

static void memory_of_an_earlier_program_takes_the_place_of_the_new(void **state)
{
    (void)state;
    char name[] = "cache";
    struct conf_shared entry = {.name = name, .size_bytes = 65536};
    struct shared_set *set = make(&entry, 1, NULL);
    int fd = memfd_create("old", MFD_CLOEXEC);
    ino_t inode = inode_of(fd);
    assert_false(shared_set_inherit(set, "other", 65536, 7, fd));
    assert_false(shared_set_inherit(set, "cache", 65537, 7, fd));
    assert_true(shared_set_inherit(set, "cache", 65536, 7, fd));
    assert_int_equal(set->items[0].body.seed, 7);
    assert_int_equal(inode_of(set->items[0].fd), inode);
    shared_set_release(&set);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void a_size_that_the_kernel_refuses_is_an_error(void **state)
{
    (void)state;
    char names[2][8] = {"good", "bad"};
    struct conf_shared entries[] = {
        {.name = names[0], .size_bytes = 65536},
        {.name = names[1], .size_bytes = UINT64_MAX},
    };
    struct conf conf = {.shared = entries, .shared_count = 2};
    struct shared_set *set = NULL;
    assert_int_equal(shared_set_make(&conf, NULL, &set), -EINVAL);
    assert_null(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_has_its_size_and_keeps_it),
        cmocka_unit_test(what_has_the_same_name_and_size_is_the_same_memory),
        cmocka_unit_test(memory_of_the_same_name_and_size_made_anew_is_another),
        cmocka_unit_test(the_last_reference_closes_it),
        cmocka_unit_test(memory_of_an_earlier_program_takes_the_place_of_the_new),
        cmocka_unit_test(a_size_that_the_kernel_refuses_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
