/* Shared helpers of the limit measurements: clocks, percentiles, a record generator. */
#ifndef BENCH_PEERS_COMMON_H
#define BENCH_PEERS_COMMON_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static inline uint64_t tv_ns(struct timeval v)
{
    return (uint64_t)v.tv_sec * 1000000000u + (uint64_t)v.tv_usec * 1000u;
}
/* user+sys CPU of the whole process */
static inline uint64_t cpu_ns(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return tv_ns(r.ru_utime) + tv_ns(r.ru_stime);
}
static inline long rss_kb(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss;
}
static inline uint64_t rng_next(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
static int cmp_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}
static inline void print_pct(const char *tag, uint64_t *v, size_t n)
{
    qsort(v, n, sizeof *v, cmp_u64);
    printf("%s n=%zu p50=%.1fus p90=%.1fus p99=%.1fus p99.9=%.1fus max=%.1fus\n", tag, n, v[n / 2] / 1e3,
           v[n * 9 / 10] / 1e3, v[n * 99 / 100] / 1e3, v[n * 999 / 1000] / 1e3, v[n - 1] / 1e3);
}

/* One help-desk-like contact, about 1.3 KB of JSON; deterministic in its number. */
static inline size_t gen_record(char *out, size_t cap, uint64_t k)
{
    static const char *first[] = {"Marina", "João", "Алексей", "伟", "Olena", "Thiago", "Sofía", "Lena"};
    static const char *last[] = {"Souza", "Иванова", "王", "Kovalenko", "Almeida", "Petrov", "Lima", "Schmidt"};
    static const char *city[] = {
        "São Paulo", "Москва", "上海", "Київ", "Recife", "Lisboa", "Porto", "Minsk",
    };
    uint64_t s = k * 7919u + 13u;
    uint64_t a = rng_next(&s), b = rng_next(&s), c = rng_next(&s);
    const char *f = first[a & 7], *l = last[(a >> 3) & 7], *t = city[(a >> 6) & 7];
    return (size_t)snprintf(
        out, cap,
        "{\"id\":\"4000000%09llu\",\"firstName\":\"%s\",\"lastName\":\"%s\",\"email\":\"user%llu@example%llu.test\","
        "\"secondaryEmail\":null,\"phone\":\"+55 11 %04llu-%04llu\",\"mobile\":\"+380 67 %07llu\",\"title\":\"Account "
        "manager\","
        "\"type\":\"customer\",\"street\":\"Rua das Flores %llu, apto. "
        "\\\"B\\\"\",\"city\":\"%s\",\"state\":\"SP\",\"zip\":\"%05llu\","
        "\"country\":\"BR\",\"description\":\"Imported from the old help desk.\\nPrefers e-mail; asked for a call back "
        "on the invoice "
        "%llu and for the change of the delivery "
        "address.\",\"facebook\":null,\"twitter\":null,\"ownerId\":\"4000000%09llu\","
        "\"owner\":{\"id\":\"4000000%09llu\",\"firstName\":\"Agent\",\"lastName\":\"%llu\",\"email\":\"agent%llu@desk."
        "test\"},"
        "\"accountId\":\"4000000%09llu\",\"account\":{\"id\":\"4000000%09llu\",\"accountName\":\"Company %llu "
        "Ltda\",\"website\":"
        "\"https://company%llu.test/"
        "\"},\"layoutId\":\"4000000000001\",\"customerHappiness\":{\"goodPercentage\":\"%llu\","
        "\"badPercentage\":\"0\",\"okPercentage\":\"12\"},\"isDeleted\":false,\"isTrashed\":false,\"isSpam\":false,"
        "\"isAnonymous\":false,"
        "\"createdTime\":\"2025-%02llu-%02lluT10:%02llu:%02llu.000Z\",\"modifiedTime\":\"2026-%02llu-%02lluT11:%02llu:%"
        "02llu.000Z\","
        "\"webUrl\":\"https://desk.test/support/portal/ShowHomePage.do#Contacts/dv/4000000%09llu\",\"photoURL\":null,"
        "\"zohoCRMContact\":{\"id\":\"5000000%09llu\",\"type\":\"Contact\"},\"cf\":{\"cf_segment\":\"retail\",\"cf_"
        "score\":%llu,"
        "\"cf_balance\":%llu.%02llu,\"cf_newsletter\":true,\"cf_contract_no\":\"C-%06llu\",\"cf_region\":\"%s\"}}",
        (unsigned long long)k, f, l, (unsigned long long)k, (unsigned long long)(a % 97),
        (unsigned long long)(b % 10000), (unsigned long long)(c % 10000), (unsigned long long)(b % 10000000),
        (unsigned long long)(c % 900), t, (unsigned long long)(a % 100000), (unsigned long long)(b % 1000000),
        (unsigned long long)(k % 50), (unsigned long long)(k % 50), (unsigned long long)(k % 50),
        (unsigned long long)(k % 50), (unsigned long long)(k / 7), (unsigned long long)(k / 7),
        (unsigned long long)(k / 7), (unsigned long long)(k / 7), (unsigned long long)(a % 88),
        (unsigned long long)(1 + a % 12), (unsigned long long)(1 + b % 28), (unsigned long long)(b % 60),
        (unsigned long long)(c % 60), (unsigned long long)(1 + b % 12), (unsigned long long)(1 + c % 28),
        (unsigned long long)(a % 60), (unsigned long long)(b % 60), (unsigned long long)k, (unsigned long long)k,
        (unsigned long long)(a % 1000), (unsigned long long)(b % 100000), (unsigned long long)(c % 100),
        (unsigned long long)(c % 1000000), t);
}
/* {"data":[...],"info":{...}}; caller frees */
static inline char *gen_page(uint64_t from, unsigned n, size_t *len)
{
    size_t cap = (size_t)n * 2048u + 256u, o = 0;
    char *p = (char *)malloc(cap);
    o += (size_t)snprintf(p, cap, "{\"data\":[");
    for (unsigned i = 0; i < n; i++) {
        if (i)
            p[o++] = ',';
        o += gen_record(p + o, cap - o, from + i);
    }
    o += (size_t)snprintf(p + o, cap - o, "],\"info\":{\"count\":%u,\"page\":%llu,\"more_records\":true}}", n,
                          (unsigned long long)(from / (n ? n : 1)));
    *len = o;
    return p;
}
#endif
