#ifndef CONTEXT_INT_H
#define CONTEXT_INT_H
/* Shared by the parts of the context. It is put together in rounds: from what is stored and what was answered; where
 * something is missing the question is noted, all of them are asked at once, and it is put together again. */
#include "connections.h"
#include "context.h"
#include "endpoints.h"
#include "facts.h"
#include "permission.h"

enum { QUESTIONS_MAX = 256 };

struct round {
    struct db *r;
    struct arena a; /* of this round */
    struct view_kinds kinds;
    const struct context_ask *ask;
    bool everything; /* else what is granted to this profile */
    str profile;
    struct known *known;
};

struct known {      /* over all rounds */
    struct arena a; /* texts of the questions */
    struct question questions[QUESTIONS_MAX];
    struct answer answers[QUESTIONS_MAX];
    size_t n, n_asked;
};
/* The answer, if it was asked for in an earlier round (it may be late); else NULL, and it is asked next. */
const struct answer *round_know(struct round *w, const struct question *q);

/* What is known of a record. */
enum sight { SIGHT_MISSING /* a question is out */, SIGHT_LATE, SIGHT_FAILED, SIGHT_NONE, SIGHT_SHOWN };
struct seen_record {
    enum sight sight;
    struct facts facts;
    const char *text; /* SIGHT_FAILED: why */
    int64_t asked_us; /* 0: as stored */
};
/* As its vendor tells it. */
void record_ask(struct round *w, int64_t endpoint, str kind, str id, struct seen_record *out);
/* As it is stored; else as its vendor tells it. */
void record_know(struct round *w, int64_t endpoint, str kind, str id, struct seen_record *out);

/* Somebody or something of the help desk, and its kind. */
struct subject {
    str kind; /* "contact", "account" */
    str id;
    struct facts facts;
};
/* Who is meant by it at the other end. */
struct match {
    enum sight sight;
    bool ambiguous;
    str kind, id;
    const char *by; /* "pair", "email", "name" */
    const char *text;
};
int match_find(struct round *w, const struct connection *c, int side, const struct subject *of, struct match *out,
               struct err *e);
#endif
