// Text that streams still hold, of stdio and iostreams: written before the park, so that it does
// not come out of every fork again, and at the end of a test's process, which no destructor of a
// stream that the warm program opened reaches.
#pragma once

namespace hearth::zygote {

// Looks for the std::basic_filebuf objects that there are. libstdc++ has no list of them, but each
// begins with the address of its class's table: memory is looked through for it, as far as time
// allows (50 ms, or a quarter of what loading took). Streams whose buffer is of a class derived
// from that are not found; under valgrind, none is.
void find_file_streams();

// The standard streams, stdio's, and those found.
void flush_streams();

}  // namespace hearth::zygote
