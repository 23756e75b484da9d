/* tielined --doctor: see doctor.h. */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "confine_probe.h"
#include "env.h"
#include "process.h"
#include "runtime.h"

enum { MIB = 1 << 20, DISK_ERROR_MIB = 100, DISK_WARN_MIB = 1024, DISK_WARN_PERCENT = 5, CA_BYTES_MAX = 16 << 20 };
#define BUILT_AT   INT64_C(1767225600) /* 2026-01-01: before it no clock can be right */
#define CA_DEFAULT "/etc/ssl/certs/ca-certificates.crt"
#define ZONES      "/usr/share/zoneinfo"

struct doctor {
    const struct config *config;
    const char *check;
    int errors;
};

/* ---- telling ---- */

static void tell(struct doctor *d, const char *level, const char *text, const char *hint)
{
    json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "check", d->check, "level", level, "text", text, "hint", hint);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
    d->errors += strcmp(level, "error") == 0;
}

static void PRINTF_LIKE(4, 5) say(struct doctor *d, const char *level, const char *hint, const char *fmt, ...)
{
    char text[8192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tell(d, level, text, hint);
}

#define OK(d, ...)            say(d, "ok", "", __VA_ARGS__)
#define WARNING(d, hint, ...) say(d, "warning", hint, __VA_ARGS__)
#define ERROR(d, hint, ...)   say(d, "error", hint, __VA_ARGS__)

/* ---- the kernel and the machine ---- */

static void look_at_kernel(struct doctor *d)
{
    struct confine_abilities can;
    confine_probe(&can);
    d->check = "landlock";
    if (can.landlock)
        OK(d, "version %u: connectors see the files of their libraries and of granted directories alone", can.landlock);
    else
        WARNING(
            d, "boot a kernel with Landlock (5.13 or later, \"landlock\" in lsm=)",
            "this kernel has none: connectors see the files of the daemon's user while they are loaded, and none can "
            "be granted a directory");
    d->check = "seccomp";
    if (!can.filters)
        ERROR(d, "boot a kernel with CONFIG_SECCOMP_FILTER; without it connectors run with isolation = inprocess alone",
              "this kernel has no filters of system calls: no worker can be confined");
    else if (!can.listens)
        WARNING(d, "nothing must be done; a kernel since 5.9 would tell which call it was",
                "filters work; what a connector tries in vain is not told to the daemon");
    else
        OK(d, "filters work, and what a connector tries in vain is told to the daemon");
}

static void look_at_clock(struct doctor *d)
{
    d->check = "clock";
    char text[64];
    time_t now = time(NULL);
    struct tm tm;
    struct timex state = {.modes = 0};
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    static const char hint[] = "run a time service: apt install systemd-timesyncd, then timedatectl set-ntp true";
    int rc = adjtimex(&state);
    if (now < BUILT_AT)
        ERROR(d, hint, "it is %s, which is long ago: sign-ins and webhooks fail, and the newer of two edits is guessed",
              text);
    else if (rc < 0 || rc == TIME_ERROR || (state.status & STA_UNSYNC))
        WARNING(d, hint, "it is %s; nobody keeps the clock right (vendors' clocks are measured, but only up to now)",
                text);
    else
        OK(d, "it is %s, kept right by a time service", text);
    d->check = "time zones";
    if (access(ZONES "/Europe/Berlin", R_OK) == 0)
        OK(d, "known, from \"" ZONES "\"");
    else
        WARNING(d, "apt install tzdata",
                "\"" ZONES "\" lacks them: quiet_hours and transforms of times know UTC alone");
}

/* ---- files ---- */

static void look_at_config(struct doctor *d)
{
    d->check = "configuration";
    const struct ini *ini = &d->config->ini;
    for (const struct finding *f = ini->findings; f; f = f->next)
        say(d, f->level == FINDING_ERROR ? "error" : "warning", "tieline config check tells all of it", "%s:%d: %s",
            f->file ? f->file : d->config->path, f->line, f->text);
    if (!ini->findings)
        OK(d, "\"%s\" reads well", d->config->path);
    if (d->config->development)
        WARNING(d, "take it out where real records are synced",
                "[core] development = yes: connectors of the daemon's own user are trusted, plain http to loopback is "
                "allowed");
}

static void look_at_state(struct doctor *d, const char *path)
{
    d->check = "state directory";
    struct stat st;
    if (stat(path, &st) != 0)
        WARNING(d, "tielined makes it at its first start, where it may write the directory above", "\"%s\": %s", path,
                strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        ERROR(d, "correct [core] state_dir", "\"%s\" is not a directory", path);
    else if (st.st_mode & (S_IWGRP | S_IRWXO))
        ERROR(d, "chown it to the user tielined runs as, and chmod 0700 it", "\"%s\" is open to others (mode %04o)",
              path, st.st_mode & 07777);
    else
        OK(d, "\"%s\", of uid %u, closed to others", path, st.st_uid);
    d->check = "user";
    if (stat(path, &st) == 0 && st.st_uid == 0 && !d->config->development)
        WARNING(d, "run it as a user of its own, as tieline.service does",
                "the state belongs to root: so the daemon "
                "runs as root");
}

static void look_at_disk(struct doctor *d, const char *check, const char *path)
{
    d->check = check;
    struct statvfs fs;
    if (statvfs(path, &fs) != 0)
        return; /* it is not there yet, which is told */
    unsigned long long free_mib = (unsigned long long)fs.f_bavail * fs.f_frsize / MIB;
    unsigned percent = fs.f_blocks ? (unsigned)(fs.f_bavail * 100 / fs.f_blocks) : 100;
    static const char hint[] = "make room, or move the directory; a full disk stops every sync";
    if (fs.f_flag & ST_RDONLY)
        ERROR(d, "mount it for writing", "\"%s\" is mounted read-only", path);
    else if (free_mib < DISK_ERROR_MIB)
        ERROR(d, hint, "\"%s\": %llu MiB free (%u %%)", path, free_mib, percent);
    else if (free_mib < DISK_WARN_MIB || percent < DISK_WARN_PERCENT)
        WARNING(d, hint, "\"%s\": %llu MiB free (%u %%)", path, free_mib, percent);
    else
        OK(d, "\"%s\": %llu MiB free (%u %%)", path, free_mib, percent);
}

static void look_at_database(struct doctor *d, const char *state)
{
    d->check = "database file";
    static const char magic[16] = "SQLite format 3";
    char path[4096], head[sizeof magic] = "";
    snprintf(path, sizeof path, "%s/tieline.db", state);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        OK(d, "\"%s\" is not made yet", path);
        return;
    }
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    bool known = fd >= 0 && fstat(fd, &st) == 0;
    if (n < 0 || !known)
        WARNING(d, "run this as root or as the daemon's user", "\"%s\": %s", path, strerror(errno));
    else if (n > 0 && memcmp(head, magic, sizeof magic) != 0)
        ERROR(d, "put a backup in its place: docs/operations.md", "\"%s\" is no database", path);
    else if (st.st_mode & (S_IRWXG | S_IRWXO))
        WARNING(d, "chmod 0600 it", "\"%s\" is open to others (mode %04o)", path, st.st_mode & 07777);
    else
        OK(d, "\"%s\", %lld MiB", path, (long long)(st.st_size / MIB));
    if (fd >= 0)
        close(fd);
}

static void look_at_key(struct doctor *d, const char *state)
{
    d->check = "key file";
    const char *path = config_get(d->config, "core", "key_file");
    struct stat st, of_state;
    struct seal_key key;
    struct err e = {0};
    bool closed = stat(path, &st) != 0 && errno == EACCES;
    bool others = !closed && stat(path, &st) == 0 && stat(state, &of_state) == 0 && st.st_uid == of_state.st_uid &&
                  st.st_uid != geteuid() && !(st.st_mode & (S_IRWXG | S_IRWXO));
    if (closed) {
        WARNING(d, "run this as root or as the daemon's user", "\"%s\": this user may not look at it", path);
    } else if (others || daemon_key(d->config, &key, &e) == TL_OK) {
        OK(d, "\"%s\" holds a key, closed to others; a backup without it cannot be read: keep a copy elsewhere", path);
        seal_key_wipe(&key);
    } else {
        tell(d, "error", e.text, e.hint);
    }
}

/* How many certificates a file of them has; -1: it cannot be read. */
static int certificates_in(const char *path)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    FILE *f = fopen(path, "re");
    char line[256];
    int n = 0;
    if (!f)
        return -1;
    while (fgets(line, sizeof line, f))
        n += strncmp(line, begin, sizeof begin - 1) == 0;
    fclose(f);
    return n;
}

