// Names of the values of subunit v2, and the reading of tags.
#include "protocol/subunit_v2.hpp"
#include "protocol/subunit_v2_wire.hpp"

namespace hearth::protocol {

std::string_view to_string(TestStatus status) {
  switch (status) {
    case TestStatus::undefined:
      return "undefined";
    case TestStatus::exists:
      return "exists";
    case TestStatus::inprogress:
      return "inprogress";
    case TestStatus::success:
      return "success";
    case TestStatus::uxsuccess:
      return "uxsuccess";
    case TestStatus::skip:
      return "skip";
    case TestStatus::fail:
      return "fail";
    case TestStatus::xfail:
      return "xfail";
  }
  return "undefined";
}

std::string_view to_string(Damage reason) {
  switch (reason) {
    case Damage::reserved_flag:
      return "a reserved flag is set";
    case Damage::packet_length:
      return "impossible packet length";
    case Damage::checksum:
      return "the checksum does not hold";
    case Damage::field_overrun:
      return "a field extends past the end of the packet";
    case Damage::left_over:
      return "bytes are left over behind the last field";
    case Damage::string_nul:
      return "a string contains a NUL byte";
    case Damage::string_utf8:
      return "a string is not UTF-8";
  }
  return "damaged";
}

std::string_view to_string(EncodeError error) {
  switch (error) {
    case EncodeError::too_large:
      return "the packet would exceed 4 MiB";
    case EncodeError::string_nul:
      return "a string contains a NUL byte";
    case EncodeError::string_utf8:
      return "a string is not UTF-8";
    case EncodeError::timestamp_range:
      return "the timestamp is not between 1970 and 2106";
    case EncodeError::nameless_file:
      return "file content needs a file name";
  }
  return "not encodable";
}

std::string_view TagList::Iterator::operator*() const {
  const std::size_t size = wire::number_size_from(m_at);
  return {reinterpret_cast<const char*>(m_at + size), wire::load_number(m_at, size)};
}

TagList::Iterator& TagList::Iterator::operator++() {
  const std::size_t size = wire::number_size_from(m_at);
  m_at += size + wire::load_number(m_at, size);
  return *this;
}

}  // namespace hearth::protocol
