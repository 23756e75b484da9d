#include "auth_bed.h"

#include <stdlib.h>

#include "times.h"

void auth_bed_open(struct auth_bed *b, const tl_auth *described,
                   void (*handler)(void *ctx, const struct loop_request *, struct loop_reply *), void *ctx)
{
    struct err e = {0};
    pthread_mutex_init(&b->lock, NULL);
    b->server = loop_start(handler, ctx);
    b->base = loop_url(b->server, "");
    b->allow = http_allow_new(true);
    assert_int_equal(http_allow_url(b->allow, str_of(b->base), &e), TL_OK);
    assert_int_equal(http_client_new(&b->client, NULL, &env_real, &e), TL_OK);
    assert_int_equal(auth_spec_copy(&b->spec, described, &e), TL_OK);
    env_sim_init(&b->sim, 1, INT64_C(1800000000) * US_PER_S);
}

void auth_bed_done(struct auth_bed *b)
{
    auth_free(b->auth);
    auth_spec_free(b->spec);
    http_client_free(b->client);
    loop_stop(b->server);
    http_allow_free(b->allow);
    buf_done(&b->kept);
    free(b->base);
    pthread_mutex_destroy(&b->lock);
}

void auth_bed_start(struct auth_bed *b, struct auth_config config, const char *const *options)
{
    tl_pair pairs[16] = {{TL_STR("login_url"), str_of(b->base)}};
    struct err e = {0};
    config.n_options = 1;
    for (; options && *options; options += 2)
        pairs[config.n_options++] = (tl_pair){str_of(options[0]), str_of(options[1])};
    config.options = pairs;
    config.spec = b->spec;
    config.allow = b->allow;
    config.http = b->client;
    config.env = &b->sim.env;
    b->auth = auth_free(b->auth);
    assert_int_equal(auth_new(&b->auth, &config, &e), TL_OK);
}

int auth_bed_load(void *ctx, struct buf *out, struct err *e)
{
    struct auth_bed *b = ctx;
    (void)e;
    if (!b->kept.n)
        return TL_E_NOT_FOUND;
    buf_str(out, buf_lent(&b->kept));
    return TL_OK;
}

int auth_bed_save(void *ctx, str secret, struct err *e)
{
    struct auth_bed *b = ctx;
    if (b->refuse_saves > 0) {
        b->refuse_saves--;
        return err_set(e, E_STORAGE, "disk is full");
    }
    buf_clear(&b->kept);
    buf_str(&b->kept, secret);
    return TL_OK;
}
