#include "elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* Bytes that the file needs to have at least, by its own header (ELF, "Program Header": offset and size of segments).
 */
static uint64_t needed_bytes(int fd, const Elf64_Ehdr *h)
{
    uint64_t need = h->e_phoff + (uint64_t)h->e_phnum * sizeof(Elf64_Phdr);
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        if (pread(fd, &p, sizeof p, (off_t)(h->e_phoff + i * sizeof p)) != sizeof p)
            break;
        if (p.p_type == PT_LOAD && p.p_offset + p.p_filesz > need)
            need = p.p_offset + p.p_filesz;
    }
    return need;
}

static int check_open(int fd, const char *id, struct err *e)
{
    Elf64_Ehdr h = {0};
    struct stat st;
    ssize_t n = pread(fd, &h, sizeof h, 0);
    if (n < 0 || fstat(fd, &st))
        return TL_OK;
    if (n < SELFMAG || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0) {
        err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" is no shared object: it does not begin as an ELF file does", id);
        err_hint(e, "put the .so that the linker made in its place");
        return TL_E_UNSUPPORTED;
    }
    bool known = n == sizeof h && h.e_ident[EI_CLASS] == ELFCLASS64 && h.e_phentsize == sizeof(Elf64_Phdr);
    if (n == sizeof h && !known)
        return TL_OK; /* of another machine: the dynamic linker says so */
    uint64_t need = known ? needed_bytes(fd, &h) : sizeof h;
    if ((uint64_t)st.st_size >= need)
        return TL_OK;
    err_set(e, TL_E_UNSUPPORTED, "connector \"%s\" is cut short: %lld bytes of at least %llu", id,
            (long long)st.st_size, (unsigned long long)need);
    err_hint(e, "copy it again");
    return TL_E_UNSUPPORTED;
}

int elf_check(const char *path, const char *id, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return TL_OK; /* the dynamic linker tells why */
    int rc = check_open(fd, id, e);
    close(fd);
    return rc;
}
