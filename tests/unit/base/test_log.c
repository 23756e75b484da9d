/* The sink: form of a line, and that no registered secret ever comes out. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "unit/unit.h"

/* What is written to stderr between begin and end. */
struct capture {
    int saved, file;
    struct buf text;
};

static void capture_begin(struct capture *c)
{
    char name[] = "/tmp/tieline-log-XXXXXX";
    *c = (struct capture){.saved = dup(STDERR_FILENO), .file = mkostemp(name, O_CLOEXEC)};
    assert_true(c->saved >= 0 && c->file >= 0);
    unlink(name);
    assert_true(dup2(c->file, STDERR_FILENO) >= 0);
}

static const char *capture_end(struct capture *c)
{
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    off_t n = lseek(c->file, 0, SEEK_END);
    assert_int_equal(pread(c->file, buf_room(&c->text, (size_t)n), (size_t)n, 0), n);
    close(c->file);
    return buf_text(&c->text);
}

static void a_line_has_time_level_text_and_members(void **state)
{
    (void)state;
    struct capture c;
    log_setup(LOG_INFO, LOG_TEXT);
    capture_begin(&c);
    log_line(LOG_DEBUG, NULL, "not shown");
    log_line(LOG_WARN, "endpoint=sf link=contacts", "page %d\nis \x01 odd", 3);
    const char *text = capture_end(&c);
    assert_int_equal(text[10], 'T');
    assert_string_equal(text + 24, " warn page 3 is   odd endpoint=sf link=contacts\n");
    assert_false(log_enabled(LOG_DEBUG));
    assert_true(log_enabled(LOG_INFO));
    buf_done(&c.text);
}

static void errors_bring_detail_and_hint(void **state)
{
    (void)state;
    struct capture c;
    struct err e = {0};
    err_set(&e, TL_E_AUTH, "refresh token was revoked");
    err_code(&e, "invalid_grant");
    err_detail(&e, "said \"no\"");
    err_hint(&e, "sign in again");
    log_setup(LOG_INFO, LOG_JOURNAL);
    capture_begin(&c);
    log_err(LOG_ERROR, "endpoint=desk", &e);
    assert_string_equal(capture_end(&c), "<3>refresh token was revoked endpoint=desk code=\"invalid_grant\" "
                                         "detail=\"said \\\"no\\\"\" hint=\"sign in again\"\n");
    buf_done(&c.text);
}

static void json_lines_have_members(void **state)
{
    (void)state;
    struct capture c;
    log_setup(LOG_INFO, LOG_JSON);
    capture_begin(&c);
    log_line(LOG_INFO, "endpoint=sf link=contacts", "said \"hi\"");
    const char *text = capture_end(&c);
    const char *rest = strchr(text, ',');
    assert_non_null(rest);
    assert_string_equal(
        rest, ",\"level\":\"info\",\"text\":\"said \\\"hi\\\"\",\"endpoint\":\"sf\",\"link\":\"contacts\"}\n");
    buf_done(&c.text);
}

/* The same members in every form, also those with blanks and quotes; none without a name. */
static void members_are_the_same_in_every_form(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf ctx = {0};
    log_member(&ctx, "act", "sync.start");
    log_member(&ctx, "object", "a \"b\\");
    log_member(&ctx, "none", "");
    log_member(&ctx, "who", "uid 0 (root)");
    static const char members[] = " act=sync.start object=\"a \\\"b\\\\\" who=\"uid 0 (root)\"\n";
    struct capture c;
    log_setup(LOG_INFO, LOG_TEXT);
    capture_begin(&c);
    log_line(LOG_INFO, buf_text(&ctx), "done");
    const char *text = capture_end(&c);
    assert_string_equal(text + 24 + strlen(" info done"), members);
    buf_done(&c.text);
    log_setup(LOG_INFO, LOG_JOURNAL);
    capture_begin(&c);
    log_line(LOG_INFO, buf_text(&ctx), "done");
    log_line(LOG_INFO, "engine", "works again");
    log_line(LOG_INFO, "endpoint sf", "away");
    text = capture_end(&c);
    assert_non_null(strstr(text, members));
    assert_non_null(strstr(text, "<6>works again part=engine\n<6>away part=\"endpoint sf\"\n"));
    buf_done(&c.text);
    log_setup(LOG_INFO, LOG_JSON);
    capture_begin(&c);
    log_line(LOG_INFO, buf_text(&ctx), "done");
    log_line(LOG_INFO, "engine", "works again");
    text = capture_end(&c);
    assert_non_null(strstr(
        text, "\"text\":\"done\",\"act\":\"sync.start\",\"object\":\"a \\\"b\\\\\",\"who\":\"uid 0 (root)\"}\n"));
    assert_non_null(strstr(text, "\"text\":\"works again\",\"part\":\"engine\"}\n"));
    buf_done(&c.text);
}

