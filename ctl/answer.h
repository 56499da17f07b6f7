#ifndef FSD_CTL_ANSWER_H
#define FSD_CTL_ANSWER_H

#include <jansson.h>

struct fsd_err;

enum { ANSWER_ID = 1 }; /* of every request: there is one at a time */

/* 1: not for us; 0: the result, owned by the caller; negative errno as client_call's. */
int answer_take(const json_t *answer, json_t **ret_result, struct fsd_err *err);

#endif
