// A test program without tests; linked with the framework's main.