static char *redacted(const char *text)
{
    struct buf b = {0};
    redact(&b, str_of(text));
    return buf_take(&b);
}

#define assert_redacted(in, out)                                                                                       \
    do {                                                                                                               \
        AUTO(text_free) char *text_ = redacted(in);                                                                    \
        assert_string_equal(text_, out);                                                                               \
    } while (0)

static void secrets_never_come_out(void **state)
{
    (void)state;
    log_secret_add(STR("s3cr3t+value"));
    log_secret_add(STR("s3cr3t+value")); /* twice is once */
    log_secret_add(STR("s3cr3t"));
    log_secret_add(STR("tiny"));
    assert_redacted("a s3cr3t+value, b", "a [secret], b"); /* the longest wins */
    assert_redacted("s3cr3ts3cr3t", "[secret][secret]");
    assert_redacted("form: token=s3cr3t%2Bvalue&x", "form: token=[secret]&x");
    assert_redacted("s3cr3", "s3cr3");
    assert_redacted("tiny stays: shorter than 6 bytes", "tiny stays: shorter than 6 bytes");
    assert_redacted("", "");

    struct capture c;
    struct err e = {0};
    err_set(&e, TL_E_AUTH, "refused s3cr3t+value");
    err_detail(&e, "body: s3cr3t+value");
    err_hint(&e, "not s3cr3t+value");
    log_setup(LOG_INFO, LOG_TEXT);
    capture_begin(&c);
    log_err(LOG_ERROR, "endpoint=s3cr3t+value", &e);
    const char *text = capture_end(&c);
    assert_null(strstr(text, "s3cr3t"));
    assert_non_null(strstr(text, "refused [secret]"));
    buf_done(&c.text);

    log_secret_forget(STR("s3cr3t+value"));
    assert_redacted("a s3cr3t+value", "a [secret]+value");
    log_secret_forget(STR("s3cr3t"));
    assert_redacted("a s3cr3t+value", "a s3cr3t+value");
    log_secret_forget(STR("never added"));
}

static void key_files_are_redacted_line_by_line(void **state)
{
    (void)state;
    log_secret_add(STR("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"));
    assert_redacted("parser stopped at \"kqhkiG9w0BAQEF\"", "parser stopped at \"[secret]\"");
    assert_redacted("expected -----BEGIN PRIVATE KEY-----", "expected -----BEGIN PRIVATE KEY-----");
}

/* Wherever it stands in what was encoded, in either alphabet. */
static void secrets_in_base64_are_redacted(void **state)
{
    (void)state;
    log_secret_add(STR("1000.abc?>def~xyz"));
    assert_redacted("[MTAwMC5hYmM/PmRlZn54eXo=]", "[[secret]o=]");
    assert_redacted("MTAwMC5hYmM_PmRlZn54eXo", "[secret]o");
    assert_redacted("dToxMDAwLmFiYz8+ZGVmfnh5eg==", "dTo[secret]g==");
    assert_redacted("QmVhcmVyIDEwMDAuYWJjPz5kZWZ+eHl6", "QmVhcmVyID[secret]");
    log_secret_forget(STR("1000.abc?>def~xyz"));
    assert_redacted("MTAwMC5hYmM/PmRlZn54eXo=", "MTAwMC5hYmM/PmRlZn54eXo=");
}

static char name_a[] = "a", name_b[] = "b";

static void *log_many(void *arg)
{
    for (int i = 0; i < 200; i++) {
        char secret[32];
        snprintf(secret, sizeof secret, "thread-secret-%d", i);
        log_secret_add(str_of(secret));
        log_line(LOG_INFO, NULL, "%s says %s", (const char *)arg, secret);
    }
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    (void)state;
    struct capture c;
    pthread_t a, b;
    log_setup(LOG_INFO, LOG_TEXT);
    capture_begin(&c);
    assert_int_equal(pthread_create(&a, NULL, log_many, name_a), 0);
    assert_int_equal(pthread_create(&b, NULL, log_many, name_b), 0);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    capture_end(&c);
    unsigned lines = 0;
    for (str rest = buf_lent(&c.text), line; str_split(&rest, '\n', &line); lines++) {
        str said = str_n(line.p + 24, line.n - 24);
        assert_true(str_is(said, " info a says [secret]") || str_is(said, " info b says [secret]"));
    }
    assert_int_equal(lines, 400);
    buf_done(&c.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_text_and_members),
        cmocka_unit_test(errors_bring_detail_and_hint),
        cmocka_unit_test(json_lines_have_members),
        cmocka_unit_test(members_are_the_same_in_every_form),
        cmocka_unit_test(secrets_never_come_out),
        cmocka_unit_test(key_files_are_redacted_line_by_line),
        cmocka_unit_test(secrets_in_base64_are_redacted),
        cmocka_unit_test(threads_do_not_mix_lines),
    };
    return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
