#include "server/program_look.hpp"

#include <doctest/doctest.h>
#include <elf.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using hearth::test::TemporaryFolder;

namespace {

// A file of that type with `content` in its one segment, which is loaded.
std::string elf(Elf64_Half type, const std::string& content, Elf64_Word segment = PT_LOAD) {
  Elf64_Ehdr header{};
  const unsigned char ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
  std::copy(std::begin(ident), std::end(ident), header.e_ident);
  header.e_type = type;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr loaded{};
  loaded.p_type = segment;
  loaded.p_offset = sizeof header + sizeof loaded;
  loaded.p_filesz = content.size();
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(reinterpret_cast<const char*>(&loaded), sizeof loaded);
  return file + content;
}

struct Looker {
  TemporaryFolder folder;

  std::string operator()(const std::string& content) const {
    const std::string path = folder.path() / "program";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    return why_not_started({"program", path, {}}, {}).value_or("");
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string googletest = "_ZN7testing8UnitTest11GetInstanceEv";

}  // namespace

TEST_CASE("A look at a program: a framework without the adapter is named, and not started") {
  const Looker look;
  const std::pair<std::string, std::string> table[] = {
      {googletest, "GoogleTest"},
      {"This program contains tests written using Google Test.", "GoogleTest"},
      {"N7doctest12_GLOBAL__N_115ConsoleReporterE", "doctest"},
      {"N7CppUnit8TestCaseE", "CppUnit"},
      {"N5Catch16TestInvokerAsFunctionE", "Catch2"},
      {"N5boost9unit_test9test_unitE", "Boost.Test"},
  };
  for (const auto& [mark, name] : table) {
    CAPTURE(mark);
    const std::string why = look(elf(ET_EXEC, "before " + mark + " after"));
    CHECK(has(why, "it is a " + name + " program"));
    CHECK(has(why, "not started"));
  }
  CHECK(has(look(elf(ET_EXEC, googletest + " N5Catch")), "Catch2"));
  CHECK(has(look(elf(ET_EXEC, googletest)), "pkg-config --cflags --libs hearth-googletest"));
}

TEST_CASE("A look at a program: what may be served is started") {
  const Looker look;
  CHECK(look(elf(ET_EXEC, googletest + '\0' + "HEARTH_CHANNEL")) == "");
  CHECK(look(elf(ET_EXEC, googletest + " dlopen")) == "");
  CHECK(look(elf(ET_EXEC, "N7CppUnit PlugInManager")) == "");
  CHECK(look(elf(ET_EXEC, "a wrapper")) == "");
  CHECK(look("#!/bin/sh\n# _ZN7testing8UnitTest\n") == "");
  CHECK(look("") == "");
  CHECK(look(elf(ET_EXEC, googletest, PT_NOTE)) == "");  // what is not loaded says nothing
  CHECK_FALSE(why_not_started({"p", "/no/such/file", {}}, {}));
  CHECK_FALSE(why_not_started({"p", "/dev/null", {}}, {}));
  const std::string path = look.folder.path() / "program";
  std::ofstream(path, std::ios::trunc) << elf(ET_EXEC, googletest);
  CHECK_FALSE(why_not_started({"p", path, {}}, {"LD_PRELOAD=/adapter.so"}));
}

TEST_CASE("A look at a program: a mark is found wherever pieces are cut") {
  const Looker look;
  for (std::size_t before = (1u << 20) - 36; before <= (1u << 20) + 1; before += 3) {
    const std::string fill(before, 'x');
    CHECK(look(elf(ET_EXEC, fill + googletest)) != "");
    CHECK(look(elf(ET_EXEC, googletest + fill.substr(googletest.size()) + "HEARTH_CHANNEL")) == "");
  }
}

TEST_CASE("A look at a program: what is no program") {
  const Looker look;
  CHECK(has(look(elf(ET_REL, "")), "it is an object file"));
  CHECK(has(look(elf(ET_CORE, googletest)), "it is the core of a program that crashed"));
  CHECK(has(look(elf(ET_DYN, googletest)), "it is a shared library"));
  const std::string folder = look.folder.path() / "folder";
  mkdir(folder.c_str(), 0700);
  CHECK(has(why_not_started({"p", folder, {}}, {}).value_or(""), "it is a folder"));

  const std::string path = look.folder.path() / "kind";
  const auto kind = [&](const std::string& content) {
    std::ofstream(path, std::ios::trunc) << content;
    return kind_of_file(path);
  };
  CHECK(kind("") == " (it is empty)");
  CHECK(kind("#!/bin/sh\n") == " (it is a script)");
  CHECK(kind("int main() {}\n") == " (it is a text file)");
  CHECK(kind(std::string(600, '\xff')) == "");
  CHECK(kind(std::string("a\0b", 3)) == "");
  CHECK(kind_of_file("/no/such/file") == "");
}
