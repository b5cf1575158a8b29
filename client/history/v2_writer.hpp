// Results as subunit v2 packets, from what a repository has of them.
#pragma once

#include <string>

#include "client/history/repository.hpp"

namespace hearth::client {

// A test's start, attachments and end; without an end where it had none.
void append_v2(std::string& out, const StoredResult& result);

}  // namespace hearth::client
