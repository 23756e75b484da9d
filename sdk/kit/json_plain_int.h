/* SPDX-License-Identifier: MIT-0 */
/* What the reader and the writer of JSON have in common: most text needs no look at its single characters. For the
 * kit's own files. */
#ifndef TLK_JSON_PLAIN_INT_H
#define TLK_JSON_PLAIN_INT_H
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* First byte that is a quote, a backslash, a control character or not ASCII. */
static inline const char *tlk_json_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* as signed bytes, "below space" is both: control characters and everything from 0x80 */
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmplt_epi8(v, space));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= ' ')
        p++;
    return p;
}
#endif
