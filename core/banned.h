#ifndef BANNED_H
#define BANNED_H
/* Calls that do not compile here: included before every source of core, sandbox, kit and plugins by a compiler flag.
 * The name that the compiler complains about says what to use instead. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#define alloca(...) banned_alloca_use_an_arena

/* No bound on what is written. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy
#undef sprintf
#undef vsprintf
#undef gets
#define strcpy(...)   banned_strcpy_use_buf_or_arena_str
#define strcat(...)   banned_strcat_use_buf
#define strncpy(...)  banned_strncpy_may_leave_text_unterminated
#define strncat(...)  banned_strncat_use_buf
#define stpcpy(...)   banned_stpcpy_use_buf
#define sprintf(...)  banned_sprintf_use_snprintf_or_buf_fmt
#define vsprintf(...) banned_vsprintf_use_vsnprintf_or_buf_fmtv
#define gets(...)     banned_gets

/* Hidden state, shared by threads. */
#undef strtok
#undef gmtime
#undef localtime
#undef asctime
#undef ctime
#undef rand
#undef srand
#define strtok(...)    banned_strtok_use_str_split
#define gmtime(...)    banned_gmtime_use_times_h
#define localtime(...) banned_localtime_times_are_utc
#define asctime(...)   banned_asctime_use_times_h
#define ctime(...)     banned_ctime_use_times_h
#define rand(...)      banned_rand_use_env_random
#define srand(...)     banned_srand_use_env_random

/* Errors cannot be told from values. */
#undef atoi
#undef atol
#undef atoll
#undef atof
#define atoi(...)  banned_atoi_use_str_to_i64
#define atol(...)  banned_atol_use_str_to_i64
#define atoll(...) banned_atoll_use_str_to_i64
#define atof(...)  banned_atof_decimals_are_text

/* A shell between us and a program; names that another process can take first. */
#undef system
#undef popen
#undef tmpnam
#undef mktemp
#define system(...) banned_system_no_shell
#define popen(...)  banned_popen_no_shell
#define tmpnam(...) banned_tmpnam_use_mkstemp
#define mktemp(...) banned_mktemp_use_mkstemp
#endif
