/* The HTTP server with routes of its own: what is asked finds its handler, in the forms a handler may answer in. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app.h"
#include "listen.h"
#include "server.h"

static int64_t height;

static int show(struct request *rq, json_t **answer, struct err *e)
{
    (void)rq;
    (void)e;
    *answer = json_pack("{s:I}", "height", (json_int_t)height);
    return TL_OK;
}

static int change(struct request *rq, json_t **answer, struct err *e)
{
    height = json_integer_value(json_object_get(rq->body, "height"));
    return show(rq, answer, e);
}

static int page(struct request *rq, json_t **answer, struct err *e)
{
    (void)answer;
    (void)e;
    buf_text_add(&rq->text, "<!doctype html><p>a page</p>");
    rq->text_type = "text/html; charset=utf-8";
    return TL_OK;
}

static int who(struct request *rq, json_t **answer, struct err *e)
{
    (void)e;
    *answer = json_pack("{s:s,s:i}", "name", rq->caller.name, "kind", (int)rq->caller.kind);
    return TL_OK;
}

static bool next_line(void *self, struct buf *out)
{
    int *left = self;
    buf_fmt(out, "{\"left\":%d}\n", *left);
    return (*left)-- > 1;
}

static int lines(struct request *rq, json_t **answer, struct err *e)
{
    (void)answer;
    (void)e;
    int *left = calloc(1, sizeof *left);
    rq->stream = calloc(1, sizeof *rq->stream);
    *left = 3;
    *rq->stream = (struct stream){left, next_line, free};
    return TL_OK;
}

static const struct route table[] = {
    {.method = "GET",
     .path = "/thing/{name}",
     .handler = show,
     .summary = "shows it",
     .params = "deep:boolean",
     .answer = "{height:integer}"},
    {.method = "PATCH",
     .path = "/thing/{name}",
     .flags = ROUTE_WRITE | ROUTE_MATCH,
     .handler = change,
     .summary = "changes it",
     .body = "{height:integer}",
     .answer = "{height:integer}"},
    {.method = "GET", .path = "/page", .flags = ROUTE_TEXT, .handler = page, .summary = "a page", .answer = "{}"},
    {.method = "GET", .path = "/lines", .flags = ROUTE_STREAM, .handler = lines, .summary = "lines", .answer = "{}"},
    {.method = "GET", .path = "/who", .handler = who, .summary = "who asks", .answer = "{name:string,kind:integer}"},
    {.method = NULL},
};
static const struct route *const tables[] = {table, NULL};

struct site {
    struct app app;
    char dir[64], socket[96];
    struct server *server;
    struct server_options options;
};

static void site_begin(struct site *s)
{
    *s = (struct site){.app = {.env = &env_real}, .dir = "/tmp/tieline-server-XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->socket, sizeof s->socket, "%s/api", s->dir);
    s->options = (struct server_options){
        .socket_path = s->socket, .socket_group = UINT32_MAX, .max_body = 1000, .tables = tables};
    struct err e = {0};
    if (server_start(&s->server, &s->app, &s->options, &e))
        fail_msg("%s", e.text);
}

static void site_end(struct site *s)
{
    s->server = server_stop(s->server);
    assert_int_equal(rmdir(s->dir), 0); /* the socket is gone */
}

static void send_all(int fd, str s)
{
    for (uint64_t done = 0; done < s.n;) {
        ssize_t n = send(fd, s.p + done, (size_t)(s.n - done), MSG_NOSIGNAL);
        assert_true(n > 0);
        done += (uint64_t)n;
    }
}

/* The whole answer to one request; out is the caller's. */
static const char *ask(const struct site *s, struct buf *out, const char *request_line, const char *headers,
                       const char *body)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, s->socket, strlen(s->socket) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    AUTO(buf_done) struct buf rq = {0};
    buf_fmt(&rq, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s", request_line,
            headers, strlen(body), body);
    send_all(fd, buf_lent(&rq));
    buf_clear(out);
    char space[4096];
    for (ssize_t n; (n = recv(fd, space, sizeof space, 0)) > 0;)
        buf_add(out, space, (size_t)n);
    close(fd);
    return buf_text(out);
}

