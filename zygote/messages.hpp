// The worker channel's messages, written and read with protozero. The fields are those of
// spec/worker.proto.
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>

#include "hearth/zygote.hpp"

namespace hearth::zygote::message {

// Tags of the envelopes' oneofs.
namespace to_zygote {
enum Tag : protozero::pbf_tag_type {
  welcome = 1,
  run_test = 2,
  kill = 3,
  start_suite = 4,
  finish = 5,
  start_shared = 6
};
}
namespace from_zygote {
enum Tag : protozero::pbf_tag_type {
  hello = 1,
  tests = 2,
  ready = 3,
  started = 4,
  ended = 5,
  refused = 6,
  closed = 7,
  suite_closed = 8,
  elsewhere = 9
};
}
namespace from_test {
enum Tag : protozero::pbf_tag_type { attachment = 1, verdict = 2, subunit_v1 = 3 };
}

struct RunTest {
  std::uint64_t execution = 0;
  std::uint32_t test = 0;
  std::string name;
  bool in_place = false;
  bool keep = false;
  std::uint32_t next_test = 0;
  std::string next_name;
};

inline RunTest read_run_test(protozero::pbf_reader reader) {
  RunTest run;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        run.execution = reader.get_uint64();
        break;
      case 2:
        run.test = reader.get_uint32();
        break;
      case 3:
        run.name = reader.get_string();
        break;
      case 4:
        run.in_place = reader.get_bool();
        break;
      case 5:
        run.keep = reader.get_bool();
        break;
      case 6:
        run.next_test = reader.get_uint32();
        break;
      case 7:
        run.next_name = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
  return run;
}

struct Kill {
  std::uint64_t execution = 0;
  int signal = 0;
};

inline Kill read_kill(protozero::pbf_reader reader) {
  Kill kill;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        kill.execution = reader.get_uint64();
        break;
      case 2:
        kill.signal = static_cast<int>(reader.get_uint32());
        break;
      default:
        reader.skip();
    }
  }
  return kill;
}

// The first boolean or number of a message, field `tag`; 0 where it is not there.
inline std::uint64_t read_varint(protozero::pbf_reader reader, protozero::pbf_tag_type tag) {
  std::uint64_t value = 0;
  while (reader.next()) {
    if (reader.tag() == tag && reader.wire_type() == protozero::pbf_wire_type::varint) {
      value = reader.get_uint64();
    } else {
      reader.skip();
    }
  }
  return value;
}

inline void add(protozero::pbf_writer& writer, protozero::pbf_tag_type tag,
                std::string_view bytes) {
  if (!bytes.empty()) writer.add_bytes(tag, bytes.data(), bytes.size());
}

inline void write_test(protozero::pbf_writer& tests, const TestDescription& test) {
  protozero::pbf_writer one(tests, 1);
  add(one, 1, test.name);
  add(one, 2, test.suite);
  if (test.hidden) one.add_bool(3, true);
  if (test.suite_process) one.add_bool(4, true);
  if (test.time_limit > 0) one.add_double(5, test.time_limit);
  add(one, 6, test.file);
  if (test.line != 0) one.add_uint32(7, test.line);
}

}  // namespace hearth::zygote::message
