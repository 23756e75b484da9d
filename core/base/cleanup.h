#ifndef CLEANUP_H
#define CLEANUP_H
/* One pattern of cleanup: AUTO(fn) runs fn on a local at every way out; take() moves ownership away from it.
 *   AUTO(text_free) char *copy = text_dup(s);          freed at return
 *   *out = take(copy);                                 now the caller's
 * fn gets the local's value (AUTO_FN defines it for pointers) or its address (AUTO_DONE, for structs). */
#define AUTO(fn) __attribute__((cleanup(fn##_auto_)))
/* Defines the glue for a destructor `struct x *x_free(struct x *)`; put it after the prototype. */
#define AUTO_FN(type, fn)                                                                                              \
    static inline void fn##_auto_(type *p)                                                                             \
    {                                                                                                                  \
        if (*p)                                                                                                        \
            fn(*p);                                                                                                    \
    }
/* Glue for a destructor of contents, `void x_done(struct x *)`. */
#define AUTO_DONE(type, fn)                                                                                            \
    static inline void fn##_auto_(type *p)                                                                             \
    {                                                                                                                  \
        fn(p);                                                                                                         \
    }
/* Closes a descriptor, if it is one, and sets it to -1. */
void fd_close(int *fd);
AUTO_DONE(int, fd_close)
#define take(p)                                                                                                        \
    __extension__({                                                                                                    \
        __typeof__(p) taken_ = (p);                                                                                    \
        (p) = NULL;                                                                                                    \
        taken_;                                                                                                        \
    })
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))
/* Active in release too: a broken invariant ends the process; the store makes that safe. */
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void assert_failed(const char *cond, const char *file, int line);
/* Kept on purpose for as long as the process lives, with nobody who knows it: no leak to report. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define KEEP_FOR_EVER(p) __lsan_ignore_object(p)
#else
#define KEEP_FOR_EVER(p) ((void)(p))
#endif
#endif
