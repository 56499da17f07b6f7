/* params.c: all parameters of a call, each once. */
#include "daemon/method/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void all_are_met_in_their_order(void **state)
{
    (void)state;
    static const char *const keys[] = {"one", "two", "three"};
    json_t *params = json_pack("{s:i, s:i, s:i}", keys[0], 1, keys[1], 2, keys[2], 3);
    const json_t *borrowed = params;
    json_int_t met = 0;
    for (void *at = params_first(borrowed); at != NULL; at = params_next(borrowed, at)) {
        assert_string_equal(json_object_iter_key(at), keys[met]);
        assert_int_equal(json_integer_value(json_object_iter_value(at)), ++met);
    }
    assert_int_equal(met, 3);
    json_decref(params);
}

static void what_has_none_has_no_first(void **state)
{
    (void)state;
    json_t *params = json_object();
    json_t *list = json_pack("[i]", 1);
    assert_null(params_first(params));
    assert_null(params_first(list));
    assert_null(params_first(NULL));
    json_decref(list);
    json_decref(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_met_in_their_order),
        cmocka_unit_test(what_has_none_has_no_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
