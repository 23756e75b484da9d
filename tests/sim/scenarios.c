/* Named scenarios of the crash sweep: what vendors can, and a script of what people do, one letter a step. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "life.h"
#include "times.h"

#define FIND    TL_CAN_FIND | TL_CAN_FIND_CREATED
#define BASIC   TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETED | FIND
#define UNIQUE  TL_CAN_STAMP_FIND | TL_CAN_STAMP_UNIQUE
#define MARKED  TL_CAN_STAMP_FIND
#define RESTORE TL_CAN_RESTORE
#define DELETE  TL_CAN_DELETE
#define STRICT  TL_CAN_CONDITIONAL | TL_CAN_RETURN_POST

#define S(title, kind_can, steps, ...)                                                                                 \
    {                                                                                                                  \
        .name = (title), .can = (kind_can), .script = (steps), __VA_ARGS__                                             \
    }
const struct scenario scenarios[] = {
    S("first sync", UNIQUE, ""),
    S("first sync, vendors that tell little", 0, ""),
    S("first sync, pages of one", UNIQUE, "", .batch = 1),
    S("first sync, a2b", MARKED, "", .direction = 1),
    S("first sync, b2a", MARKED, "", .direction = 2),
    S("adoption, the older side wins", UNIQUE, "..", .policy = 1),
    S("adoption, the other side wins", UNIQUE, "..", .policy = 2),
    S("adoption, a person decides", UNIQUE, "..?.?", .policy = 3),
    S("update from A", UNIQUE, "e:e:e"),
    S("update from B", UNIQUE, "E:E:E"),
    S("update of one pair from both sides", UNIQUE, "eE:eE:"),
    S("ten edits are one write", UNIQUE, "eeeeeeeeee:"),
    S("update with preconditions", UNIQUE | STRICT, "eE:eE:e"),
    S("update, a2b, drift is left", UNIQUE, "eE:eE:", .direction = 1),
    S("conflict, newest", UNIQUE, "C:C:"),
    S("conflict, A", UNIQUE, "C:C:", .policy = 1),
    S("conflict, B", UNIQUE, "C:C:", .policy = 2),
    S("conflict, manual, decided", UNIQUE, "C:?:C?:", .policy = 3),
    S("conflict, manual, edited on", UNIQUE, "C:e:E:?", .policy = 3),
    S("create in A", UNIQUE, "n:n:"),
    S("create in B", UNIQUE, "N:N:"),
    S("create, answer lost, class C1", UNIQUE, "n:N:n", .unknown = 60),
    S("create, answer lost, class C2", MARKED, "n:N:n", .unknown = 60),
    S("create, answer lost, class C3", 0, "n:N:n", .unknown = 60),
    S("create, answer lost, class C1, applied late", UNIQUE, "n:N:n", .unknown = 60, .late = true),
    S("update, answer lost", UNIQUE, "e:E:e", .unknown = 60),
    S("update, answer lost, preconditions", UNIQUE | STRICT, "e:E:e", .unknown = 60),
    S("trashed, then edited: restored", UNIQUE | RESTORE, "T:e:T:e:"),
    S("trashed, no bin to restore from: recreated", UNIQUE, "T:e:e:"),
    S("deleted: recreated", UNIQUE, "D:e:e:"),
    S("deleted on both sides", UNIQUE, "Dd:s:"),
    S("trashed and taken out of the bin again", UNIQUE | RESTORE, "T:R:e:"),
    S("brought back again and again: stopped", UNIQUE | RESTORE, "T:e:T:e:T:e:T:e:"),
    S("a deletion travels", UNIQUE | DELETE, "T:t:D:", .deletes = true),
    S("a deletion travels, answer lost", UNIQUE | DELETE, "T:t:T:", .deletes = true, .unknown = 60),
    S("a deletion travels, applied late", UNIQUE | DELETE | RESTORE, "t:t:R:", .deletes = true, .unknown = 60,
      .late = true),
    S("deleted here, edited there: brought back", UNIQUE | DELETE | RESTORE, "Te:TE:e:", .deletes = true),
    S("merge in A", UNIQUE, "m:e:s:", .merges = true),
    S("merge in B", UNIQUE, "M:e:s:", .merges = true),
    S("a reference moves", UNIQUE, "a:A:a:"),
    S("a reference to a record just made", UNIQUE, "w:w:"),
    S("a reference to a record just made, in B", MARKED, "W:W:"),
    S("two of one name: ambiguous", UNIQUE, "2:s:e:"),
    S("without e-mail", UNIQUE, "0:0:e:"),
    S("webhooks", UNIQUE, "e.E.n.N.", .chaos = CHAOS_HOOKS),
    S("sweeps", UNIQUE, "es:Es:ns:"),
    S("pages out of order, torn", UNIQUE, "es:Ns:", .chaos = CHAOS_PAGES),
    S("half of a view is lost and comes back", UNIQUE, "h:e:H:s:e"),
    S("all of a view is lost: braked and released", UNIQUE, "v:eN:VH:s:"),
    S("pause and resume", UNIQUE, "epeE:nP:"),
    S("paused for days", UNIQUE, "peEnN!P:"),
    S("a failed record is tried again", UNIQUE, "2:f:f:"),
    S("a field goes and comes back", UNIQUE, "x:e:X:e:"),
    S("a field becomes read-only", UNIQUE, "y:g:X:g:"),
    S("made again while a field is read-only", UNIQUE | STRICT, "g:y:De:X:e:"),
    S("unlinked by hand and linked again", UNIQUE, "u:eE:l:e:"),
    S("ignored and no longer", UNIQUE, "i:e:I:e:"),
    S("some of a batch fail", UNIQUE, "nnN:ee:", .partial = 30),
    S("a batch without a culprit is halved", UNIQUE, "nnnNN:eee:", .reject = 40),
    S("throttled", UNIQUE, "en:EN:", .throttle = 25),
    S("a storm of refusals", UNIQUE, "e7n:E:N:"),
    S("the connector leaves and comes back", UNIQUE, "eg6:E:G:N:"),
    S("vendors that reformat", UNIQUE, "b:B:b:", .reformats = true),
    S("commits that show late", UNIQUE, "e:n:E:", .late_commits = true),
    S("clocks apart", UNIQUE, "C:e:C:", .skew = 1000),
    S("made anew", UNIQUE, "en:", .anew = true),
    S("taken back", UNIQUE, "e:e:z:"),
    S("taken back, preconditions", UNIQUE | STRICT, "e:e:z:"),
    S("taken back, answer lost", UNIQUE, "e:e:z:", .unknown = 60),
    S("taken back, some of a batch fail", UNIQUE, "e:e:z:", .partial = 40),
    S("taken back while it is edited", UNIQUE, "e:e:zeE:"),
    S("taken back and edited on", UNIQUE, "e:e:z:e:"),
    S("taken back and the undo too", UNIQUE, "e:e:z.z:e:"),
    S("taken back while paused", UNIQUE, "e:e:zp.P:"),
};
const int n_scenarios = (int)(sizeof scenarios / sizeof *scenarios);

struct knobs scenario_knobs(const struct scenario *n)
{
    struct knobs k = {.settle_us = 120 * US_PER_S,
                      .delay_us = n->late ? 60 * US_PER_S : 0,
                      .late_us = n->late_commits ? 10 * US_PER_S : 0,
                      .unknown_pct = n->unknown,
                      .partial_pct = n->partial,
                      .reject_pct = n->reject,
                      .throttle_pct = n->throttle,
                      .direction = n->direction,
                      .policy = n->policy,
                      .merges = n->merges,
                      .anew = n->anew,
                      .deletes = n->deletes,
                      .chaos = n->chaos | CHAOS_SCRIPT,
                      .script = n->script,
                      .actions = (int)strlen(n->script)};
    for (int s = 0; s < 2; s++) {
        k.can[s][0] = k.can[s][1] = (uint32_t)(BASIC) | n->can;
        k.stamp[s] = n->can & TL_CAN_STAMP_FIND;
        k.max_batch[s] = n->batch ? n->batch : 20;
        k.normalise[s] = n->reformats && s;
        k.skew_us[s] = s * n->skew * US_PER_S;
    }
    return k;
}

/* ---- The script */

