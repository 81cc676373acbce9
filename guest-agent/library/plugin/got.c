/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "got.h"

struct search {
	const struct got_hook *hooks;
	size_t count;
	ElfW(Addr) own_base;
	int written;
};

/* What the dynamic section of an object says. */
struct object {
	ElfW(Addr) base;
	const ElfW(Sym) *symbols;
	const char *names;
	const ElfW(Rela) *jump, *data;
	size_t jump_size, data_size;
};

/* Full RELRO has made the table read-only.  It is left writable: in a table
 * bound lazily other slots are on the page.
 */
static int
write_slot(void **slot, void *value)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *at = (void *)((uintptr_t)slot & ~(page - 1));

	if (mprotect(at, page, PROT_READ | PROT_WRITE) != 0)
		return -1;
	__atomic_store_n(slot, value, __ATOMIC_RELEASE);
	return 0;
}

static void
search_table(struct search *search, const struct object *object,
		const ElfW(Rela) *table, size_t size)
{
	size_t i, k;

	for (i = 0; table != NULL && i < size / sizeof(*table); i++) {
		const ElfW(Rela) *r = &table[i];
		const unsigned long type = ELF64_R_TYPE(r->r_info);
		const char *name = object->names +
			object->symbols[ELF64_R_SYM(r->r_info)].st_name;

		if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
			continue;
		for (k = 0; k < search->count; k++)
			if (strcmp(name, search->hooks[k].name) == 0 &&
			    write_slot((void **)(object->base + r->r_offset),
					search->hooks[k].replacement) == 0)
				search->written++;
	}
}

static void
read_dynamic(struct object *object, const ElfW(Dyn) *d)
{
	for (; d != NULL && d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_JMPREL:
			object->jump = (const void *)d->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			object->jump_size = d->d_un.d_val;
			break;
		case DT_RELA:
			object->data = (const void *)d->d_un.d_ptr;
			break;
		case DT_RELASZ:
			object->data_size = d->d_un.d_val;
			break;
		case DT_SYMTAB:
			object->symbols = (const void *)d->d_un.d_ptr;
			break;
		case DT_STRTAB:
			object->names = (const void *)d->d_un.d_ptr;
			break;
		}
	}
}

static int
search_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object object = { .base = info->dlpi_addr };
	struct search *search = arg;
	int i;

	(void)size;
	/* The vDSO's addresses are not relocated, and it calls nobody. */
	if (info->dlpi_addr == search->own_base ||
	    strstr(info->dlpi_name, "vdso") != NULL)
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			read_dynamic(&object, (const void *)(info->dlpi_addr +
				info->dlpi_phdr[i].p_vaddr));
	if (object.symbols == NULL || object.names == NULL)
		return 0;
	search_table(search, &object, object.jump, object.jump_size);
	search_table(search, &object, object.data, object.data_size);
	return 0;
}

int
got_replace(const struct got_hook *hooks, size_t count)
{
	struct search search = { .hooks = hooks, .count = count };
	Dl_info own;
	size_t i;

	for (i = 0; i < count; i++) {
		*hooks[i].original = dlsym(RTLD_DEFAULT, hooks[i].name);
		if (*hooks[i].original == NULL)
			return -1;
	}
	if (dladdr((void *)(uintptr_t)got_replace, &own) != 0)
		search.own_base = (ElfW(Addr))own.dli_fbase;
	dl_iterate_phdr(search_object, &search);
	return search.written;
}
