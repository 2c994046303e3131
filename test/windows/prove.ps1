# SPDX-License-Identifier: MIT
# Shows on a Windows machine what the tests under Wine cannot: the assumptions listed in
# docs/windows-assumptions.md. Run it on a build folder whose tests were built:
#   test/windows/prove.ps1 -Build build/win
# It has not been run yet. Ends with "N passed, N failed"; exit status 0: all passed.
param([Parameter(Mandatory = $true)][string]$Build)
$ErrorActionPreference = 'Stop'
$bin = (Resolve-Path (Join-Path $Build 'bin')).Path
$work = Join-Path ([IO.Path]::GetTempPath()) ("prove-" + [Guid]::NewGuid())
New-Item -ItemType Directory $work | Out-Null
Copy-Item (Join-Path $bin '*.dll'), (Join-Path $bin '*.exe') $work
Set-Location $work
$passed = 0
$failed = 0

function Judge([string]$name, [bool]$isGood, $seen) {
    if ($isGood) { $script:passed++; Write-Output "ok   $name" }
    else { $script:failed++; Write-Output "FAIL ${name}: $seen" }
}

# Runs a program with a setting of ours; gives its exit status and all of its output.
function Invoke-Program([string]$program, [string[]]$arguments, [hashtable]$settings = @{}) {
    foreach ($name in $settings.Keys) { Set-Item "env:$name" $settings[$name] }
    try {
        $text = & (Join-Path $work $program) @arguments 2>&1 | Out-String
        @{ Status = $LASTEXITCODE; Text = $text }
    } finally {
        foreach ($name in $settings.Keys) { Remove-Item "env:$name" }
    }
}

function Test-Yes($r) { ($r.Status -eq 0) -and ($r.Text -match 'redirected: yes') }

$system = [Diagnostics.FileVersionInfo]::GetVersionInfo("$env:windir\System32\ucrtbase.dll")
Write-Output "Windows $([Environment]::OSVersion.Version), ucrtbase.dll $($system.FileVersion)"

# Order of loading, code of the real runtime, the self-test, no deadlock under the loader lock.
$r = Invoke-Program 'test_classic_link.exe' @() @{ MIMALLOC_VERBOSE = '1' }
Judge 'a linked program is redirected' (Test-Yes $r) $r.Text
$r = Invoke-Program 'test_classic_late.exe' @() @{ MIMALLOC_VERBOSE = '1' }
Judge 'blocks from before the allocator are served' ($r.Status -eq 0) $r.Text

# A changed import table is accepted by the system's loader, and undone again.
$r = Invoke-Program 'minject.exe' @('--inplace', '--force', 'classic_plain.exe')
Judge 'minject changes a program' ($r.Status -eq 0) $r.Text
$r = Invoke-Program 'classic_plain.exe' @() @{ MIMALLOC_VERBOSE = '1' }
Judge 'the changed program is redirected' (Test-Yes $r) $r.Text

# The second engine, and the switch.
$r = Invoke-Program 'classic_plain.exe' @() `
    @{ MIMALLOC_VERBOSE = '1'; MIMALLOC_REDIRECT_MODE = 'imports' }
Judge 'import tables do it too' (Test-Yes $r) $r.Text
$r = Invoke-Program 'classic_plain.exe' @() `
    @{ MIMALLOC_VERBOSE = '1'; MIMALLOC_DISABLE_REDIRECT = '1' }
Judge 'it can be turned off' `
    (($r.Status -ne 0) -and ($r.Text -match 'redirected: no')) $r.Text

# ARM64: only code of the program's own processor is changed, also where the runtime is hybrid.
if ([Runtime.InteropServices.RuntimeInformation]::OSArchitecture -eq 'Arm64') {
    $image = [IO.File]::ReadAllBytes((Join-Path $work 'classic_plain.exe'))
    $machine = [BitConverter]::ToUInt16($image, [BitConverter]::ToInt32($image, 0x3C) + 4)
    $r = Invoke-Program 'classic_plain.exe' @() `
        @{ MIMALLOC_VERBOSE = '2'; MIMALLOC_REDIRECT_MODE = 'code' }
    Judge 'ARM64: redirected by code' (Test-Yes $r) $r.Text
    if ($machine -eq 0xAA64) {
        $form = ' malloc at \S+: code, (\w\w ){4}-> (\w\w ){3}1[4-7] '
        Judge 'ARM64: a word is replaced by b' ($r.Text -match $form) $r.Text
    } elseif ($machine -eq 0x8664) {
        $form = ' malloc at \S+: code, 48 8b c4 48 89 -> e9 '
        Judge 'x64 on ARM64: a fast-forward sequence is replaced' ($r.Text -match $form) $r.Text
    }
    $r = Invoke-Program 'classic_plain.exe' @() `
        @{ MIMALLOC_VERBOSE = '1'; MIMALLOC_REDIRECT_MODE = 'imports' }
    Judge 'ARM64: redirected by import tables' (Test-Yes $r) $r.Text
}

# Mitigations: each is a policy of the system for this program's name.
foreach ($policy in 'CFG', 'StrictCFG', 'BlockDynamicCode', 'UserShadowStack', 'HighEntropy') {
    try { Set-ProcessMitigation -Name 'classic_plain.exe' -Enable $policy }
    catch { Write-Output "     ${policy}: this system does not let it be set: $_"; continue }
    try {
        $r = Invoke-Program 'classic_plain.exe' @() @{ MIMALLOC_VERBOSE = '1' }
        Judge "redirected with $policy" (Test-Yes $r) $r.Text
    } finally {
        Set-ProcessMitigation -Name 'classic_plain.exe' -Remove -Disable $policy
    }
}

# The rest of the suite is CTest's: blocks of every group, threads, exit, refusals.
Set-Location $bin
Remove-Item -Recurse -Force $work
Write-Output "$passed passed, $failed failed"
exit [int]($failed -ne 0)
