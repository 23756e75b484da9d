/* Feeds a fuzz target without libFuzzer: every file of the folder named on the command line, then seeded mutations of
 * them; 50 times as many with TIELINE_TEST_LONG. The same runs on every machine. A finding aborts; the input is left in
 * crash.bin. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_SEEDS = 64, MAX_BYTES = 65536, ROUNDS = 20000, LONG_ROUNDS = 1000000 };

static uint8_t *seeds[MAX_SEEDS];
static size_t seed_bytes[MAX_SEEDS];
static size_t n_seeds;
static uint8_t input[MAX_BYTES];
static size_t input_bytes;

static void keep_input(int sig)
{
    FILE *f = fopen("crash.bin", "wb");
    if (f) {
        fwrite(input, 1, input_bytes, f);
        fclose(f);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

static void load(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || n_seeds == MAX_SEEDS) {
        fprintf(stderr, "cannot use seed \"%s\"\n", path);
        exit(1);
    }
    seeds[n_seeds] = malloc(MAX_BYTES);
    if (!seeds[n_seeds])
        abort();
    seed_bytes[n_seeds] = fread(seeds[n_seeds], 1, MAX_BYTES, f);
    n_seeds++;
    fclose(f);
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void mutate(uint64_t *s)
{
    if (input_bytes == 0)
        return;
    size_t at = next(s) % input_bytes, other = next(s) % input_bytes, n = next(s) % 16;
    switch (next(s) % 5) {
    case 0:
        input[at] = (uint8_t)next(s);
        break;
    case 1:
        input[at] ^= (uint8_t)(1u << (next(s) % 8));
        break;
    case 2: /* cut something out */
        n = n > input_bytes - at ? input_bytes - at : n;
        memmove(input + at, input + at + n, input_bytes - at - n);
        input_bytes -= n;
        break;
    case 3: { /* repeat something elsewhere */
        uint8_t piece[16];
        n = n > input_bytes - other ? input_bytes - other : n;
        if (input_bytes + n > MAX_BYTES)
            break;
        memcpy(piece, input + other, n);
        memmove(input + at + n, input + at, input_bytes - at);
        memcpy(input + at, piece, n);
        input_bytes += n;
        break;
    }
    default:
        if (next(s) % 8 == 0)
            input_bytes = at;
        break;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SEEDS\n", argv[0]);
        return 2;
    }
    struct dirent **names;
    int n = scandir(argv[1], &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.')
            load(argv[1], names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    if (n_seeds == 0) {
        fprintf(stderr, "no seeds in \"%s\"\n", argv[1]);
        return 1;
    }
    signal(SIGABRT, keep_input);
    uint64_t s = 0x5eedULL;
    const char *wants_long = getenv("TIELINE_TEST_LONG");
    int rounds = wants_long && *wants_long ? LONG_ROUNDS : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        size_t k = (size_t)round % n_seeds;
        input_bytes = seed_bytes[k];
        memcpy(input, seeds[k], input_bytes);
        int hits = round < (int)n_seeds ? 0 : 1 + (int)(next(&s) % 4);
        for (int i = 0; i < hits; i++)
            mutate(&s);
        uint8_t *exact = malloc(input_bytes ? input_bytes : 1); /* so that a read past the end is seen */
        if (!exact)
            abort();
        memcpy(exact, input, input_bytes);
        LLVMFuzzerTestOneInput(exact, input_bytes);
        free(exact);
    }
    printf("%d inputs from %zu seeds\n", rounds, n_seeds);
    for (size_t k = 0; k < n_seeds; k++)
        free(seeds[k]);
    return 0;
}
