/* What is shown beside a record of the help desk, and to whom. */
#include "context.h"

#include "context_page.h"
#include "times.h"
#include "verb.h"

enum { WAIT_DEFAULT_MS = 8000, WAIT_MAX_MS = 30000 };

static int show_context(struct request *rq, json_t **answer, struct err *e)
{
    const struct caller *c = &rq->caller;
    struct viewer viewer = {.everything = c->kind == CALLER_OPERATOR,
                            .endpoint = c->endpoint,
                            .profile = c->profile,
                            .departments = c->departments,
                            .n_departments = c->n_departments};
    struct context_parts parts = {rq->app->readers, rq->app->answers};
    struct context_ask ask = {.endpoint = param_text(rq, "endpoint"),
                              .kind = capture(rq, 0),
                              .id = capture(rq, 1),
                              .viewer = &viewer,
                              .profile = param_text(rq, "profile")};
    int64_t wait_ms = 0;
    int rc = request_number(rq, "wait_ms", WAIT_DEFAULT_MS, 0, WAIT_MAX_MS, &wait_ms, e);
    ask.wait_us = wait_ms * US_PER_MS;
    return rc ? rc : context_show(&parts, &ask, answer, e);
}

/* The same as a page; the language is that of the reader's browser, unless the address names one. */
static int show_page(struct request *rq, json_t **answer, struct err *e)
{
    const char *wish = param_text(rq, "lang");
    json_t *context = NULL;
    int rc = show_context(rq, &context, e);
    if (rc)
        return rc;
    if (!wish)
        wish = arena_str(&rq->arena, request_header(rq, "Accept-Language")).p;
    context_page(context, wish, "/api/v1/context.css", &rq->text);
    json_decref(context);
    rq->text_type = "text/html; charset=utf-8";
    *answer = NULL;
    return TL_OK;
}

static int show_style(struct request *rq, json_t **answer, struct err *e)
{
    (void)e;
    buf_text_add(&rq->text, context_style);
    rq->text_type = "text/css; charset=utf-8";
    *answer = NULL;
    return TL_OK;
}

#define SUBJECT "{kind:string,id:string,name:string?,email:string?}?"
#define RECORD  "{id:string,url:string?,name:string?,modified:time?,fields:[{path:string,label:string,value:any}]}"
#define BLOCK   "{item:string,kind:string,state:string,text:string?,asked:time?,total:integer?,records:[" RECORD "]}"

const struct route routes_context[] = {
    {.method = "GET",
     .path = "/api/v1/context/{kind}/{id}",
     .scope = SCOPE_VIEW,
     .handler = show_context,
     .summary = "what the connected systems know of whom a ticket, contact or account of the help desk is about",
     .params = "endpoint:string profile:string wait_ms:integer",
     .answer =
         "{endpoint:string,kind:string,id:string,name:string?,state:string,text:string?,requester:" SUBJECT
         ",account:" SUBJECT ",systems:[{connection:string,endpoint:string,state:string,text:string?,records:[{"
         "kind:string,id:string?,url:string?,name:string?,found_by:string?,state:string,text:string?,blocks:[" BLOCK
         "]}]}]}"},
    {.method = "GET",
     .path = "/api/v1/context/{kind}/{id}/page",
     .scope = SCOPE_VIEW,
     .handler = show_page,
     .summary = "the same as a page in the reader's language, which needs no script",
     .flags = ROUTE_TEXT,
     .text = "text/html",
     .params = "endpoint:string profile:string wait_ms:integer lang:string",
     .answer = "string"},
    {.method = "GET",
     .path = "/api/v1/context.css",
     .flags = ROUTE_TEXT,
     .text = "text/css",
     .scope = SCOPE_VIEW,
     .handler = show_style,
     .summary = "its style sheet",
     .answer = "string"},
    {.method = NULL},
};
