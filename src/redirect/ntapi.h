// SPDX-License-Identifier: MIT
// The few parts of the NT interface that the redirect uses, all from ntdll.dll. Declared here, as the
// SDK's headers hold only some of them and the redirect must import nothing else.
// Layouts: documented in winternl.h or stable since Windows 7 in every public symbol file.
#pragma once

#include <windows.h>

#define RD_NT_SUCCESS(status)     ((status) >= 0)
#define RD_STATUS_PENDING         ((rd_ntstatus_t)0x103)
#define RD_CURRENT_PROCESS        ((HANDLE)(intptr_t)-1)
#define RD_CURRENT_THREAD         ((HANDLE)(intptr_t)-2)
#define RD_LDR_PIN                1UL
#define RD_LDR_LOADED             1UL
#define RD_LDR_UNLOADED           2UL
#define RD_DLL_NOTIFICATION_FLAGS 0UL

typedef LONG rd_ntstatus_t;

typedef struct rd_unicode {
    USHORT length; // in bytes, without a terminator
    USHORT capacity;
    const WCHAR *text; // may be NULL or lack a terminator
} rd_unicode_t;

typedef struct rd_ldr_entry {
    LIST_ENTRY load_order;
    LIST_ENTRY memory_order;
    LIST_ENTRY init_order;
    void *base;
    void *entry_point;
    ULONG image_size;
    rd_unicode_t full_name;
    rd_unicode_t base_name;
    ULONG flags;
} rd_ldr_entry_t;

#define RD_LDR_ATTACHED                                                                            \
    0x00080000UL // of flags: its entry point was called; never set for the program

typedef struct rd_ldr_data {
    ULONG length;
    ULONG is_initialized;
    void *handle;
    LIST_ENTRY load_order; // of rd_ldr_entry_t; the program itself comes first
} rd_ldr_data_t;

typedef struct rd_process_parameters {
    ULONG sizes[2];
    ULONG flags[2];
    HANDLE console;
    ULONG console_flags;
    HANDLE standard_input;
    HANDLE standard_output;
    HANDLE standard_error;
    rd_unicode_t current_directory;
    HANDLE current_directory_handle;
    rd_unicode_t dll_path;
    rd_unicode_t image_path;
    rd_unicode_t command_line;
    const WCHAR *environment; // "NAME=value\0" ..., ends with an empty one
} rd_process_parameters_t;

typedef struct rd_peb {
    UCHAR flags[4];
    void *mutant;
    void *image_base;
    rd_ldr_data_t *ldr;
    rd_process_parameters_t *parameters;
} rd_peb_t;

typedef struct rd_io_status {
    void *status;
    ULONG_PTR information;
} rd_io_status_t;

typedef struct rd_object_attributes {
    ULONG length;
    HANDLE root;
    rd_unicode_t *name;
    ULONG attributes;
    void *security;
    void *quality;
} rd_object_attributes_t;

// Loaded and unloaded have the same layout.
typedef struct rd_ldr_notification {
    ULONG flags;
    const rd_unicode_t *full_name;
    const rd_unicode_t *base_name;
    void *base;
    ULONG image_size;
} rd_ldr_notification_t;

typedef VOID NTAPI rd_ldr_notify_fun(ULONG reason, const rd_ldr_notification_t *data, void *arg);

NTSYSAPI rd_ntstatus_t NTAPI NtProtectVirtualMemory(HANDLE process, void **base, SIZE_T *size,
                                                    ULONG protect, ULONG *old);
NTSYSAPI rd_ntstatus_t NTAPI NtAllocateVirtualMemory(HANDLE process, void **base,
                                                     ULONG_PTR zero_bits, SIZE_T *size, ULONG type,
                                                     ULONG protect);
NTSYSAPI rd_ntstatus_t NTAPI NtFreeVirtualMemory(HANDLE process, void **base, SIZE_T *size,
                                                 ULONG type);
