#include "os_code.h"

#include "os.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace umber::alloc::os {

namespace {

// The file /proc/self/maps, a line at a time.
class maps_file {
 public:
  maps_file() : file_(open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~maps_file() {
    if (file_ >= 0) close(file_);
  }
  maps_file(const maps_file&) = delete;
  maps_file& operator=(const maps_file&) = delete;
  bool is_open() const { return file_ >= 0; }

  // The next line, without its end, valid until the next call; null at the end of the file.
  char* next_line() {
    for (;;) {
      auto* const end = static_cast<char*>(std::memchr(text_ + at_, '\n', filled_ - at_));
      if (end != nullptr) {
        char* const line = text_ + at_;
        *end = '\0';
        at_ = static_cast<std::size_t>(end - text_) + 1;
        return line;
      }
      filled_ -= at_;
      std::memmove(text_, text_ + at_, filled_);
      at_ = 0;
      if (filled_ == sizeof text_) filled_ = 0;  // no line is that long
      const ssize_t got = read(file_, text_ + filled_, sizeof text_ - filled_);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return nullptr;
      filled_ += static_cast<std::size_t>(got);
    }
  }

 private:
  int file_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  char text_[8 * kib];
};

std::uint64_t hexadecimal(const char*& text) {
  std::uint64_t value = 0;
  for (;; ++text) {
    const bool digit = *text >= '0' && *text <= '9';
    if (!digit && !(*text >= 'a' && *text <= 'f')) return value;
    value = value * 16 + static_cast<std::uint64_t>(digit ? *text - '0' : *text - 'a' + 10);
  }
}

const char* after_words(const char* text, int count) {
  for (; count > 0; --count) {
    while (*text != '\0' && *text != ' ') ++text;
    while (*text == ' ') ++text;
  }
  return text;
}

// The linker's number for a file of which `read_part` copies parts.
struct build_number {
  static constexpr std::size_t most = 32;
  unsigned char text[most] = {};
  std::size_t bytes = 0;

  void find_in_notes(const char* note, std::size_t length) {
    const char* const end = note + length;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) head;
      std::memcpy(&head, note, sizeof head);
      const char* const name = note + sizeof head;
      const char* const value = name + round_up(head.n_namesz, 4);
      note = value + round_up(head.n_descsz, 4);
      if (note > end) return;
      if (head.n_type != NT_GNU_BUILD_ID || head.n_namesz != 4 || std::memcmp(name, "GNU", 4) != 0) continue;
      bytes = head.n_descsz < most ? head.n_descsz : most;
      std::memcpy(text, value, bytes);
    }
  }
};

