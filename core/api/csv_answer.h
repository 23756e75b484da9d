#ifndef CSV_ANSWER_H
#define CSV_ANSWER_H
/* Lists as CSV for those who ask for text/csv. [any] */
#include "server.h"

struct csv_column {
    const char *title, *member;
    bool time; /* in the zone of the request (?tz=Europe/Berlin), else UTC */
};
bool csv_wanted(const struct request *rq);
/* The items of *answer as the request's answer; *answer is taken and NULL then. E_USAGE: the zone is not known. */
int csv_answer(struct request *rq, json_t **answer, const struct csv_column *columns, struct err *e);
#endif
