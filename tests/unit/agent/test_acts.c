/* Deeds: parameters are held against what is declared and every complaint is told at once; a key is done once; a lost
 * answer is looked for and nothing is ever sent twice, also after an end in between. */
#include "unit/store/rig.h"

#include "act_run.h"
#include "acts.h"
#include "permissions.h"
#include "times.h"

/* A vendor that answers when the test says so. */
struct fake {
    struct rig *rig;
    struct acts *acts;
    struct call *out; /* the one that waits */
    void (*done)(void *arg, struct call *c);
    void *arg;
    unsigned sent, looked, got;
    bool away;
    int answers, status; /* to who asked */
    char code[64], text[512];
    json_t *answer;
};

static int fake_ask(void *ctx, int64_t endpoint, enum call_kind what, str kind, struct call **out,
                    const tl_shape **shape_out, struct err *e)
{
    struct fake *f = ctx;
    static const tl_field fields[] = {{.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = STR("status")},
                                      {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = STR("other")}};
    if (f->away)
        return err_set(e, E_PRECONDITION, "it was not reached yet");
    *out = call_new(what, endpoint, TL_PURPOSE_AGENT);
    tl_shape *shape = arena_new(&(*out)->arena, tl_shape);
    *shape = (tl_shape){sizeof *shape, 2, sizeof(tl_field), 0, arena_str(&(*out)->arena, kind), fields};
    *shape_out = shape;
    return TL_OK;
}

static void fake_submit(void *ctx, struct call *c, void (*done)(void *arg, struct call *c), void *arg)
{
    struct fake *f = ctx;
    assert_null(f->out);
    f->out = c;
    f->done = done;
    f->arg = arg;
    if (c->kind == CALL_GET)
        f->got++;
    else if (c->request.act.flags & TL_ACT_LOOK)
        f->looked++;
    else if (!c->rehearse)
        f->sent++;
}

static void on_answer(void *arg, int rc, json_t *answer, const struct err *e)
{
    struct fake *f = arg;
    f->answers++;
    f->status = rc;
    json_decref(f->answer);
    f->answer = answer;
    snprintf(f->text, sizeof f->text, "%s", rc ? e->text : "");
}

/* The call that waits ends so; with a result of this status unless that is negative. */
static void reply(struct fake *f, tl_status status, int result, const char *id)
{
    struct call *c = f->out;
    f->out = NULL;
    c->reply.status = status;
    if (status)
        snprintf(c->reply.error.text, sizeof c->reply.error.text, "the vendor says so");
    if (c->kind == CALL_GET && status == TL_OK && id) {
        const tl_value values[] = {{.field = 0, .type = TL_TEXT, .u.s = STR("draft")},
                                   {.field = 1, .type = TL_TEXT, .u.s = STR("untouched")}};
        tl_record r = {.id = str_of(id), .n_values = 2, .values = values};
        assert_int_equal(reply_add_record(&c->reply, &r, &f->rig->e), TL_OK);
    } else if (result >= 0) {
        const tl_value values[] = {{.field = 2, .type = TL_TEXT, .u.s = STR("sent")}};
        tl_record r = {.id = str_of(id), .n_values = 1, .values = values};
        tl_result one = {.struct_size = sizeof one, .status = (tl_status)result, .record = result ? NULL : &r};
        assert_int_equal(reply_add_result(&c->reply, 0, &one, &f->rig->e), TL_OK);
    }
    f->done(f->arg, c);
}

/* ---- An endpoint with two actions -------------------------------------------------------------------------------- */