static void look_at_roots(struct doctor *d)
{
    d->check = "certificates";
    const char *own = config_get(d->config, "http", "ca_file");
    const char *path = own && *own ? own : CA_DEFAULT;
    int n = certificates_in(path);
    if (n <= 0)
        ERROR(d, own && *own ? "correct [http] ca_file" : "apt install ca-certificates",
              "\"%s\" %s: no vendor can be reached over https", path, n < 0 ? "cannot be read" : "has none");
    else
        OK(d, "%d trusted roots in \"%s\"", n, path);
}

/* ---- what runs ---- */

static void look_at_worker(struct doctor *d, const char *path)
{
    d->check = "worker";
    if (access(path, X_OK) == 0)
        OK(d, "\"%s\"", path);
    else
        ERROR(d, "install the package again, or correct [core] worker", "\"%s\": %s", path, strerror(errno));
}

static void look_at_connector(struct doctor *d, const struct runtime_config *runtime, const char *name)
{
    AUTO(verified_done) struct verified found = {.manifest = NULL};
    struct err e = {0};
    AUTO(buf_done) struct buf check = {.max = 128};
    buf_fmt(&check, "connector %s", name);
    d->check = buf_text(&check);
    if (runtime_verify(runtime, name, &found, &e))
        tell(d, "error", e.text, e.hint[0] ? e.hint : "tieline connector verify tells more");
    else
        OK(d, "\"%s\" would be loaded: version %s, grade %s", found.source, found.manifest->version,
           grade_name(found.grade));
    d->check = "connector";
}