static struct twin_record *at(struct world *w, int s, int kind, int number, int state)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][kind][i];
        if (r->used && r->state == state && number-- <= 0)
            return r;
    }
    return NULL;
}

static void edit(struct world *w, int s, int field, const char *what)
{
    char text[TWIN_TEXT];
    struct twin_record *r = at(w, s, KIND_CONTACT, 2, TL_STATE_LIVE);
    snprintf(text, sizeof text, "%s%u", what, w->edit_no + 1);
    if (r)
        user_edit(w, s, KIND_CONTACT, r, field, text);
}

static void state_of(struct world *w, int s, int from, int to)
{
    struct twin_record *r = at(w, s, KIND_CONTACT, from == TL_STATE_LIVE ? 2 : 0, from);
    if (!r)
        return;
    r->state = to;
    r->restored |= to == TL_STATE_LIVE;
    user_touch(w, s, r);
}

static void person(struct world *w, int s, const char *email, bool with_account)
{
    char name[TWIN_TEXT], mail[TWIN_TEXT];
    snprintf(name, sizeof name, "name%u", w->edit_no);
    snprintf(mail, sizeof mail, "%s%u@x.org", email, w->edit_no);
    struct twin_record *account = with_account ? user_create(w, s, KIND_ACCOUNT, "", name) : NULL;
    struct twin_record *r = user_create(w, s, KIND_CONTACT, *email ? *email == '2' ? "p0@x.org" : mail : "", name);
    if (account && r)
        user_edit(w, s, KIND_CONTACT, r, F_ACCOUNT, account->id);
}