// Copies memory that may be gone by now: other threads unmap what they like.
bool read_memory(std::uintptr_t from, void* to, std::size_t bytes) {
  const iovec local{to, bytes}, remote{pointer_to(from), bytes};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

// Of the file that is mapped from its beginning there; none if that cannot be read.
build_number build_number_at(std::uintptr_t start) {
  build_number found;
  ElfW(Ehdr) head;
  if (!read_memory(start, &head, sizeof head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return found;
  for (std::size_t i = 0; i < head.e_phnum && head.e_phentsize == sizeof(ElfW(Phdr)); ++i) {
    ElfW(Phdr) part;
    if (!read_memory(start + head.e_phoff + i * sizeof part, &part, sizeof part)) return found;
    char notes[512];
    if (part.p_type == PT_NOTE && part.p_filesz <= sizeof notes &&
        read_memory(start + part.p_offset, notes, part.p_filesz))
      found.find_in_notes(notes, part.p_filesz);
  }
  return found;
}

}  // namespace

bool each_code_range(void (*visit)(void* context, const code_range& range), void* context) {
  const int errno_before = errno;
  maps_file maps;
  build_number last;  // of the file that was found last
  char last_path[4 * kib] = "";
  while (maps.is_open()) {
    char* const line = maps.next_line();
    if (line == nullptr) break;
    const char* at = line;
    code_range range;
    range.start = hexadecimal(at);
    range.end = hexadecimal(++at);
    const char* const rights = ++at;
    range.offset = hexadecimal(at = after_words(rights, 1));
    range.path = after_words(at, 3);
    range.path_length = std::strlen(range.path);
    const bool is_file = range.path[0] == '/' || std::strcmp(range.path, "[vdso]") == 0;
    if (!is_file || range.path_length >= sizeof last_path) continue;
    if (range.offset == 0) {
      last = build_number_at(range.start);
      std::memcpy(last_path, range.path, range.path_length + 1);
    }
    if (rights[2] != 'x') continue;
    if (std::strcmp(last_path, range.path) == 0) {
      range.build_id = last.text;
      range.build_id_bytes = last.bytes;
    }
    visit(context, range);
  }
  errno = errno_before;
  return maps.is_open();
}

namespace {

// A file that is mapped while this lives; no bytes if it cannot be.
class mapped_file {
 public:
  explicit mapped_file(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat what;
    if (file >= 0 && fstat(file, &what) == 0 && S_ISREG(what.st_mode) && what.st_size > 0) {
      void* start = mmap(nullptr, static_cast<std::size_t>(what.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (start != MAP_FAILED) {
        start_ = address_of(start);
        bytes_ = static_cast<std::size_t>(what.st_size);
      }
    }
    if (file >= 0) close(file);
  }
  ~mapped_file() {
    if (bytes_ != 0) munmap(pointer_to(start_), bytes_);
  }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  // `count` Ts at an offset; null: they are not in the file.
  template <class T>
  const T* at(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_ || count > (bytes_ - offset) / sizeof(T) || offset % alignof(T) != 0) return nullptr;
    return pointer_to<const T>(start_ + offset);
  }
  // Whether it is the one that was mapped, as far as can be known.
  bool is_origin_of(const code_range& range) const {
    const build_number mine = bytes_ != 0 ? build_number_at(start_) : build_number();
    return range.build_id_bytes == 0 ||
           (mine.bytes == range.build_id_bytes && std::memcmp(mine.text, range.build_id, mine.bytes) == 0);
  }

 private:
  std::uintptr_t start_ = 0;
  std::size_t bytes_ = 0;
};

// What is to be added to the addresses in the file to have those in memory. False: the file does not say.
bool find_shift(const mapped_file& file, const ElfW(Ehdr) & head, const code_range& range, std::uintptr_t& shift) {
  const auto* part = file.at<ElfW(Phdr)>(head.e_phoff, head.e_phnum);
  for (std::size_t i = 0; part != nullptr && i < head.e_phnum; ++i, ++part) {
    const std::uint64_t first = round_down(part->p_offset, machine_page_size());
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0 || range.offset < first ||
        range.offset >= part->p_offset + part->p_filesz)
      continue;
    shift = range.start - (part->p_vaddr + range.offset - part->p_offset);
    return true;
  }
  return false;
}

void name_by(const ElfW(Sym) & symbol, const char* name, std::uintptr_t shift, code_place* places, std::size_t count) {
  const auto type = symbol.st_info & 15;
  if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) return;
  const std::uintptr_t start = symbol.st_value + shift;
  const code_place* const end = places + count;
  code_place* place = std::lower_bound(places, places + count, start,
                                       [](const code_place& p, std::uintptr_t a) { return p.address < a; });
  for (; place != end && place->address - start < symbol.st_size; ++place)
    if (place->function == nullptr) place->function = name;
}

// By the symbols in sections of a type.
void name_by_sections(const mapped_file& file, const ElfW(Ehdr) & head, std::uint32_t type, std::uintptr_t shift,
                      code_place* places, std::size_t count) {
  const auto* sections = file.at<ElfW(Shdr)>(head.e_shoff, head.e_shnum);
  for (std::size_t i = 0; sections != nullptr && i < head.e_shnum; ++i) {
    if (sections[i].sh_type != type || sections[i].sh_link >= head.e_shnum) continue;
    const ElfW(Shdr)& texts = sections[sections[i].sh_link];
    const auto* text = file.at<char>(texts.sh_offset, texts.sh_size);
    const std::size_t symbol_count = sections[i].sh_size / sizeof(ElfW(Sym));
    const auto* symbols = file.at<ElfW(Sym)>(sections[i].sh_offset, symbol_count);
    if (symbols == nullptr || text == nullptr || texts.sh_size == 0 || text[texts.sh_size - 1] != '\0') continue;
    for (std::size_t n = 0; n < symbol_count; ++n)
      if (symbols[n].st_name < texts.sh_size) name_by(symbols[n], text + symbols[n].st_name, shift, places, count);
  }
}

}  // namespace

void name_functions(const code_range& range, code_place* places, std::size_t count, void (*use)(void* context),
                    void* context) {
  const int errno_before = errno;
  const mapped_file file(range.path);
  const auto* head = file.at<ElfW(Ehdr)>(0, 1);
  std::uintptr_t shift = 0;
  if (head != nullptr && file.is_origin_of(range) && head->e_phentsize == sizeof(ElfW(Phdr)) &&
      head->e_shentsize == sizeof(ElfW(Shdr)) && find_shift(file, *head, range, shift)) {
    name_by_sections(file, *head, SHT_SYMTAB, shift, places, count);
    name_by_sections(file, *head, SHT_DYNSYM, shift, places, count);
  }
  use(context);
  errno = errno_before;
}

}  // namespace umber::alloc::os
