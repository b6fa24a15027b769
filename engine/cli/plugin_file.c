/* SPDX-License-Identifier: Apache-2.0
 * The file before it is loaded: who may write to it, what it needs, what it shows, what it keeps. Read as ELF, every
 * offset checked: the file is a stranger's. */
#include "plugin_kit.h"

#include "engine/plugin/loader.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 400, STATICS_LEAST = 16 /* what the compiler's own start files take */ };

struct image {
    const unsigned char *at;
    size_t size;
    const Elf64_Shdr *sections;
    size_t n_sections;
};

static const void *part(const struct image *f, uint64_t offset, uint64_t size)
{
    return offset <= f->size && size <= f->size - offset ? f->at + offset : NULL;
}

static const char *text_at(const struct image *f, const Elf64_Shdr *strings, uint64_t offset)
{
    const char *all = part(f, strings->sh_offset, strings->sh_size);
    if (!all || offset >= strings->sh_size || !memchr(all + offset, '\0', strings->sh_size - offset))
        return "";
    return all + offset;
}

static const char *open_image(struct image *f)
{
    const Elf64_Ehdr *head = part(f, 0, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return "it is no ELF file";
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB)
        return "it is not for a 64-bit little-endian machine";
    if (head->e_type != ET_DYN)
        return "it is no shared object (cc -shared)";
    f->sections = part(f, head->e_shoff, (uint64_t)head->e_shnum * sizeof *f->sections);
    f->n_sections = f->sections && head->e_shentsize == sizeof *f->sections ? head->e_shnum : 0;
    return NULL;
}

static const Elf64_Shdr *section(const struct image *f, uint32_t type)
{
    for (size_t i = 0; i < f->n_sections; i++) {
        if (f->sections[i].sh_type == type && f->sections[i].sh_link < f->n_sections)
            return &f->sections[i];
    }
    return NULL;
}

static const Elf64_Sym *symbols(const struct image *f, uint32_t type, size_t *n, const Elf64_Shdr **strings)
{
    const Elf64_Shdr *s = section(f, type);
    const Elf64_Sym *all = s ? part(f, s->sh_offset, s->sh_size) : NULL;
    *n = all ? s->sh_size / sizeof *all : 0;
    *strings = all ? &f->sections[s->sh_link] : NULL;
    return all;
}

/* Names, one after the other, as many as fit. */
static void add_name(struct cg_buf *names, const char *name)
{
    if (names->len + strlen(name) + 6 < NAMES_MAX)
        cg_buf_printf(names, "%s%s", names->len ? ", " : "", name);
    else if (names->len < NAMES_MAX && names->ptr && names->ptr[names->len - 1] != '.')
        cg_buf_text(names, " ...");
}

/* What sanitizers and counters put in; they bring the library along. */
static bool instrumented(const char *name)
{
    return strncmp(name, "__", 2) == 0 || strncmp(name, "_ITM", 4) == 0;
}

/* Whether one of the libraries that the file names has the symbol. */
static bool is_linked(const struct image *f, const char *symbol, struct cg_buf *absent)
{
    const Elf64_Shdr *s = section(f, SHT_DYNAMIC);
    const Elf64_Dyn *entries = s ? part(f, s->sh_offset, s->sh_size) : NULL;
    size_t n = entries ? s->sh_size / sizeof *entries : 0;
    for (size_t i = 0; i < n && entries[i].d_tag != DT_NULL; i++) {
        if (entries[i].d_tag != DT_NEEDED)
            continue;
        const char *library = text_at(f, &f->sections[s->sh_link], entries[i].d_un.d_val);
        int found = cg_loader_defines(library, symbol);
        if (found == 1)
            return true;
        if (found < 0 && (!absent->ptr || !strstr(absent->ptr, library)))
            add_name(absent, library);
    }
    return false;
}

static void check_needed(struct cg_kit *kit, const struct image *f)
{
    size_t n;
    const Elf64_Shdr *strings;
    const Elf64_Sym *all = symbols(f, SHT_DYNSYM, &n, &strings);
    cg_auto_buf missing = { 0 }, absent = { 0 };
    for (size_t i = 1; i < n; i++) {
        const char *name = text_at(f, strings, all[i].st_name);
        if (all[i].st_shndx == SHN_UNDEF && ELF64_ST_BIND(all[i].st_info) == STB_GLOBAL &&
            !instrumented(name) && !is_linked(f, name, &absent))
            add_name(&missing, name);
    }
    if (absent.len)
        cg_kit_say(kit, CG_KIT_WRONG, "needs", "install them, or link the plugin without them",
                   "it links libraries that are not here: %s", absent.ptr);
    if (missing.len)
        cg_kit_say(kit, CG_KIT_WRONG, "needs",
                   "link the library that has them; of the engine a plugin has only the host table",
                   "it uses what no library that it links has: %s", missing.ptr);
    if (!missing.len && !absent.len)
        cg_kit_say(kit, CG_KIT_OK, "needs", "", "all that it uses is in libc or in what it links");
}

