/* Which IP addresses are inner ones. The ranges are those of the IANA special-purpose registries (RFC 6890 and its
 * updates): nothing in them is a vendor on the internet. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t net; /* host order */
    int bits;
};

static const struct range4 inner4[] = {
    {0x00000000u, 8},  /* this network */
    {0x0a000000u, 8},  /* private */
    {0x64400000u, 10}, /* carrier-grade NAT */
    {0x7f000000u, 8},  /* loopback */
    {0xa9fe0000u, 16}, /* link-local: cloud metadata lives here */
    {0xa83f8110u, 32}, /* 168.63.129.16: the platform's own server in every Azure machine */
    {0xac100000u, 12}, /* private */
    {0xc0000000u, 24}, /* protocol assignments */
    {0xc0000200u, 24}, /* documentation */
    {0xc0586300u, 24}, /* 6to4 relays */
    {0xc0a80000u, 16}, /* private */
    {0xc6120000u, 15}, /* benchmarking */
    {0xc6336400u, 24}, /* documentation */
    {0xcb007100u, 24}, /* documentation */
    {0xe0000000u, 4},  /* multicast */
    {0xf0000000u, 4},  /* reserved, broadcast */
};

static bool inner_v4(uint32_t ip)
{
    for (size_t i = 0; i < ARRAY_LEN(inner4); i++) {
        uint32_t mask = UINT32_MAX << (32 - inner4[i].bits);
        if ((ip & mask) == inner4[i].net)
            return true;
    }
    return false;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Prefixes that carry an IPv4 address: it decides. */
static bool embedded_v4(const uint8_t a[16], uint32_t *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t compatible[12] = {0};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (!memcmp(a, mapped, 12) || !memcmp(a, compatible, 12) || !memcmp(a, nat64, 12)) {
        *out = be32(a + 12);
        return true;
    }
    if (a[0] == 0x20 && a[1] == 0x02) { /* 6to4 */
        *out = be32(a + 2);
        return true;
    }
    return false;
}

static bool inner_v6(const uint8_t a[16])
{
    uint32_t v4 = 0;
    if (embedded_v4(a, &v4))
        return inner_v4(v4); /* :: and ::1 fall into 0.0.0.0/8 */
    if ((a[0] & 0xe0) != 0x20)
        return true; /* only 2000::/3 is handed out: unique local, link-local, multicast and the rest are not */
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0)
        return true; /* 2001::/23: Teredo, benchmarking, ORCHID and other assignments */
    if (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)
        return true; /* 3fff::/20, documentation (RFC 9637) */
    if ((a[8] & 0xfd) == 0 && a[9] == 0 && a[10] == 0x5e && a[11] == 0xfe)
        return inner_v4(be32(a + 12)); /* ISATAP carries an address in its second half (RFC 5214) */
    return a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8; /* documentation */
}

bool address_is_inner(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return inner_v4(ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr));
    if (sa->sa_family == AF_INET6)
        return inner_v6(((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr);
    return true;
}

bool address_is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
    if (sa->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
    return false;
}

bool address_from_text(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_storage s = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&s;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&s;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        s.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        s.ss_family = AF_INET6;
    else
        return false;
    *out = s;
    return true;
}
