/* The configuration: defaults, expansion, and every wrong key, value or reference with its place. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static char dir[] = "/tmp/tieline-config-XXXXXX";

static const char *write_file(const char *name, const char *text, mode_t mode)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
    return path;
}

static struct config *load(const char *text)
{
    return config_load(write_file("tieline.ini", text, 0600));
}

static bool found(const struct config *c, int line, const char *part)
{
    for (const struct finding *f = c->ini.findings; f; f = f->next)
        if (f->line == line && strstr(f->text, part))
            return true;
    return false;
}

static void defaults_count_where_nothing_is_written(void **state)
{
    (void)state;
    AUTO(config_free) struct config *c = load("[core]\ndevelopment = yes\n[http]\ntimeout = 5s\nmax_body = 1m\n");
    assert_int_equal(c->ini.n_errors, 0);
    assert_true(c->development);
    assert_string_equal(config_get(c, "store", "durability"), "full");
    assert_int_equal(config_number(c, "http", "timeout"), 5000000);
    assert_int_equal(config_number(c, "http", "max_body"), 1 << 20);
    assert_int_equal(config_number(c, "http", "connect_timeout"), 10000000);
    assert_null(config_get(c, "http", "proxy"));
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    AUTO(config_free)
    struct config *c = load("[core]\ndevelopmnt = yes\n[store]\ndurability = often\n[htp]\nx = 1\n"
                            "[endpoint Sales]\nconnector = x\n[connection c]\na = desk\nb = sf\n"
                            "[endpoint desk]\norg_id = 1\n[http]\ntimeout = 10h\n");
    assert_true(found(c, 2, "did you mean \"development\"?"));
    assert_true(found(c, 4, "must be one of full,normal"));
    assert_true(found(c, 5, "did you mean [http]?"));
    assert_true(found(c, 7, "must be 1 to 32 of a-z"));
    assert_true(found(c, 11, "no such endpoint"));
    assert_true(found(c, 12, "needs \"connector\""));
    assert_true(found(c, 15, "must be 100ms to 15m"));
    assert_int_equal(c->ini.n_errors, 7);
    AUTO(buf_done) struct buf text = {0};
    config_findings_print(c, &text);
    assert_non_null(strstr(buf_text(&text), "tieline.ini:4: error: [store] durability = often"));
    assert_non_null(strstr(buf_text(&text), "config check failed: 7 errors, 0 warnings"));
}

static void variables_expand(void **state)
{
    (void)state;
    setenv("TIELINE_TEST_NAME", "desk", 1);
    unsetenv("TIELINE_TEST_NONE");
    AUTO(config_free)
    struct config *c =
        load("[connectors]\nenable = ${TIELINE_TEST_NAME}, ${TIELINE_TEST_NONE:-salesforce}, $${literal}\n"
             "[hooks]\npublic_url = ${TIELINE_TEST_NONE:?the address of the proxy}\n");
    assert_string_equal(config_get(c, "connectors", "enable"), "desk, salesforce, ${literal}");
    assert_true(config_enables(c, "salesforce"));
    assert_false(config_enables(c, "sales"));
    assert_true(found(c, 4, "the address of the proxy"));
}

static void secret_files_must_be_closed(void **state)
{
    (void)state;
    char open_file[256], closed_file[256], text[1024];
    snprintf(open_file, sizeof open_file, "%s", write_file("open", "tell\n", 0644));
    snprintf(closed_file, sizeof closed_file, "%s", write_file("closed", "keep me\n", 0400));
    snprintf(text, sizeof text, "[endpoint desk]\nconnector = desk\na = @file:%s\nb = @file:%s\nc = @secret:x\n",
             open_file, closed_file);
    AUTO(config_free) struct config *c = load(text);
    assert_true(found(c, 3, "others cannot read"));
    assert_string_equal(config_get(c, "endpoint desk", "b"), "keep me");
    assert_true(config_lookup(c, "endpoint desk", "b")->is_secret);
    assert_string_equal(config_get(c, "endpoint desk", "c"), "@secret:x");
}

static void options_are_checked_against_the_connector(void **state)
{
    (void)state;
    static const tl_option options[] = {
        {.name = "org_id", .help = "number of the organisation", .type = TL_OPT_TEXT, .flags = TL_OPT_REQUIRED},
        {.name = "dc", .def = "com", .help = "data centre", .choices = "com,eu", .type = TL_OPT_CHOICE},
        {.name = "client_secret", .help = "secret", .type = TL_OPT_SECRET},
    };
    AUTO(config_free)
    struct config *c = load("[endpoint d]\nconnector = desk\ndc = us\nclient_secret = plain\ncliet_id = 1\n");
    config_check_options(c, config_section_find(c, "endpoint", "d", NULL), options, 3, sizeof options[0]);
    assert_true(found(c, 3, "must be one of com,eu"));
    assert_true(found(c, 4, "plain text"));
    assert_true(found(c, 5, "has no option \"cliet_id\""));
    assert_true(found(c, 1, "needs \"org_id\""));
    for (const struct finding *f = c->ini.findings; f; f = f->next)
        assert_null(strstr(f->text, "= plain"));
}

/* What the outbound client would refuse at every call. */
static void plain_http_needs_development_and_loopback(void **state)
{
    (void)state;
    static const tl_option options[] = {{.name = "url", .help = "address", .type = TL_OPT_URL}};
    static const struct {
        const char *development, *url;
        bool right;
    } cases[] = {
        {"no", "http://127.0.0.1:8080/", false},   {"no", "https://desk.zoho.com", true},
        {"yes", "http://127.0.0.1:8080/", true},   {"yes", "http://localhost/x", true},
        {"yes", "http://[::1]:80/", true},         {"yes", "http://vendor.example/", false},
        {"yes", "http://127.example.com/", false}, {"yes", "http://localhost.example.com/", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf text = {0};
        buf_fmt(&text, "[core]\ndevelopment = %s\n[endpoint d]\nconnector = desk\nurl = %s\n", cases[i].development,
                cases[i].url);
        AUTO(config_free) struct config *c = load(buf_text(&text));
        config_check_options(c, config_section_find(c, "endpoint", "d", NULL), options, 1, sizeof options[0]);
        assert_int_equal(found(c, 5, "plain http"), !cases[i].right);
    }
}

static void the_sample_is_a_valid_configuration(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf sample = {0};
    config_sample_print(&sample);
    AUTO(config_free) struct config *c = load(buf_text(&sample));
    assert_int_equal(c->ini.n_errors, 0);
    for (int i = 0; i < config_key_count; i++)
        assert_non_null(strstr(buf_text(&sample), config_keys[i].key));
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_count_where_nothing_is_written),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(variables_expand),
        cmocka_unit_test(secret_files_must_be_closed),
        cmocka_unit_test(options_are_checked_against_the_connector),
        cmocka_unit_test(plain_http_needs_development_and_loopback),
        cmocka_unit_test(the_sample_is_a_valid_configuration),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}
