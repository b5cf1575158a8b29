// The stream that doctest writes its report into (--out), taken for std::fstream while doctest's
// implementation is compiled (wrap/): in a program that a server started it opens nothing. What
// would be written there is the report of a process that ran no test, over that of a real run.
#pragma once
#pragma GCC system_header

#include <hearth/zygote.hpp>

#include <fstream>

namespace hearth {

class ReportFile : public std::fstream {
 public:
  void open(const char* name, std::ios_base::openmode mode) {
    if (!zygote::served()) std::fstream::open(name, mode);
  }
};

}  // namespace hearth

namespace std {
using hearth_report_file = ::hearth::ReportFile;
}
