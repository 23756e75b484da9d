#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

#include "call_type.h"
#include "codec.h"
#include "instance_int.h"

static tl_status refuse(tl_error *error, tl_status s, const char *text)
{
    error->scope = TL_SCOPE_ENDPOINT;
    snprintf(error->text, sizeof error->text, "%.255s", text);
    return s;
}

/* A status the ABI does not know counts as a defect; words are made safe. */
static tl_status tidy(tl_status s, tl_error *error)
{
    if (s < TL_OK || s > TL_E_QUOTA)
        s = TL_E_BUG;
    if (s == TL_OK) {
        *error = (tl_error){.struct_size = sizeof *error};
        return s;
    }
    error->struct_size = sizeof *error;
    codec_error_clean(error);
    if (error->scope < TL_SCOPE_RECORD || error->scope > TL_SCOPE_ENDPOINT)
        error->scope = TL_SCOPE_ENDPOINT;
    if (error->reason < TL_R_OTHER || error->reason > TL_R_SCHEMA)
        error->reason = TL_R_OTHER;
    if (error->retry_after_ms < 0)
        error->retry_after_ms = 0;
    return s;
}

/* One whose connector runs threads of its own is kept: they may still call the host, and are told no. */
static void instance_free(struct instance *i)
{
    const struct module *m = i->module;
    arena_done(&i->scratch);
    arena_done(&i->answer);
    __atomic_store_n(&i->closed, true, __ATOMIC_RELEASE);
    if (!(m->connector.flags & TL_PLUGIN_OWN_THREADS) && !__atomic_load_n(m->foreign_threads, __ATOMIC_RELAXED))
        free(i);
    else
        KEEP_FOR_EVER(i);
}

/* This thread drives it from now on. */
static void drive(struct instance *i)
{
    pthread_t self = pthread_self();
    __atomic_store(&i->thread, &self, __ATOMIC_RELAXED);
}

tl_status instance_open(struct instance **out, const struct module *m, const struct services *s, const tl_open *open,
                        tl_error *error)
{
    struct instance *i = calloc(1, sizeof *i);
    ASSERT(i);
    instance_host_init(&i->host);
    i->module = m;
    i->services = *s;
    drive(i);
    tl_error own = {.struct_size = sizeof own};
    tl_status status = m->connector.open(&i->host, open, &i->conn, &own);
    if (status == TL_OK && !i->conn)
        status = refuse(&own, TL_E_BUG, "the connector opened nothing");
    status = tidy(status, &own);
    if (status) {
        *error = own;
        instance_free(i);
        return status;
    }
    *out = i;
    return TL_OK;
}

void instance_rest(struct instance *i)
{
    i->result_seen = NULL;
    i->kinds = NULL;
    i->actions = NULL;
    arena_done(&i->answer);
    arena_done(&i->scratch);
}

struct instance *instance_close(struct instance *i)
{
    if (!i)
        return NULL;
    drive(i);
    i->module->connector.close(i->conn);
    if (i->services.call_end)
        i->services.call_end(i->services.ctx);
    instance_free(i);
    return NULL;
}

bool instance_flush(struct instance *i)
{
    if (!i->services.items || !i->reply || !i->reply->items.n)
        return true;
    return i->services.items(i->services.ctx, &i->reply->items);
}

/* ---- one call ---- */

/* The host's word on a call that broke the rules; the connector's own goes into the detail. */
static tl_status protocol(struct instance *i, tl_error *error, const char *text)
{
    tl_error own = *error;
    *error = (tl_error){.struct_size = sizeof *error, .scope = TL_SCOPE_KIND};
    snprintf(error->code, sizeof error->code, "PLUGIN_PROTOCOL");
    snprintf(error->text, sizeof error->text, "%s", text);
    if (own.text[0])
        snprintf(error->detail, sizeof error->detail, "the connector said: %s", own.text);
    codec_error_clean(error);
    (void)i;
    return TL_E_BUG;
}

static tl_status broke(struct instance *i, tl_error *error, const char *what)
{
    char place[128], text[320];
    instance_place(i, place, sizeof place);
    snprintf(text, sizeof text, "connector \"%s\", %s: %s", i->module->connector.id, place, what);
    instance_log(i, TL_ERROR, "%s", text);
    return protocol(i, error, text);
}

static void missing_results(struct instance *i, const struct call *c)
{
    AUTO(buf_done) struct buf which = {0};
    uint32_t n = 0, all = request_records(c);
    for (uint32_t k = 0; k < all; k++) {
        if (i->result_seen[k])
            continue;
        const tl_record *r = request_record(c, k);
        if (n++ < BAD_TOLD)
            buf_fmt(&which, "%srecord %u (\"%.*s\")", n > 1 ? ", " : "", k + 1, STR_FMT(r->id.n ? r->id : r->stamp));
    }
    char place[128];
    instance_place(i, place, sizeof place);
    instance_log(i, TL_ERROR, "connector \"%s\", %s: success without a result for %u of %u records: %s%s",
                 i->module->connector.id, place, n, all, buf_text(&which), n > BAD_TOLD ? ", ..." : "");
}

