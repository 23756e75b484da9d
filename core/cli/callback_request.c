#include "callback_request.h"

#include <string.h>

static void say(struct buf *page, const char *status, const char *title, const char *text)
{
    AUTO(buf_done) struct buf body = {0};
    buf_fmt(&body, "<!doctype html><meta charset=utf-8><title>%s</title><h1>%s</h1><p>%s</p>\n", title, title, text);
    buf_fmt(page,
            "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nConnection: close\r\n"
            "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n%s",
            status, body.n, buf_text(&body));
}

static enum callback_verdict refuse(struct buf *page, const char *status, const char *title, const char *text)
{
    say(page, status, title, text);
    return CALLBACK_REFUSED;
}

static bool next_line(str *rest, str *line)
{
    if (!str_split(rest, '\n', line))
        return false;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

/* Exactly one, and ours: a page elsewhere that had its name point here (DNS rebinding) has another. */
static bool host_fits(const struct redirect_uri *at, str headers)
{
    str line;
    int seen = 0;
    bool fits = false;
    while (next_line(&headers, &line) && line.n) {
        const char *colon = memchr(line.p, ':', line.n);
        if (!colon || !str_eq_nocase(str_n(line.p, (size_t)(colon - line.p)), STR("host")))
            continue;
        seen++;
        fits = str_eq_nocase(str_trim(str_n(colon + 1, line.n - (size_t)(colon + 1 - line.p))), str_of(at->authority));
    }
    return seen == 1 && fits;
}

/* "GET /tieline?code=... HTTP/1.1": the query, when everything is as it must be; else page says why not. */
static bool read_request(const struct redirect_uri *at, str head, struct buf *page, str *query)
{
    str line, method, target;
    if (!next_line(&head, &line) || !str_split(&line, ' ', &method) || !str_split(&line, ' ', &target) ||
        !str_starts(line, STR("HTTP/1.")) || !target.n) {
        refuse(page, "400 Bad Request", "Not understood", "This is no request.");
        return false;
    }
    const char *mark = memchr(target.p, '?', target.n);
    str path = mark ? str_n(target.p, (size_t)(mark - target.p)) : target;
    if (!host_fits(at, head))
        refuse(page, "421 Misdirected Request", "Wrong address", "Nobody is served under this name.");
    else if (!str_is(path, at->path) || !mark)
        refuse(page, "404 Not Found", "Nothing here", "A sign-in is waited for at another address.");
    else if (!str_is(method, "GET"))
        refuse(page, "405 Method Not Allowed", "Not understood", "A browser comes with GET.");
    else {
        *query = str_n(mark + 1, target.n - (size_t)(mark + 1 - target.p));
        return true;
    }
    return false;
}

static bool has_ended(str head)
{
    return memmem(head.p, head.n, "\r\n\r\n", 4) || memmem(head.p, head.n, "\n\n", 2);
}

enum callback_verdict callback_judge(const struct callback_wish *wish, str head, bool full, struct buf *page,
                                     struct buf *address)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf came = {.max = REDIRECT_MAX};
    struct redirect r;
    str query;
    if (full)
        return refuse(page, "431 Request Header Fields Too Large", "Too long", "This is no answer of a sign-in.");
    if (!has_ended(head))
        return CALLBACK_MORE;
    if (!read_request(wish->at, head, page, &query))
        return CALLBACK_REFUSED;
    buf_fmt(&came, "%s?%.*s", wish->uri, STR_FMT(query));
    if (came.full || redirect_read(&r, &arena, buf_lent(&came), NULL) || !str_is(r.state, wish->state))
        return refuse(page, "400 Bad Request", "Not this sign-in",
                      "This is not the answer of the sign-in that waits here. Use the address that was printed last.");
    say(page, "200 OK", "Back to the terminal",
        "tieline has the vendor's answer and goes on there. This page can be closed.");
    buf_clear(address);
    buf_str(address, buf_lent(&came));
    return CALLBACK_OURS;
}
