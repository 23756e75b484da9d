#ifndef ADDRESS_H
#define ADDRESS_H
/* Where outbound requests may go. Pure: no lookups, no sockets. Two checks, both needed: the URL against the allow-list
 * before anything happens, and the address at connect time, so that a name that resolves to an inner address (DNS
 * rebinding) fails too. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "buf.h"
#include "err.h"
#include "str.h"

/* The hosts one endpoint may reach. Filled once, then immutable and shared by threads; outlives the requests that name
 * it. Who needs it longer than the one who made it keeps it; it goes with the last http_allow_free(). */
struct http_allow;

struct http_allow *http_allow_new(bool development);
struct http_allow *http_allow_keep(struct http_allow *a);
struct http_allow *http_allow_free(struct http_allow *a);
AUTO_FN(struct http_allow *, http_allow_free)

/* Declared hosts: "api.example.com,*.my.example.com". "*." stands for one label or more. Only https on port 443.
 * TL_E_CONFIG for a pattern that would match too much ("*", "*.com", an address). */
int http_allow_hosts(struct http_allow *a, str patterns, struct err *e);

/* Declared and not accepted: not reached, but told apart from what nobody declared. */
int http_allow_pending(struct http_allow *a, str patterns, struct err *e);
/* Which of the declared patterns are covered by an accepted one, and which are not; each list may be NULL. "*.b.com"
 * covers itself, "a.b.com" and "*.a.b.com". What is accepted more narrowly than declared ("a.b.com" of "*.b.com") is
 * added to accepted_out, and the declared one stays pending. */
void http_hosts_sort(str declared, str accepted, struct buf *accepted_out, struct buf *pending_out);

/* A URL the operator wrote himself (an option of type TL_OPT_URL with a value that is not the connector's default):
 * exactly its scheme, host and port; the address may be an inner one. Plain http only to a loopback host and only with
 * development = yes: TL_E_CONFIG otherwise. An empty URL adds nothing. */
int http_allow_url(struct http_allow *a, str url, struct err *e);

enum http_target {
    HTTP_TARGET_DECLARED, /* matched a declared host: inner addresses are refused */
    HTTP_TARGET_OPERATOR, /* named by the operator: any address */
    HTTP_TARGET_LOOPBACK  /* plain http named by the operator: loopback addresses only */
};

/* Is this URL allowed? TL_OK, or TL_E_DENIED with e. The URL must be absolute ASCII without blanks, control characters,
 * backslash, user name, fragment; the host without percent signs. a may be NULL: everything is refused. */
int http_allow_check(const struct http_allow *a, str url, enum http_target *out, struct err *e);

/* Private, loopback, link-local (cloud metadata), shared, multicast, reserved and documentation ranges, also when
 * mapped or tunnelled into IPv6. Unknown families count as inner. */
bool address_is_inner(const struct sockaddr *sa);
bool address_is_loopback(const struct sockaddr *sa);
bool address_from_text(const char *text, struct sockaddr_storage *out); /* numeric only */
#endif
