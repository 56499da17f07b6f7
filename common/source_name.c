/* source_name.c - which files of an application's folder are its code.
 * Owns the two lists of endings.  Templates are code: they run, and a reload must change them together with what renders
 * them, so they travel in the bundle.  What else an application has (static files, data) may be large and stays on the disk.
 * Called by the bundle tool, which reads these files, and by the developer's watch, which waits for changes of them.
 * Pure.  Must not know what stands in a file. */
#include "common/source_name.h"

#include <stddef.h>
#include <string.h>

static const char *const everywhere[] = {"lua", "tpl", "etlua"};
static const char *const views[] = {"html", "htm", "xml", "txt", "md",
                                    "json", "css", "js",  "svg", "mustache"};

static bool has_ending(const char *path, const char *const *endings, size_t count)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(dot + 1, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_everywhere(const char *path)
{
    return has_ending(path, everywhere, sizeof(everywhere) / sizeof(everywhere[0]));
}

static bool is_view(const char *path)
{
    return has_ending(path, views, sizeof(views) / sizeof(views[0]));
}

bool source_name_is_code(const char *path)
{
    return is_everywhere(path) || (strncmp(path, "views/", 6) == 0 && is_view(path));
}

bool source_name_may_be_code(const char *name)
{
    return is_everywhere(name) || is_view(name);
}
