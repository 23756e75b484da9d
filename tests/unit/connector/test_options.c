/* Values against the options a connector declares: everything wrong is told, with what to do, and no secret is shown.
 */
#include <stdio.h>

#include "manifest.h"
#include "rig.h"

static const tl_option declared[] = {
    {.name = "login_url", .def = "https://login.example.com", .help = "where to sign in", .type = TL_OPT_URL},
    {.name = "client_id", .help = "from the vendor's console", .type = TL_OPT_TEXT, .flags = TL_OPT_REQUIRED},
    {.name = "client_secret", .help = "from the vendor's console", .type = TL_OPT_SECRET, .flags = TL_OPT_REQUIRED},
    {.name = "page", .def = "200", .help = "records per page", .type = TL_OPT_INT},
    {.name = "region", .def = "eu", .choices = "us,eu", .help = "data centre", .type = TL_OPT_CHOICE},
    {.name = "every", .def = "60s", .help = "how often", .type = TL_OPT_DURATION},
    {.name = "folder", .help = "a directory", .type = TL_OPT_DIR},
    {.name = "loud", .def = "no", .help = "say more", .type = TL_OPT_BOOL},
};

static struct manifest *manifest(void)
{
    const tl_connector c = {.magic = TL_MAGIC,
                            .id = "demo",
                            .n_options = ARRAY_LEN(declared),
                            .option_stride = sizeof *declared,
                            .options = declared};
    struct manifest *m = NULL;
    assert_int_equal(manifest_copy(&m, &c, NULL, NULL, false, NULL), TL_OK);
    return m;
}

static void tell(void *ctx, str name, const struct err *why)
{
    buf_fmt(ctx, "%.*s: %s (%s)\n", STR_FMT(name), why->text, why->hint);
}

static void test_defaults_and_secrets(void **state)
{
    (void)state;
    AUTO(manifest_free) struct manifest *m = manifest();
    const tl_pair given[] = {
        {STR("client_id"), STR("abc")}, {STR("client_secret"), STR("hush")}, {STR("page"), STR("50")}};
    AUTO(option_set_done) struct option_set set = {0};
    struct err e = {0};
    assert_int_equal(options_resolve(&set, m, given, 3, NULL, NULL, &e), TL_OK);
    assert_int_equal(set.n_all, 7); /* all but the folder, which has no default */
    assert_int_equal(set.n_open, 6);
    for (uint32_t i = 0; i < set.n_open; i++)
        assert_false(str_is(set.open[i].name, "client_secret"));
    assert_true(str_is(set.open[2].name, "page") && str_is(set.open[2].value, "50"));
    assert_true(str_is(set.open[0].value, "https://login.example.com"));
}

static void test_everything_wrong_is_told(void **state)
{
    (void)state;
    AUTO(manifest_free) struct manifest *m = manifest();
    const tl_pair given[] = {
        {STR("clientid"), STR("abc")}, {STR("client_secret"), str_n("a\0b", 3)},
        {STR("page"), STR("many")},    {STR("region"), STR("moon")},
        {STR("every"), STR("often")},  {STR("folder"), STR("relative")},
        {STR("loud"), STR("very")},    {STR("login_url"), STR("ftp://x")},
    };
    AUTO(option_set_done) struct option_set set = {0};
    AUTO(buf_done) struct buf told = {0};
    struct err e = {0};
    assert_int_equal(options_resolve(&set, m, given, ARRAY_LEN(given), tell, &told, &e), TL_E_CONFIG);
    assert_int_equal(set.n_all, 0);
    assert_string_equal(buf_text(&told),
                        "clientid: connector \"demo\" has no option \"clientid\" (did you mean \"client_id\"?)\n"
                        "login_url: \"login_url\" is \"ftp://x\", which is no URL (where to sign in)\n"
                        "client_id: \"client_id\" is missing (from the vendor's console)\n"
                        "client_secret: the value of \"client_secret\" holds a NUL byte ()\n"
                        "page: \"page\" is \"many\", which is no number (records per page)\n"
                        "region: \"region\" is \"moon\", which is no choice (one of: us,eu)\n"
                        "every: \"every\" is \"often\", which is no duration (how often)\n"
                        "folder: \"folder\" is \"relative\", which is no directory (a directory)\n"
                        "loud: \"loud\" is \"very\", which is no yes or no (say more)\n");
    assert_string_equal(e.text, "connector \"demo\" has no option \"clientid\"");
}

