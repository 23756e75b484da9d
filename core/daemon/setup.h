#ifndef SETUP_H
#define SETUP_H
/* From the configuration to connectors, endpoints, connections and links, one by one: at the start, and again for what
 * a reload changes. All [control]. */
#include "admin.h"
#include "app.h"

void setup_apply(struct app *app);
void setup_log(const struct config *c); /* [any] */
struct retention setup_retention(const struct config *c);
struct host_store setup_host_store(struct app *app);

enum isolation setup_isolation(const struct config *c, const char *connector);
void setup_connector(struct app *app, const char *name);   /* made known, not loaded */
void setup_load_again(struct app *app);                    /* what found no room on the disk, now and then */
void setup_loaded(struct app *app, const char *connector); /* it was: its endpoints, its webhooks */
void setup_endpoint(struct app *app, const struct config_section *s);
/* Endpoints of one connector, or all (NULL): options and secrets are read again. After a load, and after a secret
 * changed. */
void setup_endpoints(struct app *app, const char *connector);
int64_t setup_endpoint_id(struct app *app, const char *name); /* 0: not known */
/* Without its connector nobody can ask the vendor, and only a person can change that: TL_E_TEMPORARY says how. */
int setup_endpoint_loaded(struct app *app, const char *name, struct err *e);
void setup_endpoint_hurry(struct app *app, const char *name); /* a person asks for it now: pauses end */
/* TL_E_NOT_FOUND: there is none yet. TL_E_CONFIG: there is one between other endpoints. */
int setup_connection_fits(struct app *app, const struct config *c, const struct config_section *s, struct err *e);
/* Makes what is not there; errors begin with file and line. */
int setup_connection(struct app *app, const struct config_section *s, struct err *e);
int setup_link(struct app *app, const struct config_section *s, struct err *e);
void setup_forgotten(struct app *app, const struct config_section *s); /* a section of either that went */
/* All of the section, in the arena; how many. */
unsigned setup_link_settings(const struct config_section *s, struct arena *a, const struct admin_setting **out);
/* Where the value stands that a link was refused for, or its section. */
void setup_link_place(const struct config_section *s, const struct err *e, const char **file, int *line);
#endif