static void merge(struct world *w, int s)
{
    struct twin_record *lost = at(w, s, KIND_CONTACT, 2, TL_STATE_LIVE),
                       *left = at(w, s, KIND_CONTACT, 5, TL_STATE_LIVE);
    if (lost && left)
        user_merge(w, s, lost, left);
}

static void move_account(struct world *w, int s)
{
    struct twin_record *r = at(w, s, KIND_CONTACT, 2, TL_STATE_LIVE),
                       *to = at(w, s, KIND_ACCOUNT, (int)(w->edit_no % 3), TL_STATE_LIVE);
    if (r && to)
        user_edit(w, s, KIND_CONTACT, r, F_ACCOUNT, to->id);
}

static void hide(struct life *l, int percent)
{
    l->world->hidden[1][KIND_CONTACT] = percent;
    chaos_do(l, 's');
}

void scenario_act(struct life *l)
{
    struct world *w = l->world;
    const char *script = w->knobs.script;
    int done = (int)strlen(script) - w->actions_left;
    char what = script[done];
    w->actions_left--; /* before it is done: a crash inside may have done it */
    switch (what) {
    case 'e':
        edit(w, 0, F_TITLE, "v");
        break;
    case 'E':
        edit(w, 1, F_EXTRA, "v");
        break;
    case 'C':
        edit(w, 0, F_TITLE, "v");
        edit(w, 1, F_TITLE, "v");
        break;
    case 'b':
        edit(w, 0, F_PHONE, "+55");
        break;
    case 'B':
        edit(w, 1, F_PHONE, "+55");
        break;
    case 'g':
        edit(w, 0, F_EXTRA, "v");
        break;
    case 'n':
        person(w, 0, "m", false);
        break;
    case 'N':
        person(w, 1, "m", false);
        break;
    case 'w':
        person(w, 0, "m", true);
        break;
    case 'W':
        person(w, 1, "m", true);
        break;
    case '0':
        person(w, 0, "", false);
        break;
    case '2':
        person(w, 0, "2", false);
        break;
    case 't':
        state_of(w, 0, TL_STATE_LIVE, TL_STATE_TRASHED);
        break;
    case 'T':
        state_of(w, 1, TL_STATE_LIVE, TL_STATE_TRASHED);
        break;
    case 'd':
        state_of(w, 0, TL_STATE_LIVE, TL_STATE_DELETED);
        break;
    case 'D':
        state_of(w, 1, TL_STATE_LIVE, TL_STATE_DELETED);
        break;
    case 'R':
        state_of(w, 1, TL_STATE_TRASHED, TL_STATE_LIVE);
        break;
    case 'm':
        merge(w, 0);
        break;
    case 'M':
        merge(w, 1);
        break;
    case 'a':
        move_account(w, 0);
        break;
    case 'A':
        move_account(w, 1);
        break;
    case 'h':
        hide(l, 50);
        break;
    case 'v':
        hide(l, 100);
        break;
    case 'H':
        hide(l, 0);
        break;
    case '.':
        life_wait(l, 30 * US_PER_S);
        break;
    case ':':
        life_wait(l, 1500 * US_PER_S);
        break;
    case '!':
        life_wait(l, 3 * US_PER_DAY);
        break;
    default:
        chaos_do(l, what);
    }
}
