/* The vocabulary is spelled in three places: the header for authors, the table that `discover` is compared with, and
 * the engine, which knows by which path a kind is matched and which kinds are called by telephone. They agree. */
#include "unit/unit.h"

#include "keys.h"
#include "linkset.h"
#include "vocabulary.h"

static bool in_words(const char *list, str word)
{
    str rest = str_of(list), one;
    while (str_split(&rest, ' ', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

/* The text from the heading of the vocabulary to the end of its comment. */
static void read_header(struct buf *out)
{
    char piece[4096];
    FILE *f = fopen(TIELINE_HEADER, "re");
    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buf_add(out, piece, n);
    fclose(f);
    const char *begin = strstr(buf_text(out), "---- Vocabulary 2 -"), *end = begin ? strstr(begin, "*/") : NULL;
    begin = begin ? strstr(begin, "* account:") : NULL;
    assert_true(begin && end && begin < end);
    AUTO(text_free) char *text = str_dup(str_n(begin, (size_t)(end - begin)));
    buf_clear(out);
    buf_text_add(out, text);
    for (char *p = out->p; *p; p++)
        *p = *p == '\n' || *p == '*' ? (p > out->p && p[-1] == '.' ? '*' : ' ') : *p;
}

enum { KINDS_MAX = 40 };

/* "account: name phone", "invoice, estimate: number": words into the kinds that stand before them. */
static size_t parse(const struct buf *text, char names[KINDS_MAX][32], struct buf paths[KINDS_MAX])
{
    str rest = buf_lent(text), word;
    size_t n = 0, first = 0;
    bool listing = false; /* "invoice," was read, and not yet its colon */
    while (str_split(&rest, ' ', &word)) {
        bool comma = str_ends(word, STR(",")), colon = str_ends(word, STR(":"));
        if (comma || colon) {
            assert_true(n < KINDS_MAX);
            first = listing ? first : n;
            snprintf(names[n++], sizeof names[0], "%.*s", (int)word.n - 1, word.p);
            listing = comma;
            continue;
        }
        for (size_t i = first; i < n && word.n; i++)
            buf_fmt(&paths[i], "%s%.*s", paths[i].n ? " " : "", STR_FMT(word));
    }
    return n;
}

static void the_header_lists_what_discover_is_compared_with(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    char names[KINDS_MAX][32];
    struct buf paths[KINDS_MAX] = {{0}};
    read_header(&text);
    size_t n = parse(&text, names, paths);
    assert_int_equal(n, vocabulary_n_kinds);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(names[i], vocabulary_kinds[i].kind);
        assert_string_equal(buf_text(&paths[i]), vocabulary_kinds[i].paths);
        buf_done(&paths[i]);
    }
}

/* Which columns lines have the header says in prose. */
static void the_header_names_the_columns_of_lines(void **state)
{
    (void)state;
    char piece[1 << 17];
    FILE *f = fopen(TIELINE_HEADER, "re");
    assert_non_null(f);
    piece[fread(piece, 1, sizeof piece - 1, f)] = 0;
    fclose(f);
    const char *at = strstr(piece, "columns of lines (TL_ROWS): ");
    assert_non_null(at);
    str said = str_of(at + strlen("columns of lines (TL_ROWS): ")), list = str_of(vocabulary_columns), one, column;
    assert_true(str_split(&said, '.', &one));
    while (str_split(&list, ' ', &column)) {
        str word;
        assert_true(str_split(&one, ',', &word));
        assert_true(str_eq(str_trim(word), column));
    }
    assert_int_equal(one.n, 0);
}

/* A path for which every type is wrong could be described by nobody. */
static void every_path_has_a_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < vocabulary_n_kinds; i++) {
        str rest = str_of(vocabulary_kinds[i].paths), path;
        while (str_split(&rest, ' ', &path)) {
            unsigned fit = 0;
            for (uint32_t type = TL_BOOL; type <= TL_BYTES; type++) {
                struct err e = {0};
                uint32_t from = 0;
                tl_field f = {.struct_size = sizeof f, .type = type, .path = path, .name = path};
                const tl_kind k = {.struct_size = sizeof k,
                                   .kind = str_of(vocabulary_kinds[i].kind),
                                   .n_fields = 1,
                                   .field_stride = sizeof f,
                                   .fields = &f};
                fit += !vocabulary_complaint(&k, &from, &e);
            }
            if (!fit)
                fail_msg("%s: no type fits \"%.*s\"", vocabulary_kinds[i].kind, STR_FMT(path));
        }
    }
}

static void the_engine_knows_no_other_words(void **state)
{
    (void)state;
    unsigned matched = 0;
    for (size_t i = 0; i < vocabulary_n_kinds; i++) {
        const char *paths = vocabulary_kinds[i].paths;
        str kind = str_of(vocabulary_kinds[i].kind), path = match_path_of(kind);
        if (path.n && !in_words(paths, path))
            fail_msg("%.*s is matched by \"%.*s\", which it does not have", STR_FMT(kind), STR_FMT(path));
        matched += path.n > 0;
        assert_int_equal(kind_has_callers(kind), in_words(paths, STR("phone")));
    }
    assert_int_equal(matched, 4); /* contact, user, account, product */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_lists_what_discover_is_compared_with),
        cmocka_unit_test(every_path_has_a_type),
        cmocka_unit_test(the_header_names_the_columns_of_lines),
        cmocka_unit_test(the_engine_knows_no_other_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
