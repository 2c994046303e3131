# How a test program is built and registered.
