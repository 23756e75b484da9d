/* What hardware and SQLite allow: a bulk sync without a JSON tree. One scan finds the 12 wanted top-level members of
   each record as raw slices, which are copied into the outgoing batch as they stand; look-ups share the read
   transaction; one commit per TXPAGES pages. The scanner trusts its input: a measure, not a parser. usage: floor_fast
   BASEURL TOTAL PAGE SYNC DBPATH [TXPAGES=1] [NOFIND] */
#include "floor.h"
typedef struct {
    const char *p;
    size_t n;
} sl;
static inline const char *str_end(const char *p) /* p after the opening quote; returns the closing quote */
{
    for (;;) {
        const char *q = memchr(p, '"', 1 << 20);
        const char *b = q;
        while (b[-1] == '\\')
            b--;
        if (((q - b) & 1) == 0)
            return q;
        p = q + 1;
    }
}
static inline const char *val_end(const char *p)
{
    if (*p == '"')
        return str_end(p + 1) + 1;
    if (*p == '{' || *p == '[') {
        int d = 0;
        for (;; p++) {
            if (*p == '"')
                p = str_end(p + 1);
            else if (*p == '{' || *p == '[')
                d++;
            else if ((*p == '}' || *p == ']') && !--d)
                return p + 1;
        }
    }
    while (*p != ',' && *p != '}' && *p != ']')
        p++;
    return p;
}
static size_t wl[12], nl[12];
static const char *record(const char *p, sl *v) /* p at '{'; returns after '}' */
{
    int hint = 0;
    memset(v, 0, sizeof(sl) * 12);
    p++;
    while (*p != '}') {
        const char *k = p + 1, *ke = str_end(k), *s = ke + 2, *e = val_end(s);
        for (int t = 0; t < 12; t++) {
            int i = hint + t < 12 ? hint + t : hint + t - 12;
            if ((size_t)(ke - k) == wl[i] && !memcmp(k, want[i], wl[i])) {
                v[i].p = s;
                v[i].n = (size_t)(e - s);
                hint = i + 1 < 12 ? i + 1 : 0;
                break;
            }
        }
        p = *e == ',' ? e + 1 : e;
    }
    return p + 1;
}
int main(int argc, char **argv)
{
    if (argc < 6 || (!strstr(argv[1], "://127.0.0.1") && strcmp(argv[1], "offline")))
        return 2;
    offline = argv[1][0] == 'o';
    if (offline)
        json_object_seed(1);
    uint64_t total = strtoull(argv[2], NULL, 10), page = strtoull(argv[3], NULL, 10);
    uint64_t txp = argc > 6 ? strtoull(argv[6], NULL, 10) : 1, np = 0;
    int nofind = argc > 7;
    curl_global_init(CURL_GLOBAL_ALL);
    db_open(argv[5], argv[4], 1);
    mem in = {0}, out = {0};
    CURL *src = client(&in), *dst = client(&out);
    curl_easy_setopt(dst, CURLOPT_HTTPHEADER, jhdr);
    for (int i = 0; i < 12; i++) {
        wl[i] = strlen(want[i]);
        nl[i] = strlen(name[i]);
    }
    uint64_t st[6] = {0}, c0 = cpu_ns(), t0 = now_ns(), recs = 0;
    char *body = malloc(page * 2048 + 64);
    int intx = 0;
    for (uint64_t from = 0; from < total; from += page) {
        char url[256];
        uint64_t a = now_ns(), b;
        in.n = 0;
        snprintf(url, sizeof url, "%s/page?from=%llu", argv[1], (unsigned long long)from);
        curl_easy_setopt(src, CURLOPT_URL, url);
        if (get_page(src, &in, from, (unsigned)page))
            return 1;
        in.p[in.n] = 0;
        b = now_ns();
        st[0] += b - a;
        a = b;
        uint64_t fps[200];
        char ids[200][24], rids[200][24];
        size_t m = 0, o = 0;
        const char *p = memchr(in.p, '[', in.n) + 1;
        body[o++] = '[';
        if (!intx) {
            go(q_begin);
            intx = 1;
        }
        while (*p == '{' && m < 200) {
            sl v[12];
            p = record(p, v);
            if (*p == ',')
                p++;
            size_t s = o;
            body[o++] = '{';
            for (int i = 0; i < 12; i++) {
                if (!v[i].n)
                    continue;
                body[o++] = '"';
                memcpy(body + o, name[i], nl[i]);
                o += nl[i];
                body[o++] = '"';
                body[o++] = ':';
                memcpy(body + o, v[i].p, v[i].n);
                o += v[i].n;
                body[o++] = ',';
            }
            body[o - 1] = '}';
            fps[m] = XXH3_64bits(body + s, o - s) >> 1;
            memcpy(ids[m], v[0].p + 1, v[0].n - 2);
            ids[m][v[0].n - 2] = 0;
            m++;
            body[o++] = ',';
        }
        body[o - 1] = ']';
        b = now_ns();
        st[1] += b - a;
        a = b;
        if (!nofind)
            for (size_t i = 0; i < m; i++) {
                uint64_t old;
                char r[32];
                if (db_find(ids[i], (int)strlen(ids[i]), &old, r))
                    return 3;
            }
        b = now_ns();
        st[2] += b - a;
        a = b;
        snprintf(url, sizeof url, "%s/batch?n=%zu", argv[1], m);
        curl_easy_setopt(dst, CURLOPT_URL, url);
        curl_easy_setopt(dst, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(dst, CURLOPT_POSTFIELDSIZE, (long)o);
        out.n = 0;
        if (post_batch(dst, &out, (unsigned)m))
            return 1;
        out.p[out.n] = 0;
        b = now_ns();
        st[3] += b - a;
        a = b;
        const char *q = out.p;
        for (size_t i = 0; i < m; i++) {
            q = strstr(q, "\"id\":\"") + 6;
            const char *e = str_end(q);
            memcpy(rids[i], q, (size_t)(e - q));
            rids[i][e - q] = 0;
            q = e;
        }
        b = now_ns();
        st[4] += b - a;
        a = b;
        for (size_t i = 0; i < m; i++)
            db_done(ids[i], rids[i], fps[i], 1763750000, 1);
        if (++np % txp == 0) {
            go(q_commit);
            intx = 0;
        }
        recs += m;
        b = now_ns();
        st[5] += b - a;
    }
    if (intx)
        go(q_commit);
    uint64_t dt = now_ns() - t0, dc = cpu_ns() - c0;
    printf("fast bulk total=%llu sync=%s pages/txn=%llu%s: %.0f rec/s  wall %.2f us/rec  client cpu %.2f us/rec  "
           "pushed=%llu peak rss %ld KB\n",
           (unsigned long long)total, argv[4], (unsigned long long)txp, nofind ? " no find" : "", recs * 1e9 / dt,
           dt / 1e3 / recs, dc / 1e3 / recs, (unsigned long long)recs, rss_kb());
    const char *nm[6] = {"GET pages",    "scan+map+fingerprint", "find mapping",
                         "POST batches", "scan answers",         "store mapping+history"};
    for (int i = 0; i < 6; i++)
        printf("   %-24s %.2f us/rec (%.0f%%)\n", nm[i], st[i] / 1e3 / recs, 100.0 * st[i] / dt);
    return 0;
}
