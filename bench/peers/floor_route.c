/* The limit of an event that changes nothing, between two connectors in one process: fingerprint it, find its mapping.
 * usage: floor_route DBPATH NMAP   prints microseconds of CPU per event */
#include "floor.h"
int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    uint64_t nmap = strtoull(argv[2], NULL, 10), rs = 7, acc = 0, fp = 0, n = 300000;
    char lid[32], rid[40];
    static char rec[2048];
    db_open(argv[1], "OFF", 1);
    size_t rl = gen_record(rec, sizeof rec, 5);
    go(q_begin);
    for (uint64_t i = 0; i < nmap; i++) {
        sprintf(lid, "4000000%09llu", (unsigned long long)i);
        sprintf(rid, "003%015llu", (unsigned long long)i * 2654435761u % 1000000000000000ull);
        sqlite3_bind_text(q_ups, 1, lid, -1, SQLITE_STATIC);
        sqlite3_bind_text(q_ups, 2, rid, -1, SQLITE_STATIC);
        sqlite3_bind_int64(q_ups, 3, 0);
        sqlite3_bind_int64(q_ups, 4, 0);
        go(q_ups);
    }
    go(q_commit);
    sqlite3_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA wal_checkpoint(TRUNCATE);", NULL, NULL, NULL);
    for (int round = 0; round < 2; round++) { /* the first warms up */
        uint64_t c0 = cpu_ns();
        go(q_begin);
        for (uint64_t i = 0; i < n; i++) {
            int l = sprintf(lid, "4000000%09llu", (unsigned long long)(rng_next(&rs) % nmap));
            acc += XXH3_64bits(rec, rl);
            if (!db_find(lid, l, &fp, rid))
                return 1;
            acc += fp;
        }
        go(q_commit);
        if (round)
            printf("{\"us\":%.3f,\"acc\":%d}\n", (double)(cpu_ns() - c0) / 1e3 / (double)n, (int)(acc & 1));
    }
    return 0;
}
