// SPDX-License-Identifier: MIT
// Finding functions in mapped modules. Never GetProcAddress: it may start DLLs and call shims.
#pragma once

#include "pe/pe.h"
#include "redirect/status.h"

// Forwarders are followed within the modules that are loaded.
rd_status_t rd_export_find(const pe_view_t *module, const char *name, void **address);

// The address, or NULL; for modules that every process has.
void *rd_system_export(const char *module, const char *name);
