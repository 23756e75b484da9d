/* A whole scenario, over as many lives of the daemon as it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

static void unlink_all(const char *path, const char *const *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

void lives_wipe_beside(const char *path)
{
    static const char *const ends[] = {".seal", ".lock", "-journal", "-old", "-old-wal"};
    unlink_all(path, ends, ARRAY_LEN(ends));
}

void lives_wipe(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    unlink_all(path, ends, ARRAY_LEN(ends));
    lives_wipe_beside(path);
}

/* Records that are there before the first sync: overlapping, with doubles, without e-mail, with references. */
static void seed_records(struct world *w)
{
    struct twin_record *account[2][4];
    char name[TWIN_TEXT], email[TWIN_TEXT];
    for (int i = 0; i < 4; i++)
        for (int s = 0; s < 2; s++) {
            snprintf(name, sizeof name, "Account %d", i + (s && i == 3 ? 10 : 0));
            account[s][i] = user_create(w, s, KIND_ACCOUNT, "", name);
        }
    for (int i = 0; i < 16; i++)
        for (int s = 0; s < 2; s++) {
            if (i >= 8 && (i % 2) != s)
                continue;
            snprintf(name, sizeof name, "Person %d", i);
            snprintf(email, sizeof email, "p%d@x.org", i == 9 || i == 11 ? 9 : i);
            struct twin_record *r = user_create(w, s, KIND_CONTACT, i % 5 == 4 ? "" : email, name);
            user_edit(w, s, KIND_CONTACT, r, F_ACCOUNT, account[s][i % 4]->id);
            if (s)
                user_edit(w, s, KIND_CONTACT, r, F_TITLE, "from b");
        }
    for (int s = 0; s < 2; s++)
        for (int kind = 0; kind < TWIN_KINDS; kind++)
            for (int i = 0; i < TWIN_RECORDS; i++) {
                struct twin_record *r = &w->rec[s][kind][i];
                r->visible_us = 0; /* they are long there */
                if (w->knobs.window && i % 3 == 1)
                    r->created_us -= 2 * WORLD_YEAR_US;
            }
}

void lives_run(struct world *w, uint64_t seed, const struct knobs *k, const struct lives_how *how)
{
    world_init(w, seed, k);
    seed_records(w);
    how->clear(how->db_path);
    for (int life = 0; life < 200; life++) {
        fflush(NULL);
        if (how->before)
            how->before();
        pid_t pid = fork();
        if (pid == 0) {
            lives_alone();
            if (how->born)
                how->born();
            int rc = life_run(w, how->db_path);
            exit(rc);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        if (WIFEXITED(status) && (WEXITSTATUS(status) == LIFE_OVER || WEXITSTATUS(status) == LIFE_REFUSED))
            return;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != LIFE_CRASHED) {
            world_violation(w, "a life ended with status %x", (unsigned)status);
            return;
        }
        how->between(w, how->db_path);
    }
}
