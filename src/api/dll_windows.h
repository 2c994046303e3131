// SPDX-License-Identifier: MIT
// Our DLL's link to the redirect.
#pragma once

#include "mimalloc/redirect.h"

// What the redirect gave us; NULL with a redirect that speaks only the stock contract, or none.
extern const mi_redirect_host_t *mi_redirect_host; // const after the redirect's attach