/* It ends with a checkpoint. */
static bool paged(const struct call *c)
{
    return c->kind == CALL_PULL || c->kind == CALL_LIST;
}

static void judge(struct instance *i, const struct call *c, tl_status given, tl_status *s, tl_error *error)
{
    char words[128];
    if (*s == TL_E_UNSUPPORTED && !error->text[0])
        snprintf(error->text, sizeof error->text, "the connector has no %s", call_kind_name(c->kind));
    /* Stopping at the page budget is no fault, however the connector words it. */
    bool budget = page_budget(c) && i->pages >= page_budget(c);
    if (*s == TL_E_CANCELLED && budget && !i->services.cancelled(i->services.ctx))
        *s = TL_OK;
    if (i->bad > BAD_TOLD)
        instance_log(i, TL_WARN, "connector \"%s\": %u more records of this call cannot be used",
                     i->module->connector.id, i->bad - BAD_TOLD);
    bool stopped = i->stopped || i->services.cancelled(i->services.ctx);
    if (i->fault.status) {
        *s = protocol(i, error, i->fault.text);
    } else if (*s != given && given != TL_E_CANCELLED) {
        snprintf(words, sizeof words, "it ended with the status %d, which is none", given);
        *s = broke(i, error, words);
    } else if (*s == TL_OK && paged(c) && i->pages == 0 && !stopped) {
        *s = broke(i, error, "it ended with success and without a checkpoint");
    } else if (*s && *s != TL_E_CANCELLED && !error->text[0]) {
        char place[128];
        instance_place(i, place, sizeof place);
        snprintf(error->text, sizeof error->text, "%s ended with \"%s\", and the connector does not say why", place,
                 status_name(*s));
    }
    if (*s == TL_OK && i->results < request_records(c))
        missing_results(i, c);
}

static void call_begins(struct instance *i, struct call *c)
{
    drive(i);
    arena_reset(&i->answer);
    err_clear(&i->fault);
    i->items_bytes = i->records = 0;
    i->pages = i->results = i->bad = 0;
    i->stopped = false;
    i->kinds = NULL;
    i->actions = NULL;
    if (request_records(c))
        i->result_seen = arena_alloc(&c->arena, request_records(c));
    if (c->kind == CALL_PULL)
        progress_begin(&i->progress, &c->request.pull);
}

void instance_run(struct instance *i, enum call_kind kind, str request, bool strict, struct reply *reply)
{
    struct call c = {.kind = kind};
    struct err e = {0};
    tl_error error = {.struct_size = sizeof error};
    tl_status s;
    reply->items.max = REPLY_ITEMS_MAX;
    if (request_decode(&c, request, strict, &e)) {
        s = refuse(&error, TL_E_BUG, e.text);
    } else {
        i->call = &c;
        i->reply = reply;
        call_begins(i, &c);
        tl_status given = call_type(kind)->run(i->module, i->conn, &c, &error);
        s = tidy(given, &error);
        judge(i, &c, given, &s, &error);
        instance_flush(i);
        i->call = NULL;
        i->reply = NULL;
        i->result_seen = NULL;
        if (i->services.call_end)
            i->services.call_end(i->services.ctx);
    }
    reply->status = s;
    reply->error = error;
    arena_done(&c.arena);
}

/* ---- pure functions ---- */

int32_t module_verdict(const struct module *m, int32_t status, tl_str body)
{
    if (!m->has_auth || !m->auth.verdict)
        return status == 401 ? TL_AUTH_EXPIRED : TL_AUTH_UNRELATED;
    int32_t v = m->auth.verdict(status, body);
    return v == TL_AUTH_EXPIRED || v == TL_AUTH_REFUSED ? v : TL_AUTH_UNRELATED;
}

tl_status module_token_error(const struct module *m, int32_t status, tl_str body, tl_error *error)
{
    *error = (tl_error){.struct_size = sizeof *error};
    if (!m->has_auth || !m->auth.token_error) {
        error->http_status = status;
        snprintf(error->text, sizeof error->text, "sign-in was answered with HTTP %d", status);
        return status >= 400 && status < 500 && status != 429 ? TL_E_AUTH : TL_E_TEMPORARY;
    }
    tl_status s = tidy(m->auth.token_error(status, body, error), error);
    return s == TL_OK ? TL_E_BUG : s;
}