static const tl_choice tones[] = {{STR("plain"), STR("Plain")}, {STR("kind"), STR("Kind")}};
static const tl_field params[] = {
    {.struct_size = sizeof(tl_field), .type = TL_EMAIL, .flags = TL_F_REQUIRED, .path = STR("to"), .name = STR("to")},
    {.struct_size = sizeof(tl_field),
     .type = TL_DECIMAL,
     .max = 4,
     .scale = 2,
     .path = STR("amount"),
     .name = STR("amount")},
    {.struct_size = sizeof(tl_field),
     .type = TL_TEXT,
     .flags = TL_F_READONLY,
     .path = STR("status"),
     .name = STR("status")},
    {.struct_size = sizeof(tl_field),
     .type = TL_CHOICE,
     .flags = TL_F_CLOSED,
     .n_choices = 2,
     .choice_stride = sizeof(tl_choice),
     .choices = tones,
     .path = STR("tone"),
     .name = STR("tone")},
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .max = 5, .path = STR("note"), .name = STR("note")},
    {.struct_size = sizeof(tl_field), .type = TL_DATE, .path = STR("due"), .name = STR("due")},
    {.struct_size = sizeof(tl_field),
     .type = TL_REF,
     .refers_to = STR("contact,lead"),
     .path = STR("whom"),
     .name = STR("whom")}};

static tl_action action(const char *name, uint32_t flags, uint32_t rights)
{
    return (tl_action){.struct_size = sizeof(tl_action),
                       .flags = flags,
                       .rights = rights,
                       .n_params = ARRAY_LEN(params),
                       .param_stride = sizeof(tl_field),
                       .kind = STR("invoice"),
                       .name = str_of(name),
                       .params = params};
}

static void declare(struct rig *r, uint32_t looks)
{
    const tl_action all[] = {action("send", looks, TL_RIGHT_VIEW | TL_RIGHT_SEND),
                             action("create", TL_ACTION_CREATES | looks, TL_RIGHT_VIEW | TL_RIGHT_CREATE)};
    struct action_row rows[ARRAY_LEN(all)];
    struct reply told[ARRAY_LEN(all)] = {{0}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (reply_add_action(&told[i], &all[i], &r->e))
            fail_msg("%s", r->e.text);
        rows[i] = (struct action_row){all[i].kind, all[i].name, buf_lent(&told[i].items), i + looks, RIG_START};
    }
    assert_int_equal(action_replace(r->db, r->endpoint[1], rows, ARRAY_LEN(all), &r->e), TL_OK);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        reply_done(&told[i]);
}

/* The kind says that a write shows after 10 s at the latest. */
static void describe(struct rig *r, int64_t endpoint, const char *kind)
{
    struct reply told = {0};
    tl_kind k = {.struct_size = sizeof k, .kind = str_of(kind), .settle_ms = 10000};
    assert_int_equal(reply_add_kind(&told, &k, &r->e), TL_OK);
    struct kind_row row = {k.kind, buf_lent(&told.items), 1, RIG_START};
    assert_int_equal(kind_put(r->db, endpoint, &row, &r->e), TL_OK);
    reply_done(&told);
}

static void begin_acts(struct fake *f)
{
    const struct acts_parts parts = {&f->rig->sim.env, f->rig->db, {f, fake_ask, fake_submit}};
    f->acts = acts_new(&parts);
}

static struct fake fake_of(void **state, uint32_t looks)
{
    struct rig *r = *state;
    struct fake f = {.rig = r};
    declare(r, looks);
    describe(r, r->endpoint[1], "invoice");
    describe(r, r->endpoint[0], "ticket");
    return f;
}

static void fake_end(struct fake *f)
{
    f->acts = acts_free(f->acts);
    json_decref(f->answer);
    f->answer = NULL;
}

static struct act_wish wish(const char *name, const json_t *given, const char *key)
{
    return (struct act_wish){.connection = "desk-sf",
                             .kind = "invoice",
                             .name = name,
                             .record = strcmp(name, "create") == 0 ? NULL : "INV-1",
                             .params = given,
                             .key = key,
                             .caller = {.who = "ann", .person = STR("Ann Lee"), .everything = true}};
}

static int ask_for(struct fake *f, const struct act_wish *w, json_t **known)
{
    err_clear(&f->rig->e);
    return acts_do(f->acts, w, known, on_answer, f, &f->rig->e);
}