NTSYSAPI rd_ntstatus_t NTAPI NtQueryVirtualMemory(HANDLE process, const void *address, ULONG what,
                                                  void *info, SIZE_T size, SIZE_T *returned);
NTSYSAPI rd_ntstatus_t NTAPI NtFlushInstructionCache(HANDLE process, const void *base, SIZE_T size);
NTSYSAPI rd_ntstatus_t NTAPI NtClose(HANDLE handle);
NTSYSAPI rd_ntstatus_t NTAPI NtWriteFile(HANDLE file, HANDLE event, void *apc, void *apc_arg,
                                         rd_io_status_t *io, const void *data, ULONG size,
                                         LARGE_INTEGER *offset, ULONG *key);
NTSYSAPI rd_ntstatus_t NTAPI NtWaitForSingleObject(HANDLE object, BOOLEAN is_alertable,
                                                   LARGE_INTEGER *timeout);
NTSYSAPI rd_ntstatus_t NTAPI NtCreateFile(HANDLE *file, ACCESS_MASK access,
                                          rd_object_attributes_t *attributes, rd_io_status_t *io,
                                          LARGE_INTEGER *size, ULONG file_attributes, ULONG share,
                                          ULONG disposition, ULONG options, void *ea,
                                          ULONG ea_size);
NTSYSAPI BOOLEAN NTAPI RtlDosPathNameToNtPathName_U(const WCHAR *dos, rd_unicode_t *nt,
                                                    const WCHAR **file_part, void *reserved);
NTSYSAPI VOID NTAPI RtlFreeUnicodeString(rd_unicode_t *string);
NTSYSAPI BOOLEAN NTAPI RtlFreeHeap(HANDLE heap, ULONG flags, void *block);
NTSYSAPI void *NTAPI RtlReAllocateHeap(HANDLE heap, ULONG flags, void *block, SIZE_T size);
NTSYSAPI SIZE_T NTAPI RtlSizeHeap(HANDLE heap, ULONG flags, const void *block);
NTSYSAPI BOOLEAN NTAPI RtlDllShutdownInProgress(void);
NTSYSAPI rd_ntstatus_t NTAPI LdrAddRefDll(ULONG flags, void *module);
NTSYSAPI rd_ntstatus_t NTAPI LdrLockLoaderLock(ULONG flags, ULONG *state, ULONG_PTR *cookie);
NTSYSAPI rd_ntstatus_t NTAPI LdrUnlockLoaderLock(ULONG flags, ULONG_PTR cookie);
NTSYSAPI VOID NTAPI RtlAcquirePebLock(void);
NTSYSAPI VOID NTAPI RtlReleasePebLock(void);
// LdrRegisterDllNotification and LdrUnregisterDllNotification: found by name, as the SDK's import
// library lacks them.
typedef rd_ntstatus_t NTAPI rd_ldr_register_fun(ULONG flags, rd_ldr_notify_fun *callback, void *arg,
                                                void **cookie);
typedef rd_ntstatus_t NTAPI rd_ldr_unregister_fun(void *cookie);
NTSYSAPI rd_ntstatus_t NTAPI NtGetNextThread(HANDLE process, HANDLE thread, ACCESS_MASK access,
                                             ULONG attributes, ULONG flags, HANDLE *next);
NTSYSAPI rd_ntstatus_t NTAPI NtSuspendThread(HANDLE thread, ULONG *previous);
NTSYSAPI rd_ntstatus_t NTAPI NtResumeThread(HANDLE thread, ULONG *previous);
NTSYSAPI rd_ntstatus_t NTAPI NtGetContextThread(HANDLE thread, CONTEXT *context);
NTSYSAPI rd_ntstatus_t NTAPI NtQueryInformationThread(HANDLE thread, ULONG what, void *info,
                                                      ULONG size, ULONG *returned);
NTSYSAPI rd_ntstatus_t NTAPI NtYieldExecution(void);