static void has(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("\"%s\" is not in the answer:\n%s", part, answer);
}

static void routes_answer(void **state)
{
    (void)state;
    struct site s;
    AUTO(buf_done) struct buf out = {0};
    height = 7;
    site_begin(&s);
    const char *a = ask(&s, &out, "GET /thing/x?deep=true", "", "");
    has(a, "HTTP/1.1 200");
    has(a, "\"height\": 7");
    has(a, "ETag: \"");
    has(a, "X-Content-Type-Options: nosniff");
    a = ask(&s, &out, "GET /thing/x?depth=1", "", "");
    has(a, "HTTP/1.1 400");
    has(a, "has no parameter \\\"depth\\\"");
    has(ask(&s, &out, "GET /nothing", "", ""), "HTTP/1.1 404");
    a = ask(&s, &out, "DELETE /thing/x", "", "");
    has(a, "HTTP/1.1 405");
    has(a, "Allow: GET, PATCH");
    AUTO(buf_done) struct buf large = {0};
    for (size_t i = 0; i <= s.options.max_body; i++)
        buf_char(&large, ' ');
    has(ask(&s, &out, "PATCH /thing/x", "", buf_text(&large)), "HTTP/1.1 413");
    site_end(&s);
}

static void a_change_names_what_it_saw(void **state)
{
    (void)state;
    struct site s;
    AUTO(buf_done) struct buf out = {0}, match = {0};
    height = 1;
    site_begin(&s);
    has(ask(&s, &out, "PATCH /thing/x", "", "{\"height\":2}"), "HTTP/1.1 428");
    const char *tag = strstr(ask(&s, &out, "GET /thing/x", "", ""), "ETag: ");
    assert_non_null(tag);
    buf_fmt(&match, "If-Match: %.18s\r\n", tag + 6);
    has(ask(&s, &out, "PATCH /thing/x", buf_text(&match), "{\"height\":2}"), "HTTP/1.1 200");
    has(ask(&s, &out, "PATCH /thing/x", buf_text(&match), "{\"height\":3}"), "HTTP/1.1 412");
    has(ask(&s, &out, "PATCH /thing/x", "If-Match: *\r\n", "{\"width\":3}"), "HTTP/1.1 422");
    assert_int_equal(height, 2);
    site_end(&s);
}

static void other_forms_of_answers(void **state)
{
    (void)state;
    struct site s;
    AUTO(buf_done) struct buf out = {0};
    site_begin(&s);
    const char *a = ask(&s, &out, "GET /page", "", "");
    has(a, "Content-Type: text/html; charset=utf-8");
    has(a, "Content-Length: 28");
    has(a, "\r\n\r\n<!doctype html><p>a page</p>");
    a = ask(&s, &out, "GET /lines", "", "");
    has(a, "Content-Type: application/x-ndjson");
    has(a, "{\"left\":3}\n");
    has(a, "{\"left\":2}\n");
    site_end(&s);
}

/* Lets in all but "mallory", and gives the scopes that are asked for. */
static int by_header(void *self, struct request *rq, struct caller *out, struct err *e)
{
    (void)self;
    str name = request_header(rq, "X-Name"), may = request_header(rq, "X-May");
    if (str_is(name, "mallory"))
        return err_set(e, TL_E_DENIED, "not you");
    if (str_is(name, "stranger"))
        return err_set(e, TL_E_AUTH, "who are you");
    if (str_is(name, "eager")) {
        err_set(e, TL_E_THROTTLED, "not so often");
        e->retry_after_ms = 1500;
        return TL_E_THROTTLED;
    }
    *out = (struct caller){.kind = CALLER_AGENT,
                           .name = arena_str(&rq->arena, name).p,
                           .scopes = str_is(may, "operate") ? 1u << SCOPE_OPERATOR : 0};
    return TL_OK;
}

