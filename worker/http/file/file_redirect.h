#ifndef FSD_WORKER_HTTP_FILE_FILE_REDIRECT_H
#define FSD_WORKER_HTTP_FILE_FILE_REDIRECT_H

#include "worker/http/file/file_answer.h"

/* Gives 301 to the same path with a slash behind it, on the same host whatever the path looks like. */
void file_redirect_give(const struct file_request *request, struct file_given *ret_given);

#endif
