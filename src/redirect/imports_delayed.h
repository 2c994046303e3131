// SPDX-License-Identifier: MIT
// Delay-loaded imports that nobody has used yet.
#pragma once

// The runtime's function that an import of that name from that DLL will get, if the DLL is a runtime
// in imports mode and the function is taken over; else NULL. Under the loader lock.
void *rd_delayed_function(const char *dll, const char *name);
