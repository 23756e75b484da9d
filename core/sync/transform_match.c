/* match: regular expressions, by PCRE2 with limits on steps, depth and memory and without a just-in-time compiler. All
 * its memory is the arena's. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "transform_int.h"

enum { PATTERN_MAX = 1000, MATCH_STEPS = 100000, MATCH_DEPTH = 10000, MATCH_HEAP_KIB = 1024 };

static void *take_memory(PCRE2_SIZE n, void *arena)
{
    return arena_alloc(arena, n);
}

static void leave_memory(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

bool match_compile(struct parse *p, struct step *s)
{
    if (!arg_is_text(p, s, 0) || (s->n_args > 1 && !arg_is_number(p, s, 1, 0, 99, &s->n[0])))
        return false;
    str pattern = s->args[0].text;
    if (pattern.n == 0 || pattern.n > PATTERN_MAX)
        return arg_wrong(p, s, s->args[0].column, "", "a pattern has 1 to %d bytes", PATTERN_MAX);
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, leave_memory, p->a);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    if (!compiled) {
        PCRE2_UCHAR text[160] = {0};
        pcre2_get_error_message(code, text, sizeof text);
        return arg_wrong(p, s, s->args[0].column, "", "the pattern is wrong at its character %zu: %s", at + 1,
                         (const char *)text);
    }
    uint32_t groups = 0;
    pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (s->n_args < 2)
        s->n[0] = groups ? 1 : 0;
    if ((uint64_t)s->n[0] > groups)
        return arg_wrong(p, s, s->args[1].column, "0 is all of what is found", "the pattern has %u group%s", groups,
                         groups == 1 ? "" : "s");
    s->compiled = compiled;
    return true;
}

enum transform_outcome match_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in);
    AUTO(arena_done) struct arena scratch = {0};
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, leave_memory, &scratch);
    pcre2_match_context *limits = pcre2_match_context_create(memory);
    pcre2_set_match_limit(limits, MATCH_STEPS);
    pcre2_set_depth_limit(limits, MATCH_DEPTH);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
    pcre2_match_data *found = pcre2_match_data_create_from_pattern(s->compiled, memory);
    int n = pcre2_match(s->compiled, (PCRE2_SPTR)text.p, text.n, 0, 0, found, limits);
    if (n == PCRE2_ERROR_NOMATCH) {
        *out = (tl_value){.type = TL_NULL};
        return TRANSFORM_OK;
    }
    if (n < 0) {
        bool limit = n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_HEAPLIMIT;
        return cannot(r, s, TL_R_OTHER, limit ? "the pattern takes too many steps on %.*s" : "%.*s cannot be searched",
                      STR_FMT(shown(r, in)));
    }
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(found);
    PCRE2_SIZE from = ends[2 * s->n[0]], to = ends[2 * s->n[0] + 1];
    if (s->n[0] >= n || from == PCRE2_UNSET || to < from) {
        *out = (tl_value){.type = TL_NULL};
        return TRANSFORM_OK;
    }
    return give_text(r, s, str_n(text.p + from, to - from), out);
}
