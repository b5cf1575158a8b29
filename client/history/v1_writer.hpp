// Results as subunit v1 text, as testr and stestr keep them. spec/subunit-v1.md.
#pragma once

#include <string>

#include "client/history/repository.hpp"

namespace hearth::client {

// A test from its start to its end. python-subunit must read the same back: an id's control
// characters are percent-escaped, a MIME type that it would refuse becomes
// application/octet-stream. Times are of microseconds; a result without any has `otherwise`.
void append_v1(std::string& out, const StoredResult& result, protocol::Timestamp otherwise);

}  // namespace hearth::client
