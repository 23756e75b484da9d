/* The allow-list of an endpoint, and the strict reading of URLs. Hosts are read by libcurl's own URL parser, the one
 * that will be used for the transfer, so both agree on what the host is. */
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"

struct place { /* one entry: a declared pattern or an operator's URL */
    struct place *next;
    bool declared, https;
    bool pending; /* nobody has accepted it */
    long port;
    char host[256]; /* lower case; declared: may begin with "*." */
};

struct http_allow {
    atomic_uint refs;
    bool development;
    struct place *places;
};

struct http_allow *http_allow_new(bool development)
{
    struct http_allow *a = calloc(1, sizeof *a);
    ASSERT(a);
    a->refs = 1;
    a->development = development;
    return a;
}

struct http_allow *http_allow_keep(struct http_allow *a)
{
    if (a)
        atomic_fetch_add(&a->refs, 1);
    return a;
}

struct http_allow *http_allow_free(struct http_allow *a)
{
    if (!a || atomic_fetch_sub(&a->refs, 1) > 1)
        return NULL;
    while (a->places) {
        struct place *p = a->places;
        a->places = p->next;
        free(p);
    }
    free(a);
    return NULL;
}

static void add_place(struct http_allow *a, const struct place *from)
{
    struct place *p = malloc(sizeof *p);
    ASSERT(p);
    *p = *from;
    p->next = a->places;
    a->places = p;
}

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* A name of letters with at least `dots` dots, neither at the ends nor doubled; the last label is no number. */
static bool is_host_name(str h, int dots)
{
    int seen = 0;
    for (size_t i = 0; i < h.n; i++) {
        if (!host_char(h.p[i]))
            return false;
        if (h.p[i] != '.')
            continue;
        if (i == 0 || i + 1 == h.n || h.p[i + 1] == '.')
            return false;
        seen++;
    }
    return h.n > 0 && seen >= dots && !(h.p[h.n - 1] >= '0' && h.p[h.n - 1] <= '9');
}

static int add_hosts(struct http_allow *a, str patterns, bool pending, struct err *e)
{
    str word;
    while (str_split(&patterns, ',', &word)) {
        word = str_trim(word);
        if (!word.n)
            continue;
        struct place p = {.declared = true, .https = true, .port = 443, .pending = pending};
        if (word.n >= sizeof p.host)
            return err_set(e, TL_E_CONFIG, "host pattern of %zu characters is too long", (size_t)word.n);
        for (size_t i = 0; i < word.n; i++)
            p.host[i] = lower(word.p[i]);
        str name = str_of(p.host);
        bool wild = str_starts(name, STR("*."));
        if (wild)
            name = str_n(name.p + 2, name.n - 2);
        if (!is_host_name(name, 1))
            return err_set(e, TL_E_CONFIG, "host pattern \"%s\" is not usable: a name or \"*.name.tld\"", p.host);
        add_place(a, &p);
    }
    return TL_OK;
}

int http_allow_hosts(struct http_allow *a, str patterns, struct err *e)
{
    return add_hosts(a, patterns, false, e);
}

int http_allow_pending(struct http_allow *a, str patterns, struct err *e)
{
    return add_hosts(a, patterns, true, e);
}

/* "*.b.com" covers itself and whatever ends in ".b.com". */
static bool covers(str wide, str narrow)
{
    if (str_eq_nocase(wide, narrow))
        return true;
    if (!str_starts(wide, STR("*.")) || narrow.n < wide.n)
        return false;
    str suffix = str_n(wide.p + 1, wide.n - 1);
    return str_eq_nocase(str_n(narrow.p + narrow.n - suffix.n, suffix.n), suffix);
}

static bool any_covers(str list, str host)
{
    str word;
    while (str_split(&list, ',', &word))
        if (covers(str_trim(word), host))
            return true;
    return false;
}

static void list_add(struct buf *out, str word)
{
    if (out && word.n && !any_covers(buf_lent(out), word))
        buf_fmt(out, "%s%.*s", out->n ? "," : "", STR_FMT(word));
}

void http_hosts_sort(str declared, str accepted, struct buf *accepted_out, struct buf *pending_out)
{
    str rest = declared, word;
    while (str_split(&rest, ',', &word)) {
        word = str_trim(word);
        list_add(any_covers(accepted, word) ? accepted_out : pending_out, word);
    }
    rest = accepted;
    while (str_split(&rest, ',', &word))
        if (any_covers(declared, str_trim(word)))
            list_add(accepted_out, str_trim(word));
}

static bool is_loopback_name(const char *host)
{
    struct sockaddr_storage sa;
    return strcmp(host, "localhost") == 0 ||
           (address_from_text(host, &sa) && address_is_loopback((const struct sockaddr *)(const void *)&sa));
}

static int url_part(CURLU *u, CURLUPart part, unsigned flags, char **out)
{
    *out = NULL;
    CURLUcode rc = curl_url_get(u, part, out, flags);
    return rc == CURLUE_OK ? 1 : 0;
}

AUTO_FN(char *, curl_free)
AUTO_FN(CURLU *, curl_url_cleanup)

static bool url_chars_ok(str url)
{
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>' || c == '#')
            return false;
    }
    return url.n > 0 && url.n < 64 * 1024;
}