static void a_route_is_for_whose_scope_it_is(void **state)
{
    (void)state;
    struct site s;
    AUTO(buf_done) struct buf out = {0};
    site_begin(&s);
    const char *a = ask(&s, &out, "GET /who", "", "");
    has(a, "\"name\": \"uid ");
    has(a, "\"kind\": 1");
    server_stop(s.server);
    s.options.authenticate = by_header;
    assert_int_equal(server_start(&s.server, &s.app, &s.options, NULL), TL_OK);
    a = ask(&s, &out, "GET /who", "X-Name: mallory\r\nX-May: operate\r\n", "");
    has(a, "HTTP/1.1 403");
    has(a, "not you");
    a = ask(&s, &out, "GET /who", "X-Name: stranger\r\n", "");
    has(a, "HTTP/1.1 401");
    has(a, "WWW-Authenticate: Bearer realm=\"tieline\"");
    a = ask(&s, &out, "GET /who", "X-Name: eager\r\n", "");
    has(a, "HTTP/1.1 429");
    has(a, "Retry-After: 2\r\n");
    a = ask(&s, &out, "GET /who", "X-Name: alice\r\n", "");
    has(a, "HTTP/1.1 403");
    has(a, "alice may not do this: who asks");
    a = ask(&s, &out, "GET /who", "X-Name: alice\r\nX-May: operate\r\n", "");
    has(a, "\"name\": \"alice\"");
    has(ask(&s, &out, "GET /nothing", "X-Name: alice\r\n", ""), "HTTP/1.1 404");
    site_end(&s);
}

/* An operator may all; others what they were given, and no scope brings another one along. */
static void scopes_by_name(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", ",", "rea", "read,operat", "READ"};
    struct err e = {0};
    uint32_t set = 0;
    assert_int_equal(scopes_parse(STR("read, metrics"), &set, &e), TL_OK);
    const struct caller reader = {.name = "r", .scopes = set};
    assert_int_equal(caller_check(&reader, SCOPE_READ, "look", &e), TL_OK);
    assert_int_equal(caller_check(&reader, SCOPE_METRICS, "look", &e), TL_OK);
    assert_int_equal(caller_check(&reader, SCOPE_VIEW, "look", &e), TL_E_DENIED);
    assert_int_equal(caller_check(&reader, SCOPE_OPERATOR, "look", &e), TL_E_DENIED);
    json_t *names = scopes_json(set);
    assert_int_equal(json_array_size(names), 2);
    json_decref(names);
    assert_int_equal(scopes_parse(STR("operate"), &set, &e), TL_OK);
    const struct caller boss = {.name = "o", .scopes = set};
    for (int scope = SCOPE_OPERATOR; scope <= SCOPE_ACT; scope++)
        assert_int_equal(caller_check(&boss, (enum scope)scope, "look", &e), TL_OK);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        set = 99;
        assert_int_equal(scopes_parse(str_of(wrong[i]), &set, &e), E_USAGE);
        assert_int_equal(set, 99);
    }
}

static void strangers_are_served_no_routes(void **state)
{
    (void)state;
    struct app app = {.env = &env_real};
    struct server *server = NULL;
    struct err e = {0};
    const struct server_options options = {.address = "127.0.0.1:0", .max_body = 10, .tables = tables};
    assert_int_equal(server_start(&server, &app, &options, &e), TL_E_BUG);
    assert_non_null(strstr(e.text, "where nobody knows who calls"));
    assert_null(server);
}

static void places_that_cannot_be_listened_on(void **state)
{
    (void)state;
    struct err e = {0};
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    assert_int_equal(listen_unix(path, UINT32_MAX, &e), -1);
    assert_int_equal(e.status, TL_E_CONFIG);
    assert_non_null(strstr(e.text, "longer than 107 bytes"));
    err_clear(&e);
    assert_int_equal(listen_tcp("127.0.0.1:notaport", &e), -1);
    assert_int_equal(e.status, TL_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(routes_answer),
                                       cmocka_unit_test(a_change_names_what_it_saw),
                                       cmocka_unit_test(other_forms_of_answers),
                                       cmocka_unit_test(a_route_is_for_whose_scope_it_is),
                                       cmocka_unit_test(scopes_by_name),
                                       cmocka_unit_test(strangers_are_served_no_routes),
                                       cmocka_unit_test(places_that_cannot_be_listened_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
