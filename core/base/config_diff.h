#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H
/* What a configuration read again changes, key by key. Pure. [any] */
#include "config.h"

enum config_what { CONFIG_ADDED, CONFIG_CHANGED, CONFIG_REMOVED };
const char *config_what_name(enum config_what w); /* "added" */

struct config_change {
    enum config_what what;
    const char *section, *key;      /* full header: "endpoint sf" */
    const struct config_key *known; /* NULL: an option of an endpoint */
    /* NULL: not written there, so the default counts. One of them is there. */
    const struct config_value *now, *was;
    bool restart; /* counts when tielined starts, not before */
    struct config_change *next;
};
/* Of keys that count from the start on, `boot` is what counts now; of all others `old`. In the order of the new file,
 * removed ones last. A key that is written with the value it had by default changes nothing, but where it pins. */
struct config_change *config_diff(struct arena *a, const struct config *boot, const struct config *old,
                                  const struct config *now);
/* Whether values of this section differ, are new or are gone. */
bool config_section_changed(const struct config_change *changes, const char *header);
#endif
