/* What anybody on this machine, and every web page in its browser, may send to the listener of a sign-in. Only a GET of
 * the registered address under its host with the state of this sign-in is taken, however its bytes come in pieces; and
 * nothing of a request stands in an answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "callback_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define REQUIRE(cond)                                                                                                  \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

static const char uri[] = "http://localhost:8447/tieline";
#define STATE "s7Xq0f3kZ9"

static enum callback_verdict judge(str head, struct buf *page, struct buf *address)
{
    static struct redirect_uri at;
    if (!at.port)
        REQUIRE(redirect_uri_read(&at, uri, NULL) == TL_OK);
    const struct callback_wish wish = {.uri = uri, .at = &at, .state = STATE};
    bool full = head.n > CALLBACK_HEAD_MAX;
    return callback_judge(&wish, full ? str_n(head.p, CALLBACK_HEAD_MAX) : head, full, page, address);
}

/* The few whole answers there are: nobody can put a word of his own into one. */
static void page_is_ours(str page)
{
    static const char *const ends[] = {
        "<p>This is no answer of a sign-in.</p>\n",
        "<p>This is no request.</p>\n",
        "<p>Nobody is served under this name.</p>\n",
        "<p>A sign-in is waited for at another address.</p>\n",
        "<p>A browser comes with GET.</p>\n",
        "<p>This is not the answer of the sign-in that waits here. Use the address that was printed last.</p>\n",
        "<p>tieline has the vendor's answer and goes on there. This page can be closed.</p>\n"};
    size_t known = 0;
    REQUIRE(str_starts(page, STR("HTTP/1.1 ")) && page.n < 700);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        known += str_ends(page, str_of(ends[i]));
    REQUIRE(known == 1);
}

/* By the plainest reading: what was taken begins so, and has the host and the state. */
static void answer_is_ours(str head, str address)
{
    static const char begin[] = "GET /tieline?";
    AUTO(arena_done) struct arena arena = {0};
    struct redirect r;
    REQUIRE(str_starts(head, str_of(begin)));
    const char *end = memchr(head.p + sizeof begin - 1, ' ', head.n - (sizeof begin - 1));
    REQUIRE(end != NULL);
    str query = str_n(head.p + sizeof begin - 1, (size_t)(end - head.p) - (sizeof begin - 1));
    REQUIRE(address.n == sizeof uri - 1 + 1 + query.n && str_starts(address, str_of(uri)));
    REQUIRE(str_ends(address, query) && address.n <= REDIRECT_MAX);
    REQUIRE(redirect_read(&r, &arena, address, NULL) == TL_OK && str_is(r.state, STATE) && (r.code.n || r.error.n));
}

/* That there is something which is taken; else all the rest would hold of a listener that takes nothing. */
static void takes_the_right_one(void)
{
    AUTO(buf_done) struct buf page = {0}, address = {0};
    str head = STR("GET /tieline?code=1&state=" STATE " HTTP/1.1\r\nHost: localhost:8447\r\n\r\n");
    REQUIRE(judge(head, &page, &address) == CALLBACK_OURS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    takes_the_right_one();
    AUTO(buf_done) struct buf page = {0}, address = {0};
    str head = str_n(data, n);
    enum callback_verdict verdict = judge(head, &page, &address);
    REQUIRE((verdict == CALLBACK_MORE) == (page.n == 0));
    REQUIRE((verdict == CALLBACK_OURS) == (address.n > 0));
    if (verdict != CALLBACK_MORE)
        page_is_ours(buf_lent(&page));
    if (verdict == CALLBACK_OURS)
        answer_is_ours(head, buf_lent(&address));
    /* Piece by piece: waited for until the head has ended, and then one verdict. */
    for (size_t i = 0; i < n && n < 512; i++) {
        AUTO(buf_done) struct buf part = {0}, early = {0};
        if (judge(str_n(data, i), &part, &early) == CALLBACK_MORE)
            continue;
        REQUIRE(part.n > 0 && verdict != CALLBACK_MORE);
        break;
    }
    return 0;
}
