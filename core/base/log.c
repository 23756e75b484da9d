#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "env.h"
#include "times.h"

/* The sink is the process's stderr, so its settings are the process's too. */
static _Atomic int min_level = LOG_INFO;
static _Atomic int line_format = LOG_TEXT;

enum { SECRET_LEAST_BYTES = 6, LINE_MAX_BYTES = 16384 };

struct secret {
    struct secret *next; /* of the same first byte; longer ones first */
    size_t n;
    char bytes[];
};

static struct {
    pthread_rwlock_t lock; /* guards by_first */
    struct secret *by_first[256];
} secrets = {.lock = PTHREAD_RWLOCK_INITIALIZER};

void log_setup(enum log_level min, enum log_format format)
{
    atomic_store(&min_level, (int)min);
    atomic_store(&line_format, (int)format);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

static void secret_keep(str s)
{
    if (s.n < SECRET_LEAST_BYTES)
        return;
    struct secret **at = &secrets.by_first[(unsigned char)s.p[0]];
    while (*at && ((*at)->n > s.n || ((*at)->n == s.n && memcmp((*at)->bytes, s.p, s.n) != 0)))
        at = &(*at)->next;
    if (*at && (*at)->n == s.n)
        return;
    struct secret *one = malloc(sizeof *one + s.n);
    ASSERT(one);
    one->n = s.n;
    memcpy(one->bytes, s.p, s.n);
    one->next = *at;
    *at = one;
}

static void secret_drop(str s)
{
    if (s.n < SECRET_LEAST_BYTES)
        return;
    struct secret **at = &secrets.by_first[(unsigned char)s.p[0]];
    while (*at && !str_eq(str_n((*at)->bytes, (*at)->n), s))
        at = &(*at)->next;
    if (*at) {
        struct secret *one = *at;
        *at = one->next;
        sodium_memzero(one->bytes, one->n);
        free(one);
    }
}

/* What base64 makes of the secret wherever it stands in a longer text: the characters that it alone decides, for each
 * of the three places it may begin at (RFC 4648, section 4 and the alphabet of section 5). */
static void each_base64(str secret, void (*apply)(str form))
{
    static const int alphabets[] = {sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                    sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    for (size_t before = 0; before < 3; before++) {
        size_t n = before + secret.n, cap = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
        unsigned char *plain = calloc(1, n);
        char *text = calloc(1, cap);
        ASSERT(plain && text);
        memcpy(plain + before, secret.p, secret.n);
        size_t from = (before * 8 + 5) / 6, to = n * 8 / 6;
        for (size_t i = 0; i < ARRAY_LEN(alphabets); i++) {
            sodium_bin2base64(text, cap, plain, n, alphabets[i]);
            apply(str_n(text + from, to - from));
        }
        sodium_memzero(plain, n);
        sodium_memzero(text, cap);
        free(plain);
        free(text);
    }
}

/* A secret shows up as it is, in base64, percent-encoded in a form, or line by line (a PEM key). */
static void each_form(str secret, void (*apply)(str form))
{
    struct buf encoded = {0};
    buf_url(&encoded, secret);
    pthread_rwlock_wrlock(&secrets.lock);
    apply(secret);
    apply(buf_lent(&encoded));
    each_base64(secret, apply);
    for (str rest = secret, line; str_split(&rest, '\n', &line);) {
        if (!str_starts(line, STR("-----")))
            apply(str_trim(line));
    }
    pthread_rwlock_unlock(&secrets.lock);
    if (encoded.p)
        sodium_memzero(encoded.p, encoded.cap);
    buf_done(&encoded);
}

void log_secret_add(str secret)
{
    if (secret.n >= SECRET_LEAST_BYTES)
        each_form(secret, secret_keep);
}

void log_secret_forget(str secret)
{
    if (secret.n >= SECRET_LEAST_BYTES)
        each_form(secret, secret_drop);
}

static size_t secret_at(str s)
{
    for (const struct secret *one = secrets.by_first[(unsigned char)s.p[0]]; one; one = one->next) {
        if (one->n <= s.n && memcmp(one->bytes, s.p, one->n) == 0)
            return one->n;
    }
    return 0;
}

void redact(struct buf *out, str text)
{
    pthread_rwlock_rdlock(&secrets.lock);
    size_t from = 0, i = 0;
    while (i < text.n) {
        size_t n = secret_at(str_n(text.p + i, text.n - i));
        if (n == 0) {
            i++;
            continue;
        }
        buf_add(out, text.p + from, i - from);
        buf_text_add(out, "[secret]");
        from = i += n;
    }
    buf_add(out, text.p + from, text.n - from);
    pthread_rwlock_unlock(&secrets.lock);
}

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const int level_priority[] = {7, 6, 4, 3}; /* syslog's */

/* Quotes as JSON does, for both formats. */
static void add_quoted(struct buf *b, str s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_fmt(b, "\\u%04x", c);
        else
            buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

static void add_plain(struct buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        buf_char(b, c < 0x20 || c == 0x7f ? ' ' : s.p[i]);
    }
}

static void add_member(struct buf *line, bool json, str key, str value)
{
    if (value.n == 0)
        return;
    if (json) {
        buf_char(line, ',');
        add_quoted(line, key);
        buf_char(line, ':');
    } else {
        buf_char(line, ' ');
        buf_str(line, key);
        buf_char(line, '=');
    }
    add_quoted(line, value);
}

static bool is_word(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == 0x7f)
            return false;
    return true;
}

static void add_named(struct buf *line, bool json, str key, str value)
{
    if (json || !is_word(value)) {
        add_member(line, json, key, value);
    } else if (value.n) {
        buf_char(line, ' ');
        buf_str(line, key);
        buf_char(line, '=');
        buf_str(line, value);
    }
}

/* Up to the quote that closes it; *rest goes on behind that. */
static void unquote(str *rest, struct buf *out)
{
    size_t i = 1;
    for (; i < rest->n && rest->p[i] != '"'; i++) {
        i += rest->p[i] == '\\' && i + 1 < rest->n;
        buf_char(out, rest->p[i]);
    }
    i += i < rest->n;
    *rest = str_n(rest->p + i, rest->n - i);
}

/* ctx: 'endpoint=sf who="uid 0 (root)"', or the name of a part of the program. */
static void add_ctx(struct buf *line, bool json, str ctx)
{
    if (!memchr(ctx.p ? ctx.p : "", '=', ctx.n)) {
        add_named(line, json, STR("part"), ctx);
        return;
    }
    while (ctx.n) {
        str key = {0}, value = {0};
        AUTO(buf_done) struct buf plain = {0};
        if (ctx.p[0] == ' ') {
            ctx = str_n(ctx.p + 1, ctx.n - 1);
            continue;
        }
        str_split(&ctx, '=', &key);
        if (ctx.n && ctx.p[0] == '"')
            unquote(&ctx, &plain);
        else if (str_split(&ctx, ' ', &value))
            buf_str(&plain, value);
        add_named(line, json, key, buf_lent(&plain));
    }
}

void log_member(struct buf *ctx, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_fmt(ctx, "%s%s=\"", ctx->n ? " " : "", key);
    for (; *value; value++)
        buf_fmt(ctx, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    buf_char(ctx, '"');
}

static void put_line(const struct buf *line)
{
    const char *p = line->p;
    for (size_t left = line->n; left;) {
        ssize_t n = write(STDERR_FILENO, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere to complain */
        p += n;
        left -= (size_t)n;
    }
}

static void clean(struct buf *out, const char *z)
{
    out->max = LINE_MAX_BYTES;
    if (z)
        redact(out, str_of(z));
}

static void emit(enum log_level level, const char *ctx, const char *text, const struct err *e)
{
    AUTO(buf_done) struct buf said = {0}, where = {0}, detail = {0}, hint = {0}, line = {.max = 8 * LINE_MAX_BYTES};
    clean(&said, text);
    clean(&where, ctx);
    clean(&detail, e ? e->detail : NULL);
    clean(&hint, e ? e->hint : NULL);

    enum log_format format = (enum log_format)atomic_load(&line_format);
    bool json = format == LOG_JSON;
    char time[32];
    time_text(time, env_now_us(&env_real));
    if (json) {
        buf_fmt(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"text\":", time, level_names[level]);
        add_quoted(&line, buf_lent(&said));
    } else {
        if (format == LOG_JOURNAL)
            buf_fmt(&line, "<%d>", level_priority[level]);
        else
            buf_fmt(&line, "%s %s ", time, level_names[level]);
        add_plain(&line, buf_lent(&said));
    }
    add_ctx(&line, json, buf_lent(&where));
    if (e) {
        add_member(&line, json, STR("code"), str_of(e->code));
        add_member(&line, json, STR("detail"), buf_lent(&detail));
        add_member(&line, json, STR("hint"), buf_lent(&hint));
    }
    buf_text_add(&line, json ? "}\n" : "\n");
    put_line(&line);
}

void log_line(enum log_level level, const char *ctx, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    AUTO(buf_done) struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&text, fmt, ap);
    va_end(ap);
    emit(level, ctx, buf_text(&text), NULL);
}

void log_err(enum log_level level, const char *ctx, const struct err *e)
{
    if (log_enabled(level))
        emit(level, ctx, e->text, e);
}
