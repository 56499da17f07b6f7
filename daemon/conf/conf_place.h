#ifndef FSD_DAEMON_CONF_CONF_PLACE_H
#define FSD_DAEMON_CONF_CONF_PLACE_H

struct problem_place;
struct yaml_node;

/* The place of section.name.key, or of the nearest thing above it that was written; NULL: there is
 * none.  root may be NULL. */
const struct problem_place *conf_place_find(const struct yaml_node *root, const char *section,
                                            const char *name, const char *key);
/* Where an item stands in the list section.name.key, or else the place of the list. */
const struct problem_place *conf_place_find_item(const struct yaml_node *root, const char *section,
                                                 const char *name, const char *key,
                                                 const char *item);

#endif
