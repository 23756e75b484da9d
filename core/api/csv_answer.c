/* See csv_answer.h. */
#include "csv_answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "csv.h"
#include "times.h"
#include "transform_int.h"

bool csv_wanted(const struct request *rq)
{
    str rest = request_header(rq, "Accept"), part;
    while (str_split(&rest, ',', &part)) {
        str type;
        str_split(&part, ';', &type);
        if (str_eq_nocase(str_trim(type), STR("text/csv")))
            return true;
    }
    return false;
}

/* Times as people of a zone read them: "2026-11-22 02:36:50+01:00". */
static int csv_time(struct arena *a, str zone, const char *rfc3339, struct buf *out, struct err *e)
{
    int64_t us = 0, offset = 0, days = 0, year = 0;
    int month = 0, day = 0;
    if (zone.n == 0 || !time_parse(str_of(rfc3339), &us)) {
        buf_text_add(out, rfc3339);
        return TL_OK;
    }
    const struct zone *z = zone_open(zone, a);
    if (!z) {
        err_set(e, E_USAGE, "\"%.*s\" is not a time zone that is known here", STR_FMT(zone));
        err_hint(e, "a name as \"Europe/Berlin\" or \"America/Sao_Paulo\"");
        return E_USAGE;
    }
    offset = zone_offset_us(z, us);
    us += offset;
    days = us >= 0 ? us / US_PER_DAY : -((-us + US_PER_DAY - 1) / US_PER_DAY);
    int64_t second = (us - days * US_PER_DAY) / US_PER_S, minutes = offset / (60 * US_PER_S);
    int64_t away = minutes < 0 ? -minutes : minutes;
    date_to_civil(days, &year, &month, &day);
    buf_fmt(out, "%04" PRId64 "-%02d-%02d %02" PRId64 ":%02" PRId64 ":%02" PRId64 "%c%02" PRId64 ":%02" PRId64, year,
            month, day, second / 3600, second / 60 % 60, second % 60, minutes < 0 ? '-' : '+', away / 60, away % 60);
    return TL_OK;
}

static int cell(struct request *rq, struct csv *c, const struct csv_column *column, const json_t *v, struct err *e)
{
    if (!column->time || !json_is_string(v)) {
        csv_json(c, v);
        return TL_OK;
    }
    AUTO(buf_done) struct buf text = {0};
    int rc = csv_time(&rq->arena, request_param(rq, "tz"), json_string_value(v), &text, e);
    csv_text(c, buf_lent(&text));
    return rc;
}

int csv_answer(struct request *rq, json_t **answer, const struct csv_column *columns, struct err *e)
{
    struct csv c = {.out = &rq->text};
    size_t i;
    json_t *row;
    int rc = TL_OK;
    for (const struct csv_column *k = columns; k->title; k++)
        csv_text(&c, str_of(k->title));
    csv_end(&c);
    json_array_foreach(json_object_get(*answer, "items"), i, row)
    {
        for (const struct csv_column *k = columns; k->title && rc == TL_OK; k++)
            rc = cell(rq, &c, k, json_object_get(row, k->member), e);
        csv_end(&c);
    }
    json_decref(*answer);
    *answer = NULL;
    rq->text_type = "text/csv; charset=utf-8";
    return rc;
}
