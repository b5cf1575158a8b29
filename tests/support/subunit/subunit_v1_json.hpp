// Events of subunit v1 as JSON, in the form of spec/vectors/subunit-v1.
#pragma once

#include "protocol/subunit_v1.hpp"
#include "tests/support/subunit/subunit_json.hpp"

namespace hearth::protocol::test {

[[nodiscard]] Json to_json(const v1::Event& event);

// Appends an event to a list of them; output that follows output becomes one.
void append_event(Json& events, const v1::Event& event);

}  // namespace hearth::protocol::test
