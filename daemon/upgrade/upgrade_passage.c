/* upgrade_passage.c - the exec itself, in both directions.
 * Owns the form of the command line.  The process stays the same: its pid, its children, its environment and every descriptor that is not
 * close-on-exec.  The three descriptors that both programs need to understand each other are named on the command line, since
 * one that can't read the state must still find the way back.
 * Called by upgrade.c and upgrade_resume.c.  Must not know what is in the state. */
#include "daemon/upgrade/upgrade_passage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/parse.h"

enum {
    LINE_MAX_BYTES = 128 * 1024,
    WORDS_MAX = 256,
    WORDS_OWN = 3,
    NUMBERS_MAX = 48,
    FD_MAX = 1 << 24
};

int upgrade_passage_parse(const char *text, bool with_back, struct upgrade_passage *ret_passage)
{
    int numbers[3] = {-1, -1, -1};
    size_t count = with_back ? 3 : 2;
    char copy[NUMBERS_MAX];
    char *rest = copy;
    if (strlen(text) >= sizeof(copy)) {
        return -EINVAL;
    }
    (void)strcpy(copy, text); /* NOLINT: it fits */
    for (size_t i = 0; i < count; i++) {
        const char *word = strsep(&rest, ":");
        uint64_t number = 0;
        if (word == NULL || parse_digits(word, 10, FD_MAX, &number) < 0 ||
            number <= STDERR_FILENO) {
            return -EINVAL;
        }
        numbers[i] = (int)number;
    }
    if (rest != NULL) {
        return -EINVAL;
    }
    *ret_passage = (struct upgrade_passage){numbers[0], with_back ? numbers[1] : -1,
                                            with_back ? numbers[2] : numbers[1]};
    return 0;
}

/* Our own command line as the kernel keeps it: words that each end with a NUL.  The length, 0 when it can't be read. */
static size_t read_line(char *line, size_t size)
{
    ssize_t len = fd_read_text("/proc/self/cmdline", line, size);
    return len > 0 ? (size_t)len : 0;
}

static bool is_ours(const char *word)
{
    return strcmp(word, UPGRADE_PASSAGE_STATE) == 0 || strcmp(word, UPGRADE_PASSAGE_BACK) == 0;
}

/* Puts the words of the first program behind our own. */
static void add_words(char *words[WORDS_MAX + 1], char *line, size_t len)
{
    size_t count = WORDS_OWN;
    size_t skip = 1; /* the program's name */
    for (char *at = line; at < line + len && count < WORDS_MAX; at += strlen(at) + 1) {
        if (skip > 0) {
            skip--;
        } else if (is_ours(at) && count == WORDS_OWN) {
            skip = 1;
        } else {
            words[count++] = at;
        }
    }
    words[count] = NULL;
}

/* path NULL: the program that `back` is. */
static int become(const char *path, char *option, char *numbers, int back)
{
    char *line = malloc(LINE_MAX_BYTES);
    char *words[WORDS_MAX + 1];
    char name[] = "fsd";
    if (line == NULL) {
        return -ENOMEM;
    }
    union {
        const char *in;
        char *out;
    } program = {.in = path != NULL ? path : name}; /* argv is not const for history's sake */
    words[0] = program.out;
    words[1] = option;
    words[2] = numbers;
    add_words(words, line, read_line(line, LINE_MAX_BYTES));
    if (path != NULL) {
        (void)execve(path, words, environ);
    } else {
        (void)execveat(back, "", words, environ, AT_EMPTY_PATH);
    }
    int error = errno;
    free(line);
    return -error;
}

int upgrade_passage_go(const char *path, const struct upgrade_passage *passage)
{
    char option[] = UPGRADE_PASSAGE_STATE;
    char numbers[NUMBERS_MAX];
    (void)snprintf(numbers, sizeof(numbers), "%d:%d:%d", passage->state, passage->back,
                   passage->note);
    return become(path, option, numbers, -1);
}

int upgrade_passage_return(const struct upgrade_passage *passage)
{
    char option[] = UPGRADE_PASSAGE_BACK;
    char numbers[NUMBERS_MAX];
    (void)snprintf(numbers, sizeof(numbers), "%d:%d", passage->state, passage->note);
    return become(NULL, option, numbers, passage->back);
}
