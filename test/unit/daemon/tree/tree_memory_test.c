/* A tree for which there is no memory. */
#include "test/unit/daemon/tree/tree_script.h"

static unsigned countdown; /* the allocation that is to fail; 0: none */

/* In the place of the C library's, for this program. */
void *calloc(size_t count, size_t size)
{
    if (countdown > 0 && --countdown == 0) {
        return NULL;
    }
    void *memory = malloc(count * size);
    volatile unsigned char *bytes =
        memory; /* else the compiler makes malloc and a loop into calloc */
    for (size_t i = 0; bytes != NULL && i < count * size; i++) {
        bytes[i] = 0;
    }
    return memory;
}

static const char *const setup = "abc; S rest_for_one 3/1000 ab; T one_for_one 1/1000 Sc; c>S";
enum { ALLOCATIONS = 6 }; /* tree, nodes, two supervisors and the root, the search for circles */

static void a_tree_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    const struct script_case test = {"", setup, "", NULL};
    struct script script;
    struct script_conf conf;
    script_configure(&conf, setup);
    for (unsigned failing = 1; failing <= ALLOCATIONS + 1; failing++) {
        countdown = failing;
        struct tree *tree = tree_new(&conf.conf);
        countdown = 0;
        assert_int_equal(tree != NULL, failing > ALLOCATIONS);
        tree_free(tree);
    }
    script_set_up(&script, &test);
    script_go(&script, "begin [start a] a.up [start b] b.up [start c] c.up tree?up");
    tree_free(script.tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