static void check_shown(struct cg_kit *kit, const struct image *f)
{
    size_t n;
    bool entry = false;
    const Elf64_Shdr *strings;
    const Elf64_Sym *all = symbols(f, SHT_DYNSYM, &n, &strings);
    cg_auto_buf others = { 0 };
    for (size_t i = 1; i < n; i++) {
        const char *name = text_at(f, strings, all[i].st_name);
        if (all[i].st_shndx == SHN_UNDEF || ELF64_ST_BIND(all[i].st_info) == STB_LOCAL)
            continue;
        if (strcmp(name, "cogent_plugin_entry") == 0)
            entry = true;
        else if (name[0] != '_' && ELF64_ST_VISIBILITY(all[i].st_other) == STV_DEFAULT)
            add_name(&others, name);
    }
    if (others.len)
        cg_kit_say(kit, CG_KIT_WRONG, "shows",
                   "make them static, or compile with -fvisibility=hidden: two plugins may use one name",
                   "it exports more than cogent_plugin_entry: %s", others.ptr);
    else if (entry)
        cg_kit_say(kit, CG_KIT_OK, "shows", "", "it exports cogent_plugin_entry and nothing else");
}

static void name_statics(const struct image *f, size_t at, struct cg_buf *names)
{
    size_t n;
    const Elf64_Shdr *strings;
    const Elf64_Sym *all = symbols(f, SHT_SYMTAB, &n, &strings);
    for (size_t i = 1; i < n; i++) {
        const char *name = text_at(f, strings, all[i].st_name);
        if (all[i].st_shndx == at && ELF64_ST_TYPE(all[i].st_info) == STT_OBJECT && all[i].st_size &&
            name[0] != '_' && strncmp(name, "completed.", 10) != 0)
            add_name(names, name);
    }
}

/* Several calls are under way at once, and there are several workers. */
static void check_statics(struct cg_kit *kit, const struct image *f)
{
    const Elf64_Ehdr *head = (const void *)f->at;
    size_t bytes = 0;
    cg_auto_buf names = { 0 };
    for (size_t i = 0; i < f->n_sections && head->e_shstrndx < f->n_sections; i++) {
        const char *name = text_at(f, &f->sections[head->e_shstrndx], f->sections[i].sh_name);
        if (strcmp(name, ".data") != 0 && strcmp(name, ".bss") != 0)
            continue;
        if (f->sections[i].sh_size > STATICS_LEAST)
            bytes += f->sections[i].sh_size;
        name_statics(f, i, &names);
    }
    if (bytes || names.len)
        cg_kit_say(kit, CG_KIT_NOTE, "statics",
                   "keep what belongs to a call in call->data; what never changes is static const",
                   "it keeps variables of its own%s%s: calls overlap, and every worker has its own copy",
                   names.len ? ": " : "", names.len ? names.ptr : "");
    else
        cg_kit_say(kit, CG_KIT_OK, "statics", "", "it keeps nothing between calls in variables of its own");
}

static void check_image(struct cg_kit *kit, struct image *f)
{
    const char *wrong = open_image(f);
    if (wrong) {
        cg_kit_say(kit, CG_KIT_WRONG, "file", "build it as docs/plugin-abi.md shows", "%s: %s", kit->path,
                   wrong);
        return;
    }
    cg_kit_say(kit, CG_KIT_OK, "file", "", "%s: a shared object", kit->path);
    if (!section(f, SHT_DYNSYM)) {
        cg_kit_say(kit, CG_KIT_NOTE, "symbols", "check the build before it is stripped",
                   "it has no section headers, so its symbols were not looked at");
        return;
    }
    check_needed(kit, f);
    check_shown(kit, f);
    check_statics(kit, f);
}

void cg_kit_file(struct cg_kit *kit, size_t unused)
{
    struct stat st;
    (void)unused;
    cg_kit_at(kit, "reading the file");
    int fd = open(kit->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        cg_kit_say(kit, CG_KIT_WRONG, "file", "name the .so that was built",
                   "%s: it is not there, or no file", kit->path);
        return;
    }
    if (st.st_mode & S_IWOTH)
        cg_kit_say(kit, CG_KIT_WRONG, "file", "chmod o-w it", "%s: everybody may write to it", kit->path);
    else if (st.st_mode & S_IWGRP)
        cg_kit_say(kit, CG_KIT_NOTE, "file", "chmod g-w it unless the group may change the server's code",
                   "%s: its group may write to it", kit->path);
    struct image f = { .size = (size_t)st.st_size };
    void *map = st.st_size > 0 ? mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    f.at = map == MAP_FAILED ? (const unsigned char *)"" : map;
    f.size = map == MAP_FAILED ? 0 : f.size;
    check_image(kit, &f);
    close(fd);
}