static const char *state_of(const struct fake *f)
{
    return json_string_value(json_object_get(f->answer, "state"));
}

static str audited(struct rig *r, const char *act)
{
    struct audit *rows = NULL;
    size_t n = 0;
    assert_int_equal(audit_list(r->db, &r->a, 0, 1, &rows, &n, &r->e), TL_OK);
    assert_int_equal(n, 1);
    assert_str(rows[0].act, act);
    assert_str(rows[0].who, "ann");
    return rows[0].detail;
}

static bool tells(str text, const char *words)
{
    return memmem(text.p, (size_t)text.n, words, strlen(words)) != NULL;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void all_complaints_at_once_and_nothing_sent(void **state)
{
    struct fake f = fake_of(state, 0);
    struct rig *r = f.rig;
    begin_acts(&f);
    json_t *known = NULL;
    json_t *bad = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "amount", "12345.678", "tone", "kindly", "note", "too long",
                            "due", "soon", "amuont", "1", "status", "sent");
    struct act_wish w = wish("send", bad, "k1");
    assert_int_equal(ask_for(&f, &w, &known), TL_E_INVALID);
    static const char *const words[] = {"\"to\" is needed",
                                        "\"amount\" has 3 digits behind the point, at most 2",
                                        "\"tone\" is none of its choices: \"kindly\", did you mean \"kind\"?",
                                        "\"note\" is longer than 5 characters",
                                        "\"due\" is to be a date",
                                        "\"amuont\" is no parameter of it, did you mean \"amount\"?",
                                        "\"status\" is told by the vendor"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strstr(r->e.text, words[i]) && !strstr(r->e.detail, words[i]))
            fail_msg("%s is missing in: %s", words[i], r->e.text);
    json_decref(bad);
    bad = json_pack("{s:s,s:f}", "to", "ada@example.com", "amount", 10.5);
    w.params = bad;
    assert_int_equal(ask_for(&f, &w, &known), TL_E_INVALID);
    assert_non_null(strstr(r->e.text, "written as a text"));
    assert_int_equal(f.sent + f.got, 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM act"), 0);
    json_decref(bad);
    fake_end(&f);
}

static void records_are_named_by_id(void **state)
{
    struct rig *r = *state;
    static const char *const given[] = {"17", "lead:17", "contact:1:7"}, *const ids[] = {"17", "17", "1:7"};
    static const uint16_t kinds[] = {0, 1, 0};
    const tl_action create = action("create", TL_ACTION_CREATES, TL_RIGHT_VIEW);
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        struct act_values values = {0};
        json_t *asked = json_pack("{s:s,s:s}", "to", "ada@example.com", "whom", given[i]);
        ok(act_params_read(&create, asked, &r->a, &values, &r->e));
        assert_int_equal(values.n, 2);
        assert_int_equal(values.of[1].type, TL_REF);
        assert_int_equal(values.of[1].aux, kinds[i]);
        assert_str(values.of[1].u.s, ids[i]);
        json_decref(asked);
    }
}

/* What a profile was not granted it cannot have done, nor is it offered.
 * proves: S4-23 */
