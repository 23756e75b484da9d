/* The file itself, before any of its code runs. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { GLOBALS_FREE = 64 /* bytes that compiler and C library put there by themselves */ };

/* A mapped ELF64 file of this machine; every offset is looked at before it is used. */
struct elf {
    const uint8_t *p;
    size_t n;
    const Elf64_Shdr *sections;
    unsigned n_sections;
    const char *names; /* of sections */
    size_t n_names;
};

static const void *piece(const struct elf *x, uint64_t offset, uint64_t n)
{
    return offset <= x->n && n <= x->n - offset ? x->p + offset : NULL;
}

static void open_elf(struct check *c, struct elf *x)
{
    int fd = open(c->project->so, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
        check_fail(c, "it cannot be read, or is no shared object");
    x->n = (size_t)st.st_size;
    x->p = mmap(NULL, x->n, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (x->p == MAP_FAILED)
        check_fail(c, "it cannot be mapped");
    Elf64_Ehdr h;
    memcpy(&h, x->p, sizeof h);
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_type != ET_DYN)
        check_fail(c, "it is no 64-bit shared object");
    x->n_sections = h.e_shnum;
    x->sections = piece(x, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr));
    if (!x->sections || h.e_shstrndx >= h.e_shnum)
        check_fail(c, "its section table is cut off or gone");
    const Elf64_Shdr *s = &x->sections[h.e_shstrndx];
    x->names = piece(x, s->sh_offset, s->sh_size);
    x->n_names = s->sh_size;
    if (!x->names || x->n_names == 0 || x->names[x->n_names - 1])
        check_fail(c, "its names of sections are cut off");
}

static const Elf64_Shdr *section(const struct elf *x, uint32_t type)
{
    for (unsigned i = 0; i < x->n_sections; i++)
        if (x->sections[i].sh_type == type)
            return &x->sections[i];
    return NULL;
}

static const char *text_at(const struct elf *x, const Elf64_Shdr *of, uint64_t offset)
{
    if (of->sh_link >= x->n_sections)
        return "";
    const Elf64_Shdr *s = &x->sections[of->sh_link];
    const char *texts = piece(x, s->sh_offset, s->sh_size);
    return texts && offset < s->sh_size && memchr(texts + offset, 0, s->sh_size - offset) ? texts + offset : "";
}

/* The table of symbols: *s is its section, the list is as long as that says. */
static const Elf64_Sym *open_symbols(struct check *c, struct elf *x, const Elf64_Shdr **s)
{
    open_elf(c, x);
    *s = section(x, SHT_DYNSYM);
    const Elf64_Sym *list = *s ? piece(x, (*s)->sh_offset, (*s)->sh_size) : NULL;
    if (!list)
        check_fail(c, "it has no table of symbols");
    return list;
}

static void symbols(struct check *c)
{
    struct elf x = {0};
    const Elf64_Shdr *s;
    const Elf64_Sym *list = open_symbols(c, &x, &s);
    bool entry = false;
    for (size_t i = 1; i < s->sh_size / sizeof *list; i++) {
        const char *name = text_at(&x, s, list[i].st_name);
        unsigned bind = ELF64_ST_BIND(list[i].st_info);
        if (list[i].st_shndx == SHN_UNDEF || (bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE))
            continue;
        if (strcmp(name, "tieline_connector_v0") != 0)
            check_fail(c, "it also exports \"%s\": link with the version script, or make it static", name);
        entry = true;
    }
    if (!entry)
        check_fail(c, "it does not export tieline_connector_v0");
}

/* Calls fn with each entry of the dynamic section. */
static void dynamic(struct check *c, void (*fn)(struct check *, uint64_t tag, uint64_t value, const char *text))
{
    struct elf x = {0};
    open_elf(c, &x);
    const Elf64_Shdr *s = section(&x, SHT_DYNAMIC);
    const Elf64_Dyn *d = s ? piece(&x, s->sh_offset, s->sh_size) : NULL;
    if (!d)
        check_fail(c, "it has no dynamic section");
    for (size_t i = 0; i < s->sh_size / sizeof *d && d[i].d_tag != DT_NULL; i++)
        fn(c, (uint64_t)d[i].d_tag, d[i].d_un.d_val, text_at(&x, s, d[i].d_un.d_val));
}

static void library(struct check *c, uint64_t tag, uint64_t value, const char *text)
{
    static const char *const refused[] = {"libcurl", "libssl", "libgnutls", "libnss", "libcrypto", "libsoup"};
    static const char *const plain[] = {"libc.", "libm.", "libpthread.", "libdl.", "librt.", "ld-linux", "libgcc_s."};
    (void)value;
    if (tag != DT_NEEDED)
        return;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (str_starts(str_of(text), str_of(refused[i])))
            check_fail(c, "it needs %s: a connector has no sockets, HTTP is the host's", text);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (str_starts(str_of(text), str_of(plain[i])))
            return;
    check_note(c, "it needs %s, which has to be installed wherever it runs", text);
}

static void libraries(struct check *c)
{
    dynamic(c, library);
}

