# lib.sh - what the scripts share.  Sourced: ". scripts/lib.sh" after a cd to the root of the project.
# Owns nothing.  Must not do anything but define functions.
# shellcheck shell=bash

# A failure in one sentence, on stderr.
die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# The areas that are compiled into programs.
# shellcheck disable=SC2034 # for those who source this
AREAS=(common daemon ctl worker modules)

# All C files below the given folders, sorted.
c_files() {
    find "$@" -name '*.c' | LC_ALL=C sort
}

# One word for a source file and everything of the project that it includes: `content_key FILE FLAGS...`.
# A result that was kept under the same word is still good.
content_key() {
    local file=$1
    shift
    # -MM: "object: file header header \ ..."; the system's headers are left out.
    gcc "$@" -MM -MT key "$file" | sed 's/^key://; s/\\$//' | xargs cat | cat - <(printf '%s ' "$@") | sha256sum | cut -c1-32
}