/* An IPv6 literal comes with brackets. */
static int host_text(const char *from, char *out, size_t cap, bool *literal)
{
    size_t n = strlen(from);
    *literal = false;
    if (n > 2 && from[0] == '[' && from[n - 1] == ']') {
        from++;
        n -= 2;
        *literal = true;
    }
    if (n == 0 || n >= cap)
        return 0;
    for (size_t i = 0; i < n; i++)
        out[i] = lower(from[i]);
    out[n] = '\0';
    return 1;
}

/* The host must stand in the text as it was read ("127.1" is not): no other reader can then see another one. */
static bool host_is_plain(str rest, const struct url_place *p, bool bracketed)
{
    size_t n = strlen(p->host), at = bracketed ? 1 : 0, end = n + 2 * at;
    if (rest.n < end || !str_eq_nocase(str_n(rest.p + at, n), str_n(p->host, n)))
        return false;
    return (!bracketed || (rest.p[0] == '[' && rest.p[end - 1] == ']')) &&
           (rest.n == end || strchr("/?:", rest.p[end]));
}

static int url_read(str url, struct url_place *out, struct err *e)
{
    if (!url_chars_ok(url))
        return err_set(e, TL_E_DENIED, "address is not a plain URL (blank, control or foreign character, or fragment)");
    bool https = str_starts(url, STR("https://"));
    if (!https && !str_starts(url, STR("http://")))
        return err_set(e, TL_E_DENIED, "address does not begin with \"https://\"");
    AUTO(text_free) char *z = str_dup(url);
    AUTO(curl_url_cleanup) CURLU *u = curl_url();
    ASSERT(u);
    if (curl_url_set(u, CURLUPART_URL, z, CURLU_DISALLOW_USER) != CURLUE_OK)
        return err_set(e, TL_E_DENIED, "address is not a URL, or names a user");
    AUTO(curl_free) char *host = NULL;
    AUTO(curl_free) char *port = NULL;
    struct url_place p = {.https = https};
    struct sockaddr_storage sa;
    bool bracketed = false;
    if (!url_part(u, CURLUPART_HOST, 0, &host) || !host_text(host, p.host, sizeof p.host, &bracketed) ||
        (!bracketed && !is_host_name(str_of(p.host), 0) && !address_from_text(p.host, &sa)) ||
        (bracketed && !address_from_text(p.host, &sa)))
        return err_set(e, TL_E_DENIED, "the host of the address is not a plain name");
    if (!host_is_plain(str_n(url.p + (https ? 8 : 7), url.n - (https ? 8 : 7)), &p, bracketed))
        return err_set(e, TL_E_DENIED, "the host of the address is not written plainly");
    if (!url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port))
        return err_set(e, TL_E_DENIED, "the port of the address is not a number");
    p.port = strtol(port, NULL, 10);
    *out = p;
    return TL_OK;
}

int http_allow_url(struct http_allow *a, str url, struct err *e)
{
    if (!url.n)
        return TL_OK;
    struct url_place u;
    struct err why = {0};
    if (url_read(url, &u, &why))
        return err_set(e, TL_E_CONFIG, "\"%.*s\": %s", STR_FMT(url), why.text);
    if (!u.https && !(a->development && is_loopback_name(u.host))) {
        err_set(e, TL_E_CONFIG, "\"%.*s\" is not https", STR_FMT(url));
        err_hint(e, "plain http is allowed only to a loopback host and only with [core] development = yes");
        return TL_E_CONFIG;
    }
    struct place p = {.https = u.https, .port = u.port};
    memcpy(p.host, u.host, sizeof p.host);
    add_place(a, &p);
    return TL_OK;
}

static bool place_matches(const struct place *p, const struct url_place *u)
{
    if (p->https != u->https || p->port != u->port)
        return false;
    if (!p->declared || p->host[0] != '*')
        return strcmp(p->host, u->host) == 0;
    str host = str_of(u->host), suffix = str_of(p->host + 1); /* ".my.example.com" */
    return host.n > suffix.n && str_ends(host, suffix) && is_host_name(host, 2);
}

int http_allow_find(const struct http_allow *a, str url, struct url_place *place, enum http_target *out, struct err *e)
{
    struct url_place u;
    int rc = url_read(url, &u, e);
    if (rc)
        return rc;
    const struct place *found = NULL;
    for (const struct place *p = a ? a->places : NULL; p; p = p->next) {
        if (place_matches(p, &u) && (!found || found->pending || (found->declared && !p->pending)))
            found = p;
    }
    if (!found) {
        err_set(e, TL_E_DENIED, "\"%s\" port %ld is not an address this connector may reach", u.host, u.port);
        err_hint(e, "the connector declares its hosts; other ones must be named by an option of the endpoint");
        return TL_E_DENIED;
    }
    if (found->pending) {
        err_set(e, TL_E_DENIED, "\"%s\" is declared by this connector, but nobody has accepted it yet", u.host);
        err_hint(e, "\"tieline connector load NAME -y\" accepts what it declares, or \"hosts.NAME\" in [connectors]");
        return TL_E_DENIED;
    }
    *place = u;
    *out = found->declared ? HTTP_TARGET_DECLARED : u.https ? HTTP_TARGET_OPERATOR : HTTP_TARGET_LOOPBACK;
    return TL_OK;
}

int http_allow_check(const struct http_allow *a, str url, enum http_target *out, struct err *e)
{
    struct url_place u;
    enum http_target target;
    int rc = http_allow_find(a, url, &u, &target, e);
    if (rc == TL_OK && out)
        *out = target;
    return rc;
}
