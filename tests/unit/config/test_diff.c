/* What a configuration read again changes: key by key, and what counts only from the next start. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config_diff.h"

static char dir[] = "/tmp/tieline-diff-XXXXXX";

static struct config *load(const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/tieline.ini", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return config_load(path);
}

/* One line a change: "changed [log] level debug<info 4 now". */
static void check(const char *boot_text, const char *old_text, const char *new_text, const char *want)
{
    AUTO(config_free) struct config *boot = load(boot_text), *old = load(old_text), *now = load(new_text);
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf out = {0};
    for (const struct config_change *c = config_diff(&a, boot, old, now); c; c = c->next)
        buf_fmt(&out, "%s [%s] %s %s<%s %d %s\n", config_what_name(c->what), c->section, c->key,
                c->now ? c->now->value : "-", c->was ? c->was->value : "-", c->now ? c->now->line : c->was->line,
                c->restart ? "restart" : "now");
    assert_string_equal(buf_text(&out), want);
}

static void nothing_where_nothing_changed(void **state)
{
    (void)state;
    const char *text = "[log]\nlevel = debug\n[endpoint sf]\nconnector = x\nsecret = @secret:a\n";
    check(text, text, text, "");
    check("", "", "[log]\nlevel = info\n[store]\ncache = 16384k\n", ""); /* the default, in words */
    check("[retention]\nhistory = 48h\n", "[retention]\nhistory = 48h\n", "[retention]\nhistory = 2d\n", "");
    check("[core]\ndevelopment = yes\n", "[core]\ndevelopment = yes\n", "[core]\ndevelopment = on\n", "");
    check("", "", "; a comment\n\n", "");
}

static void what_is_added_changed_removed(void **state)
{
    (void)state;
    const char *old = "[log]\nlevel = warn\n[endpoint sf]\nconnector = x\nurl = a\n[link c contact]\nevery = 60s\n";
    check(old, old,
          "[log]\nlevel = debug\n[endpoint sf]\nconnector = x\nurl = b\nkey = 1\n[link c contact]\n"
          "direction = both\n",
          "changed [log] level debug<warn 2 now\n"
          "added [endpoint sf] key 1<- 6 now\n"
          "changed [endpoint sf] url b<a 5 now\n"
          "added [link c contact] direction both<- 8 now\n"
          "removed [link c contact] every -<60s 7 now\n");
    check(old, old, "", /* everything goes */
          "removed [log] level -<warn 2 now\n"
          "removed [endpoint sf] url -<a 5 now\n"
          "removed [endpoint sf] connector -<x 4 now\n"
          "removed [link c contact] every -<60s 7 now\n");
    /* In a section that pins, the default written down is a pin. */
    check("", "", "[link c contact]\nevery = 60s\n", "added [link c contact] every 60s<- 2 now\n");
    check("[connectors]\nisolation.a = worker\n", "[connectors]\nisolation.a = worker\n", "", "");
    check("", "", "[connectors]\nisolation.a = inprocess\n", "added [connectors] isolation.a inprocess<- 2 now\n");
}

static void what_needs_a_restart_is_compared_with_the_start(void **state)
{
    (void)state;
    const char *boot = "[http]\ntimeout = 10s\n", *later = "[http]\ntimeout = 20s\n";
    check(boot, boot, later, "changed [http] timeout 20s<10s 2 restart\n");
    check(boot, later, later, "changed [http] timeout 20s<10s 2 restart\n"); /* as long as it does not count */
    check(boot, later, boot, "");                                            /* taken back */
    check(boot, later, "", "removed [http] timeout -<10s 2 restart\n");
    check("", "", "[api]\ngroup = ops\n", "added [api] group ops<- 2 restart\n");
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_where_nothing_changed),
        cmocka_unit_test(what_is_added_changed_removed),
        cmocka_unit_test(what_needs_a_restart_is_compared_with_the_start),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char path[256];
    snprintf(path, sizeof path, "%s/tieline.ini", dir);
    unlink(path);
    rmdir(dir);
    return rc;
}
