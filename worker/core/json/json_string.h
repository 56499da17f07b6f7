#ifndef FSD_WORKER_CORE_JSON_JSON_STRING_H
#define FSD_WORKER_CORE_JSON_JSON_STRING_H

struct json_decoder;

/* Both read the string whose opening quote is the next byte and push it; -EINVAL with the reason.
 * The one for keys remembers short ones, because a list of objects repeats them. */
int json_string_decode(struct json_decoder *decoder);
int json_string_decode_key(struct json_decoder *decoder);

#endif