static void who_may_not_is_refused(void **state)
{
    struct fake f = fake_of(state, 0);
    struct rig *r = f.rig;
    const struct permission rows[] = {{STR("integration"), STR("visible")},
                                      {STR("invoice"), STR("visible")},
                                      {STR("invoice"), STR("view")},
                                      {STR("invoice"), STR("create")}};
    json_t *given = json_pack("{s:s}", "to", "ada@example.com"), *known = NULL, *list = NULL;
    begin_acts(&f);
    struct act_wish w = wish("send", given, NULL);
    w.caller.everything = false;
    w.caller.profile = STR("5");
    w.caller.helpdesk = r->endpoint[0];
    assert_int_equal(ask_for(&f, &w, &known), TL_E_DENIED);
    ok(permission_replace(r->db, r->connection, STR("5"), rows, ARRAY_LEN(rows), STR("admin"), &r->e));
    assert_int_equal(ask_for(&f, &w, &known), TL_E_DENIED);
    assert_non_null(strstr(r->e.text, "no row invoice/send"));
    ok(act_actions(r->db, "desk-sf", &w.caller, &list, &r->e));
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(list, "items"), 0), "name")),
                        "create");
    json_decref(list);
    w.caller.helpdesk = 99; /* a profile of the same id, of another help desk */
    assert_int_equal(act_actions(r->db, "desk-sf", &w.caller, &list, &r->e), TL_E_DENIED);
    w.caller.everything = true;
    rig_sql(r, "UPDATE connection SET state = 6");
    assert_int_equal(ask_for(&f, &w, &known), E_PRECONDITION);
    assert_string_equal(r->e.code, "DISABLED");
    assert_int_equal(f.sent + f.got, 0);
    json_decref(given);
    fake_end(&f);
}

static void done_once_and_audited(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    json_t *given = json_pack("{s:s,s:s}", "to", "ada@example.com", "amount", "10.50"), *known = NULL;
    begin_acts(&f);
    struct act_wish w = wish("send", given, "k1");
    assert_int_equal(ask_for(&f, &w, &known), TL_OK);
    assert_int_equal(f.got, 1);
    assert_int_equal(f.sent, 0); /* first the record as it was */
    assert_true(tells(audited(f.rig, "act.ask"), "\"amount\":\"10.50\""));
    reply(&f, TL_OK, -1, "INV-1");
    assert_int_equal(f.sent, 1);
    assert_str(f.out->request.act.record->stamp, "k1");
    assert_str(f.out->request.act.record->id, "INV-1");
    assert_str(f.out->request.act.person, "Ann Lee");
    assert_int_equal(f.answers, 0);
    reply(&f, TL_OK, TL_OK, "INV-1");
    assert_int_equal(f.answers, 1);
    assert_string_equal(state_of(&f), "done");
    str detail = audited(f.rig, "act.done");
    assert_true(tells(detail, "\"before\":{\"status\":\"draft\"}") && tells(detail, "\"after\":{\"status\":\"sent\"}"));

    assert_int_equal(ask_for(&f, &w, &known), TL_OK); /* the same again: what came of it */
    assert_string_equal(json_string_value(json_object_get(known, "state")), "done");
    json_decref(known);
    json_object_set_new(given, "amount", json_string("11"));
    assert_int_equal(ask_for(&f, &w, &known), E_EXISTS);
    assert_string_equal(f.rig->e.code, "KEY_USED");
    w.caller.who = "bob"; /* nor does anybody else learn of it */
    json_object_set_new(given, "amount", json_string("10.50"));
    assert_int_equal(ask_for(&f, &w, &known), E_EXISTS);
    assert_int_equal(f.sent, 1);
    json_decref(given);
    fake_end(&f);
}

