/* sanitizer.c - how the programs of MODE=asan report.
 * Owns no state.  The sanitizers' run-time libraries ask these functions at start; the environment would not do, since the
 * master gives its workers a new one.  Each report goes to a file below build/asan/reports, which scripts/test looks at.
 * SIGSEGV keeps its usual meaning: tests send it to workers.  Linked into the programs only, not into unit tests. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);

const char *__asan_default_options(void)
{
    return "log_path=" FSD_SANITIZER_REPORTS ":handle_segv=0:handle_abort=0";
}

const char *__ubsan_default_options(void)
{
    return "log_path=" FSD_SANITIZER_REPORTS ":print_stacktrace=1";
}

const char *__lsan_default_options(void)
{
    return "suppressions=" FSD_SANITIZER_SUPPRESSIONS ":print_suppressions=0";
}
