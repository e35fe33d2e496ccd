/* SPDX-License-Identifier: GPL-2.0-only */
/* A small ELF file of 64 bits, made in memory: one executable segment, both tables of symbols, a
 * build id and a debug link. */
#ifndef TARDY_TESTS_ELF_MADE_H
#define TARDY_TESTS_ELF_MADE_H
#include <elf.h>
#include <stdint.h>
#include <string.h>

enum { ELF_MADE_TEXT = 0x401000, ELF_MADE_TEXT_OFF = 0x1000, ELF_MADE_TEXT_BYTES = 0x100 };

enum {
	ELF_MADE_NULL,
	ELF_MADE_TEXT_SECTION,
	ELF_MADE_SYMTAB,
	ELF_MADE_STRTAB,
	ELF_MADE_DYNSYM,
	ELF_MADE_NOTE,
	ELF_MADE_LINK,
	ELF_MADE_NAMES,
	ELF_MADE_SECTIONS,
};

struct elf_made {
	Elf64_Ehdr head;
	Elf64_Phdr segments[2];
	Elf64_Shdr sections[ELF_MADE_SECTIONS];
	Elf64_Sym symtab[8];
	Elf64_Sym dynsym[2];
	struct {
		uint32_t name_bytes, bytes, type;
		char name[4];
		unsigned char id[20];
	} note;
	struct {
		char name[12];
		uint32_t crc;
	} link;
	char strtab[96];
	char names[32];
};

#define ELF_MADE_SECTION(part, kind, more) \
	{ \
		.sh_type = (kind), .sh_offset = offsetof(struct elf_made, part), \
		.sh_size = sizeof(((struct elf_made *)0)->part), .sh_link = (more), \
	}
#define ELF_MADE_FUNC(at, from, len, bind) \
	{ \
		.st_name = (at), .st_value = (from), .st_size = (len), .st_shndx = 1, \
		.st_info = ELF64_ST_INFO(bind, STT_FUNC), \
	}

static inline void elf_made_fill(struct elf_made *e)
{
	/*                           1      7         16     22    28     35   39      46 */
	static const char strtab[] = "\0alpha\0beta_old\0alias\0start\0resolv\0obj\0undef\0dyn_one";
	const Elf64_Sym symtab[] = {
		{ 0 },
		ELF_MADE_FUNC(1, ELF_MADE_TEXT, 0x20, STB_GLOBAL),
		ELF_MADE_FUNC(16, ELF_MADE_TEXT, 0x20, STB_LOCAL),
		ELF_MADE_FUNC(7, ELF_MADE_TEXT + 0x20, 0x20, STB_WEAK),
		ELF_MADE_FUNC(22, ELF_MADE_TEXT + 0xc0, 0, STB_LOCAL),
		{ .st_name = 28,
		  .st_value = ELF_MADE_TEXT + 0x40,
		  .st_size = 0x10,
		  .st_shndx = 1,
		  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC) },
		{ .st_name = 35,
		  .st_value = ELF_MADE_TEXT + 0x50,
		  .st_size = 0x10,
		  .st_shndx = 1,
		  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT) },
		{ .st_name = 39, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) },
	};
	const Elf64_Sym dynsym[] = { { 0 },
				     ELF_MADE_FUNC(45, ELF_MADE_TEXT + 0x60, 0x10, STB_GLOBAL) };
	const Elf64_Shdr sections[ELF_MADE_SECTIONS] = {
		[ELF_MADE_TEXT_SECTION] = { .sh_type = SHT_PROGBITS,
					    .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
					    .sh_addr = ELF_MADE_TEXT,
					    .sh_offset = ELF_MADE_TEXT_OFF,
					    .sh_size = ELF_MADE_TEXT_BYTES },
		[ELF_MADE_SYMTAB] = ELF_MADE_SECTION(symtab, SHT_SYMTAB, ELF_MADE_STRTAB),
		[ELF_MADE_STRTAB] = ELF_MADE_SECTION(strtab, SHT_STRTAB, 0),
		[ELF_MADE_DYNSYM] = ELF_MADE_SECTION(dynsym, SHT_DYNSYM, ELF_MADE_STRTAB),
		[ELF_MADE_NOTE] = ELF_MADE_SECTION(note, SHT_NOTE, 0),
		[ELF_MADE_LINK] = ELF_MADE_SECTION(link, SHT_PROGBITS, 0),
		[ELF_MADE_NAMES] = ELF_MADE_SECTION(names, SHT_STRTAB, 0),
	};

	memset(e, 0, sizeof(*e));
	memcpy(e->head.e_ident, ELFMAG, SELFMAG);
	e->head.e_ident[EI_CLASS] = ELFCLASS64;
	e->head.e_ident[EI_DATA] = ELFDATA2LSB;
	e->head.e_phoff = offsetof(struct elf_made, segments);
	e->head.e_shoff = offsetof(struct elf_made, sections);
	e->head.e_phentsize = sizeof(Elf64_Phdr);
	e->head.e_phnum = 2;
	e->head.e_shentsize = sizeof(Elf64_Shdr);
	e->head.e_shnum = ELF_MADE_SECTIONS;
	e->head.e_shstrndx = ELF_MADE_NAMES;
	e->segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 0x1000 };
	e->segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				       .p_flags = PF_R | PF_X,
				       .p_offset = ELF_MADE_TEXT_OFF,
				       .p_vaddr = ELF_MADE_TEXT,
				       .p_filesz = ELF_MADE_TEXT_BYTES };
	memcpy(e->sections, sections, sizeof(sections));
	memcpy(e->symtab, symtab, sizeof(symtab));
	memcpy(e->dynsym, dynsym, sizeof(dynsym));
	memcpy(e->strtab, strtab, sizeof(strtab));
	memcpy(e->names, "\0.gnu_debuglink", 16);
	e->sections[ELF_MADE_LINK].sh_name = 1;
	e->note.name_bytes = 4;
	e->note.bytes = sizeof(e->note.id);
	e->note.type = NT_GNU_BUILD_ID;
	memcpy(e->note.name, "GNU", 4);
	memset(e->note.id, 0xab, sizeof(e->note.id));
	memcpy(e->link.name, "made.debug", 11);
	e->link.crc = 0x12345678;
}
#endif
