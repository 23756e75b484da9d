#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "str.h"
#include "unicode.h"

/* Makes text fit for one line: control characters become blanks, bytes that are not UTF-8 "?", and a character cut in
 * half by the size of the array goes. */
static void make_line(char *z)
{
    size_t n = strlen(z), i = 0;
    while (i < n) {
        unsigned char c = (unsigned char)z[i];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (c < 0x20 || c == 0x7f) {
            z[i] = ' ';
        } else if (i + len > n && c >= 0xc2) {
            z[i] = 0;
            return;
        } else if (len > 1 && !utf8_valid(str_n(z + i, len))) {
            z[i] = '?';
            len = 1;
        }
        i += len;
    }
}

static void put(char *to, size_t cap, const char *fmt, va_list ap)
{
    vsnprintf(to, cap, fmt, ap);
    make_line(to);
}

static void copy(char *to, size_t cap, const char *from)
{
    size_t n = strnlen(from, cap - 1);
    memmove(to, from, n);
    to[n] = 0;
    make_line(to);
}

int err_setv(struct err *e, int status, const char *fmt, va_list ap)
{
    ASSERT(status != TL_OK);
    if (!e)
        return status;
    char text[sizeof e->text]; /* an argument may be a member of e */
    put(text, sizeof text, fmt, ap);
    err_clear(e);
    e->status = status;
    memcpy(e->text, text, sizeof text);
    return status;
}

int err_set(struct err *e, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_setv(e, status, fmt, ap);
    va_end(ap);
    return status;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    if (!e || e->status == TL_OK)
        return TL_E_BUG;
    char text[sizeof e->text + 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", e->text);
    copy(e->text, sizeof e->text, text);
    return e->status;
}

void err_hint(struct err *e, const char *fmt, ...)
{
    if (!e)
        return;
    va_list ap;
    va_start(ap, fmt);
    put(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
}

void err_detail(struct err *e, const char *fmt, ...)
{
    if (!e)
        return;
    va_list ap;
    va_start(ap, fmt);
    put(e->detail, sizeof e->detail, fmt, ap);
    va_end(ap);
}

void err_code(struct err *e, const char *code)
{
    if (e)
        copy(e->code, sizeof e->code, code);
}

static int status_of_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return TL_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case ELOOP:
        return TL_E_DENIED;
    case EEXIST:
    case EADDRINUSE:
        return E_EXISTS;
    case EBUSY:
    case ETXTBSY:
        return E_BUSY;
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EROFS:
    case EFBIG:
        return E_STORAGE;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
        return TL_E_INVALID;
    case EBADF:
    case EFAULT:
        return TL_E_BUG;
    default:
        return TL_E_TEMPORARY;
    }
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int code = errno;
    int status = status_of_errno(code);
    char reason[128];
    va_list ap;
    va_start(ap, fmt);
    err_setv(e, status, fmt, ap);
    va_end(ap);
    if (e) {
        size_t n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n, ": %s", strerror_r(code, reason, sizeof reason));
    }
    errno = code;
    return status;
}

void err_clear(struct err *e)
{
    if (e)
        memset(e, 0, sizeof *e);
}

/* `to` is at least as large as `from`. */
static void take_text(char *to, const char *from, size_t cap)
{
    memcpy(to, from, cap);
    to[cap - 1] = 0;
    make_line(to);
}

void err_from_tl(struct err *e, int status, const tl_error *from)
{
    if (!e)
        return;
    err_clear(e);
    e->status = status;
    e->scope = from->scope;
    e->reason = from->reason;
    e->http_status = from->http_status;
    e->retry_after_ms = from->retry_after_ms;
    /* The other side may have left an array without its NUL. */
    take_text(e->code, from->code, sizeof from->code);
    take_text(e->field, from->field, sizeof from->field);
    take_text(e->text, from->text, sizeof from->text);
    take_text(e->detail, from->detail, sizeof from->detail);
    if (!e->text[0])
        copy(e->text, sizeof e->text, status_name(status));
}

void err_to_tl(const struct err *e, tl_error *to)
{
    if (!to)
        return;
    uint32_t size = to->struct_size;
    memset(to, 0, sizeof *to);
    to->struct_size = size;
    if (!e)
        return;
    to->scope = e->scope;
    to->reason = e->reason;
    to->http_status = e->http_status;
    to->retry_after_ms = e->retry_after_ms;
    copy(to->code, sizeof to->code, e->code);
    copy(to->field, sizeof to->field, e->field);
    copy(to->text, sizeof to->text, e->text);
    copy(to->detail, sizeof to->detail, e->detail);
}

const char *status_name(int status)
{
    static const char *const names[] = {
        [TL_OK] = "ok",
        [TL_E_CONFIG] = "config",
        [TL_E_AUTH] = "auth",
        [TL_E_DENIED] = "denied",
        [TL_E_NOT_FOUND] = "not found",
        [TL_E_CONFLICT] = "conflict",
        [TL_E_INVALID] = "invalid",
        [TL_E_THROTTLED] = "throttled",
        [TL_E_TEMPORARY] = "temporary",
        [TL_E_CURSOR_LOST] = "cursor lost",
        [TL_E_UNSUPPORTED] = "unsupported",
        [TL_E_CANCELLED] = "cancelled",
        [TL_E_BUG] = "bug",
        [TL_E_UNKNOWN] = "unknown",
        [TL_E_QUOTA] = "quota",
        [E_STORAGE] = "storage",
        [E_USAGE] = "usage",
        [E_EXISTS] = "exists",
        [E_BUSY] = "busy",
        [E_END] = "end",
        [E_PRECONDITION] = "precondition",
    };
    if (status < 0 || (size_t)status >= ARRAY_LEN(names) || !names[status])
        return "unknown status";
    return names[status];
}