static void look_at_connectors(struct doctor *d)
{
    char scratch[] = "/tmp/tieline-doctor-XXXXXX";
    AUTO(arena_done) struct arena a = {0};
    struct runtime_config runtime = {.env = &env_real,
                                     .connector_dir = daemon_connector_dir(d->config),
                                     .worker_path = daemon_worker_path(d->config, &a),
                                     .state_dir = mkdtemp(scratch),
                                     .development = d->config->development};
    look_at_worker(d, runtime.worker_path);
    str rest = str_of(config_get(d->config, "connectors", "enable")), word;
    while (runtime.state_dir && str_split(&rest, ',', &word))
        if (str_trim(word).n)
            look_at_connector(d, &runtime, arena_str(&a, str_trim(word)).p);
    if (runtime.state_dir)
        (void)rmdir(runtime.state_dir);
}

int doctor_run(struct config *c)
{
    struct doctor d = {.config = c};
    const char *state = config_get(c, "core", "state_dir"), *backups = config_get(c, "store", "backup_dir");
    look_at_config(&d);
    look_at_kernel(&d);
    look_at_clock(&d);
    look_at_state(&d, state);
    look_at_disk(&d, "disk", state);
    if (backups && *backups)
        look_at_disk(&d, "disk of backups", backups);
    look_at_database(&d, state);
    look_at_key(&d, state);
    look_at_roots(&d);
    look_at_connectors(&d);
    return d.errors ? 1 : 0;
}