static void test_manifest_crosses(void **state)
{
    (void)state;
    AUTO(manifest_free) struct manifest *m = manifest();
    AUTO(buf_done) struct buf b = {0}, again = {0};
    manifest_encode(&b, m);
    struct manifest *copy = NULL;
    assert_int_equal(manifest_decode(&copy, buf_lent(&b), NULL), TL_OK);
    manifest_encode(&again, copy);
    assert_true(str_eq(buf_lent(&b), buf_lent(&again)));
    manifest_free(copy);
    for (size_t n = 0; n < b.n; n++) {
        copy = NULL;
        assert_int_not_equal(manifest_decode(&copy, str_n(b.p, n), NULL), TL_OK);
        assert_null(copy);
    }
}

static void test_manifest_refusals(void **state)
{
    (void)state;
    struct err e = {0};
    struct manifest *m = NULL;
    const tl_option twice[] = {{.name = "a", .help = ""}, {.name = "a", .help = ""}};
    tl_connector c = {.id = "demo", .n_options = 2, .option_stride = sizeof *twice, .options = twice};
    assert_int_equal(manifest_copy(&m, &c, NULL, NULL, false, &e), TL_E_BUG);
    assert_string_equal(e.text, "connector \"demo\": option \"a\" is declared twice");
    const tl_option strange[] = {{.name = "a", .help = "", .type = 99}};
    c.options = strange;
    c.n_options = 1;
    err_clear(&e);
    assert_int_equal(manifest_copy(&m, &c, NULL, NULL, false, &e), TL_E_BUG);
    assert_string_equal(e.text, "connector \"demo\": option \"a\" is of the unknown type 99");
}

/* A vendor's data centres: the default of an address follows another option. */
static void test_defaults_chosen_by_another_option(void **state)
{
    (void)state;
    static const tl_option by_region[] = {
        {.name = "region", .def = "eu", .choices = "us,eu,moon", .help = "data centre", .type = TL_OPT_CHOICE},
        {.name = "api_url",
         .def = "?region:us=https://api.example.com,eu=https://api.example.eu",
         .help = "address",
         .type = TL_OPT_URL},
        {.name = "blind", .def = "?nothing:a=b", .help = "names no option", .type = TL_OPT_TEXT},
    };
    const tl_connector c = {
        .magic = TL_MAGIC, .id = "demo", .n_options = 3, .option_stride = sizeof *by_region, .options = by_region};
    AUTO(manifest_free) struct manifest *m = NULL;
    assert_int_equal(manifest_copy(&m, &c, NULL, NULL, false, NULL), TL_OK);
    static const struct {
        const char *region, *url, *given;
    } cases[] = {{NULL, "https://api.example.eu", NULL},
                 {"us", "https://api.example.com", NULL},
                 {"us", "https://own.example.org", "https://own.example.org"},
                 {"moon", NULL, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tl_pair given[2];
        uint32_t n = 0;
        if (cases[i].region)
            given[n++] = (tl_pair){STR("region"), str_of(cases[i].region)};
        if (cases[i].given)
            given[n++] = (tl_pair){STR("api_url"), str_of(cases[i].given)};
        AUTO(option_set_done) struct option_set set = {0};
        assert_int_equal(options_resolve(&set, m, given, n, NULL, NULL, NULL), TL_OK);
        assert_int_equal(set.n_all, cases[i].url ? 2 : 1);
        if (cases[i].url)
            assert_true(str_is(set.all[1].value, cases[i].url));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_secrets),     cmocka_unit_test(test_defaults_chosen_by_another_option),
        cmocka_unit_test(test_everything_wrong_is_told), cmocka_unit_test(test_manifest_crosses),
        cmocka_unit_test(test_manifest_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