static void what_is_made_beside_a_ticket_is_related(void **state)
{
    struct fake f = fake_of(state, 0);
    struct rig *r = f.rig;
    struct relation *list;
    size_t n;
    json_t *given = json_pack("{s:s}", "to", "ada@example.com"), *known = NULL;
    begin_acts(&f);
    struct act_wish w = wish("create", given, NULL);
    w.beside_kind = "ticket";
    w.beside_id = "17";
    assert_int_equal(ask_for(&f, &w, &known), TL_OK);
    assert_int_equal(f.got, 0); /* there is none before */
    reply(&f, TL_OK, TL_OK, "INV-9");
    assert_string_equal(state_of(&f), "done");
    assert_string_equal(json_string_value(json_object_get(f.answer, "record")), "INV-9");
    ok(relation_list(r->db, &r->a, r->connection, STR("ticket"), STR("17"), &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_str(list[0].id, "INV-9");
    w.beside_kind = "dream";
    assert_int_equal(ask_for(&f, &w, &known), TL_E_INVALID);
    json_decref(given);
    fake_end(&f);
}

static void refused_by_the_vendor(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    json_t *given = json_pack("{s:s}", "to", "ada@example.com"), *known = NULL;
    begin_acts(&f);
    struct act_wish w = wish("send", given, "gone");
    assert_int_equal(ask_for(&f, &w, &known), TL_OK);
    reply(&f, TL_OK, -1, NULL); /* no such record */
    assert_int_equal(f.sent, 0);
    assert_string_equal(state_of(&f), "failed");
    w.key = "refused";
    assert_int_equal(ask_for(&f, &w, &known), TL_OK);
    reply(&f, TL_OK, -1, "INV-1");
    reply(&f, TL_E_INVALID, -1, NULL);
    assert_string_equal(state_of(&f), "failed");
    assert_string_equal(json_string_value(json_object_get(f.answer, "text")), "the vendor says so");
    f.away = true;
    w.key = "away";
    assert_int_equal(ask_for(&f, &w, &known), E_PRECONDITION); /* nothing is kept of it: the key is free */
    f.away = false;
    assert_int_equal(ask_for(&f, &w, &known), TL_OK);
    reply(&f, TL_OK, -1, "INV-1");
    reply(&f, TL_OK, TL_OK, "INV-1");
    assert_string_equal(state_of(&f), "done");
    assert_int_equal(f.looked, 0);
    json_decref(given);
    fake_end(&f);
}

static void lose(struct fake *f, const char *key)
{
    json_t *given = json_pack("{s:s}", "to", "ada@example.com"), *known = NULL;
    struct act_wish w = wish("create", given, key);
    assert_int_equal(ask_for(f, &w, &known), TL_OK);
    reply(f, TL_E_UNKNOWN, -1, NULL);
    json_decref(given);
}

static void a_lost_answer_is_looked_for(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    begin_acts(&f);
    lose(&f, "k1");
    assert_int_equal(f.looked, 1); /* at once, and who waits goes on waiting */
    assert_int_equal(f.answers, 0);
    assert_str(f.out->request.act.record->stamp, "k1");
    reply(&f, TL_OK, TL_OK, "INV-7");
    assert_string_equal(state_of(&f), "done");
    assert_string_equal(json_string_value(json_object_get(f.answer, "record")), "INV-7");
    assert_int_equal(f.sent, 1);
    fake_end(&f);
}

/* It may show later than the first look: only then it counts as not done. */
static void not_found_counts_once_it_must_show(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    struct act got = {0};
    begin_acts(&f);
    lose(&f, "k1");
    reply(&f, TL_OK, TL_E_NOT_FOUND, NULL);
    assert_string_equal(state_of(&f), "unknown");
    env_sim_advance(&f.rig->sim, 9 * US_PER_S);
    acts_tick(f.acts);
    assert_int_equal(f.looked, 1);
    env_sim_advance(&f.rig->sim, 2 * US_PER_S);
    acts_tick(f.acts);
    assert_int_equal(f.looked, 2);
    reply(&f, TL_OK, TL_E_NOT_FOUND, NULL);
    assert_int_equal(act_find(f.rig->db, &f.rig->a, STR("k1"), &got, &f.rig->e), TL_OK);
    assert_int_equal(got.state, ACT_FAILED);
    assert_str(got.code, "NOT_DONE");
    assert_int_equal(acts_tick(f.acts), INT64_MAX);
    assert_int_equal(f.sent, 1);
    fake_end(&f);
}

static void a_look_that_fails_is_tried_again(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    struct act got = {0};
    begin_acts(&f);
    lose(&f, "k1");
    reply(&f, TL_E_TEMPORARY, -1, NULL);
    f.away = true;
    for (int i = 0; i < 12; i++) {
        env_sim_advance(&f.rig->sim, 900 * US_PER_S);
        acts_tick(f.acts);
    }
    f.away = false;
    int64_t next = acts_tick(f.acts) - f.rig->sim.mono;
    assert_true(next > 0 && next <= 900 * US_PER_S);
    env_sim_advance(&f.rig->sim, next);
    acts_tick(f.acts);
    assert_int_equal(f.looked, 2);
    reply(&f, TL_OK, TL_OK, "INV-7");
    assert_int_equal(act_find(f.rig->db, &f.rig->a, STR("k1"), &got, &f.rig->e), TL_OK);
    assert_int_equal(got.state, ACT_DONE);
    assert_int_equal(f.sent, 1);
    assert_int_equal(f.answers, 1);
    fake_end(&f);
}

static void what_nobody_can_look_for_is_said(void **state)
{
    struct fake f = fake_of(state, 0);
    begin_acts(&f);
    lose(&f, "k1");
    assert_int_equal(f.looked, 0);
    assert_string_equal(state_of(&f), "unknown");
    assert_non_null(strstr(json_string_value(json_object_get(f.answer, "text")), "look at the vendor"));
    assert_int_equal(acts_tick(f.acts), INT64_MAX);
    fake_end(&f);
}

/* An end between any two steps: what was not sent has failed, what may have been is looked for. */
static void after_an_end_in_between(void **state)
{
    struct fake f = fake_of(state, TL_ACTION_LOOKS);
    struct rig *r = f.rig;
    struct act kept = {.key = STR("never"),
                       .connection = r->connection,
                       .endpoint = r->endpoint[1],
                       .kind = STR("invoice"),
                       .name = STR("send"),
                       .record = STR("INV-1"),
                       .who = STR("ann"),
                       .params = STR("{\"to\":\"ada@example.com\"}"),
                       .made_us = RIG_START};
    struct act sent = kept, got = {0};
    sent.key = STR("sent");
    sent.state = ACT_SENT;
    ok(act_add(r->db, &kept, &r->e));
    ok(act_add(r->db, &sent, &r->e));
    rig_reopen(r);
    begin_acts(&f);
    ok(acts_recover(f.acts, &r->e));
    assert_int_equal(f.looked, 1);
    assert_str(f.out->request.act.record->stamp, "sent");
    assert_int_equal(f.out->request.act.record->n_values, 1);
    reply(&f, TL_OK, TL_OK, "INV-1");
    ok(act_find(r->db, &r->a, STR("never"), &got, &r->e));
    assert_int_equal(got.state, ACT_FAILED);
    assert_str(got.code, "NOT_SENT");
    ok(act_find(r->db, &r->a, STR("sent"), &got, &r->e));
    assert_int_equal(got.state, ACT_DONE);
    assert_int_equal(f.sent, 0);
    fake_end(&f);
}

static void keys_that_are_none(void **state)
{
    struct fake f = fake_of(state, 0);
    json_t *given = json_pack("{s:s}", "to", "ada@example.com"), *known = NULL;
    char mark[32];
    begin_acts(&f);
    snprintf(mark, sizeof mark, "%s.abc", db_instance(f.rig->db));
    const char *const keys[] = {"", "a b", mark, "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct act_wish w = wish("create", given, keys[i]);
        assert_int_equal(ask_for(&f, &w, &known), TL_E_INVALID);
    }
    json_decref(given);
    fake_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(all_complaints_at_once_and_nothing_sent),
        UNIT(records_are_named_by_id),
        UNIT(who_may_not_is_refused),
        UNIT(done_once_and_audited),
        UNIT(what_is_made_beside_a_ticket_is_related),
        UNIT(refused_by_the_vendor),
        UNIT(a_lost_answer_is_looked_for),
        UNIT(not_found_counts_once_it_must_show),
        UNIT(a_look_that_fails_is_tried_again),
        UNIT(what_nobody_can_look_for_is_said),
        UNIT(after_an_end_in_between),
        UNIT(keys_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