static void flag(struct check *c, uint64_t tag, uint64_t value, const char *text)
{
    (void)value;
    if (tag == DT_RPATH || tag == DT_RUNPATH)
        check_fail(c, "it brings a search path of its own (%s): link without -rpath", text);
    if (tag == DT_TEXTREL)
        check_fail(c, "its code is changed when it is loaded (TEXTREL): compile with -fPIC");
}

static void hardening(struct check *c)
{
    dynamic(c, flag);
    struct elf x = {0};
    open_elf(c, &x);
    for (unsigned i = 0; i < x.n_sections; i++) {
        const char *name = x.sections[i].sh_name < x.n_names ? x.names + x.sections[i].sh_name : "";
        if ((x.sections[i].sh_flags & SHF_WRITE) && (x.sections[i].sh_flags & SHF_EXECINSTR))
            check_fail(c, "its section %s can be both written and run", name);
    }
}

static bool is_own(const char *name)
{
    static const char *const toolchain[] = {"__", "_", "completed.", "object."}; /* of compiler, linker, C library */
    for (size_t i = 0; i < ARRAY_LEN(toolchain); i++)
        if (str_starts(str_of(name), str_of(toolchain[i])))
            return false;
    return true;
}

static bool is_writable(const struct elf *x, unsigned i)
{
    if (i == SHN_UNDEF || i >= x->n_sections)
        return false;
    const Elf64_Shdr *s = &x->sections[i];
    const char *name = s->sh_name < x->n_names ? x->names + s->sh_name : "";
    return str_starts(str_of(name), STR(".data.rel.ro"))
               ? false
               : str_starts(str_of(name), STR(".data")) || str_starts(str_of(name), STR(".bss")) ||
                     (s->sh_flags & SHF_TLS);
}

/* By name where the file still has its table of symbols; by size where it was stripped. */
static void globals(struct check *c)
{
    struct elf x = {0};
    open_elf(c, &x);
    const Elf64_Shdr *s = section(&x, SHT_SYMTAB);
    const Elf64_Sym *list = s ? piece(&x, s->sh_offset, s->sh_size) : NULL;
    for (size_t i = 1; list && i < s->sh_size / sizeof *list; i++) {
        const char *name = text_at(&x, s, list[i].st_name);
        unsigned type = ELF64_ST_TYPE(list[i].st_info);
        if ((type == STT_OBJECT || type == STT_TLS) && is_writable(&x, list[i].st_shndx) && is_own(name))
            check_fail(c, "\"%s\" is a writable global: instances run on several threads, keep it in tl_conn", name);
    }
    uint64_t bytes = 0;
    for (unsigned i = 0; i < x.n_sections; i++)
        bytes += is_writable(&x, i) ? x.sections[i].sh_size : 0;
    if (!list && bytes > GLOBALS_FREE)
        check_fail(c, "%llu bytes of writable globals: instances run on several threads", (unsigned long long)bytes);
}

/* What only the host may do: a call that the cell of the worker would refuse, or a clock that is not the host's. */
static const char *instead_of(const char *symbol)
{
    static const struct {
        const char *symbols, *instead;
    } rows[] = {
        {"socket,socketpair,connect,bind,listen,accept,accept4,getaddrinfo,gethostbyname", "HTTP is host->http"},
        {"fork,vfork,system,popen,execl,execlp,execle,execv,execvp,execvpe,execve,posix_spawn,posix_spawnp",
         "a connector starts no process"},
        {"time,gettimeofday,clock_gettime,timespec_get,clock", "the only clock is host->now_us"},
        {"sleep,usleep,nanosleep,clock_nanosleep", "host->sleep_ms wakes when the host asks to stop"},
        {"signal,sigaction,atexit", "a connector installs no handlers"},
        {"exit,_exit,quick_exit", "a connector ends with a status, never its process"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_in_list(str_of(rows[i].symbols), str_of(symbol)))
            return rows[i].instead;
    return NULL;
}

static void imports(struct check *c)
{
    struct elf x = {0};
    const Elf64_Shdr *s;
    const Elf64_Sym *list = open_symbols(c, &x, &s);
    for (size_t i = 1; i < s->sh_size / sizeof *list; i++) {
        const char *name = text_at(&x, s, list[i].st_name);
        const char *instead = list[i].st_shndx == SHN_UNDEF ? instead_of(name) : NULL;
        if (instead)
            check_fail(c, "it calls \"%s\": %s", name, instead);
    }
}

const struct check_test check_binary[] = {
    {"binary.symbols", GRADE_BRONZE, false, symbols, "exports its entry and nothing else"},
    {"binary.libraries", GRADE_BRONZE, false, libraries, "needs no library that opens connections"},
    {"binary.hardening", GRADE_BRONZE, false, hardening, "no search path, no code that changes, none that is written"},
    {"binary.imports", GRADE_SILVER, false, imports, "calls nothing that is the host's to do"},
    {"binary.globals", GRADE_SILVER, false, globals, "keeps no writable globals"},
    {0},
};
