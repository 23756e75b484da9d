#ifndef UNIT_H
#define UNIT_H
/* What every cmocka program includes: the headers cmocka wants, in its order, and comparisons that print both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "str.h"

/* No test is left out without a printed reason. */
#define skip_because(reason)                                                                                           \
    do {                                                                                                               \
        print_message("%s\n", reason);                                                                                 \
        skip();                                                                                                        \
    } while (0)
#define assert_str(actual, literal)                                                                                    \
    do {                                                                                                               \
        str actual_ = (actual);                                                                                        \
        char *text_ = str_dup(actual_);                                                                                \
        assert_string_equal(text_, literal);                                                                           \
        text_free(text_);                                                                                              \
    } while (0)
#define assert_buf(b, literal) assert_str(buf_lent(&(b)), literal)
#endif
