#ifndef SANDBOX_PEOPLE_H
#define SANDBOX_PEOPLE_H
/* The population of a sandbox: companies and persons by seed and size, the same for the help desk's twin and the CRM's
 * twin. Each is known to one side or to both (80 % each, 60 % common), some values differ between the sides as they do
 * in life, and a handful are planted: cases the demo must report, by id and reason. Immutable once made. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "cleanup.h"
#include "str.h"

enum side { SIDE_DESK, SIDE_CRM, SIDE_COUNT };

enum planted {
    PLANT_NONE,
    PLANT_EMAIL_TWICE,  /* two persons of one side with one e-mail: the later one is ALREADY_MAPPED */
    PLANT_NO_EMAIL,     /* contact without e-mail: created on the other side all the same */
    PLANT_NAME_ONLY,    /* account of both sides with nothing but its name: matched by it */
    PLANT_TOO_LONG,     /* a value longer than the other side takes: TOO_LONG */
    PLANT_NOT_A_NUMBER, /* text in the desk's text field that the CRM keeps as a number: TYPE_MISMATCH */
    PLANT_LATE_ACCOUNT, /* its account exists on its own side only and was made after it: waits, then is paired */
};
const char *planted_name(enum planted p); /* "email-twice"; "" for none */
/* The failure code expected of the record on this side, NULL when it is expected to end up paired. */
const char *planted_reason(enum planted p);

enum { NO_COMPANY = -1 };

struct company {
    const char *name, *website, *phone, *industry, *street, *city, *state, *zip, *country,
        *description; /* NULL: empty */
    int64_t created_us, modified_us[SIDE_COUNT];
    bool on[SIDE_COUNT];
    enum planted planted;
};

struct person {
    const char *first, *last, *email, *phone, *mobile, *street, *city, *state, *zip, *country; /* NULL: empty */
    const char *title[SIDE_COUNT]; /* differs for some: the side modified later has the newer one */
    const char *customer_number;   /* desk: text field cf_customer_number; CRM: number field Customer_Number__c */
    int company;                   /* index, or NO_COMPANY; the company is on every side the person is on */
    int64_t created_us, modified_us[SIDE_COUNT];
    bool on[SIDE_COUNT];
    enum planted planted; /* with PLANT_EMAIL_TWICE only the later of the two carries it */
};

struct people_plan {
    uint64_t seed;
    int contacts, accounts; /* persons and companies on each side, about; the union is larger */
    bool planted;           /* with the planted cases */
    bool crm_empty;         /* nobody on the CRM's side: for a first sync into an empty system */
    int64_t now_us;         /* all times lie before */
};
struct people {
    struct company *companies; /* by created_us, ascending */
    struct person *persons;    /* by created_us, ascending */
    int company_count, person_count;
    struct arena *arena; /* holds every text */
};
struct people *people_new(const struct people_plan *plan);
struct people *people_free(struct people *p); /* returns NULL */
AUTO_FN(struct people *, people_free)
#endif
