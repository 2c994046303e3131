# SPDX-License-Identifier: MIT
# Shows on a Windows machine what the tests under Wine cannot: one proof for each row of
# docs/windows-assumptions.md, by the row's id. Run it on a build folder whose tests were built:
#   prove.ps1 -Build build/win [-Only ID,...] [-Report prove.txt] [-SmallVolume E:] [-Heavy]
# A proof that this machine or build cannot give is named with its reason, and is not counted as passed.
# -SmallVolume names a nearly full volume; -Heavy allows what strains the machine (the paging file).
# Runs in Windows PowerShell 5.1, which every Windows has, and in PowerShell 7. It has not been run on
# Windows yet; the lint "proofs" only parses it and compares its ids with the document's.
# Ends with "N passed, N failed"; exit status 0: none failed.
#requires -Version 5.1
param(
    [Parameter(Mandatory = $true)][string]$Build,
    [string[]]$Only = @(),
    [string]$Report = 'prove.txt',
    [string]$SmallVolume = '',
    [switch]$Heavy
)
$ErrorActionPreference = 'Stop'
$Only = @($Only | ForEach-Object { $_ -split ',' }) # powershell -File gives one word
$Build = (Resolve-Path $Build).Path
$bin = Join-Path $Build 'bin'
$work = Join-Path ([IO.Path]::GetTempPath()) ("prove-" + [Guid]::NewGuid())
New-Item -ItemType Directory $work | Out-Null
Copy-Item (Join-Path $bin '*.dll'), (Join-Path $bin '*.exe') $work
$Report = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Report)
Set-Content -Path $Report -Value @()

# Written at once: of a proof that hangs the report ends before its line.
function Say([string]$text) {
    Add-Content -Path $Report -Value $text
    Write-Output $text
}

# This machine, or this build, cannot show it: said with the reason, not counted.
function Stop-Here([string]$reason) { throw [NotSupportedException]::new($reason) }

function Assert-That([bool]$isSo, $seen) { if (-not $isSo) { throw "$seen" } }

# Runs a command; gives its exit status and all of its output. To Windows PowerShell each line on
# standard error is an error, which is to stop nothing here.
function Invoke-Native([string]$path, [string[]]$arguments) {
    $ErrorActionPreference = 'Continue'
    $text = (& $path @arguments 2>&1 | ForEach-Object { "$_" }) -join "`n"
    @{ Status = $LASTEXITCODE; Text = $text }
}

# Runs a program with settings of ours.
function Invoke-Program([string]$program, [string[]]$arguments = @(), [hashtable]$settings = @{}) {
    $path = Join-Path $work $program
    if (-not (Test-Path $path)) { Stop-Here "this build has no $program" }
    foreach ($name in $settings.Keys) { Set-Item "env:$name" $settings[$name] }
    try { Invoke-Native $path $arguments }
    finally { foreach ($name in $settings.Keys) { Remove-Item "env:$name" } }
}

function Assert-Program([string]$program, [string[]]$arguments = @(), [hashtable]$settings = @{}) {
    $r = Invoke-Program $program $arguments $settings
    Assert-That ($r.Status -eq 0) $r.Text
}

function Assert-Redirected([string]$program, [string[]]$arguments = @(), [hashtable]$settings = @{}) {
    $r = Invoke-Program $program $arguments ($settings + @{ MIMALLOC_VERBOSE = '1' })
    Assert-That (($r.Status -eq 0) -and ($r.Text -match 'redirected: yes')) $r.Text
}

# The tests of the build whose name matches.
function Invoke-Suite([string]$regex) {
    if (-not (Get-Command ctest -ErrorAction Ignore)) { Stop-Here 'there is no ctest in PATH' }
    $options = '--test-dir', $Build, '--output-on-failure', '--no-tests=error', '-LE', '^long$'
    $r = Invoke-Native 'ctest' ($options + '-R' + $regex)
    if ($r.Text -match 'No tests were found') { Stop-Here "this build has no test $regex" }
    Assert-That ($r.Status -eq 0) $r.Text
}

# A program that knows nothing of the allocator, changed by minject; made once.
function Get-Injected {
    if (-not (Test-Path (Join-Path $work 'classic_plain-mi.exe'))) {
        Assert-Program 'minject.exe' @('--force', 'classic_plain.exe')
    }
    'classic_plain-mi.exe'
}

# 'x64', 'x86' or 'arm64': of the build.
function Get-Machine {
    $image = [IO.File]::ReadAllBytes((Join-Path $work 'minject.exe'))
    $machine = [BitConverter]::ToUInt16($image, [BitConverter]::ToInt32($image, 0x3C) + 4)
    switch ($machine) { 0x8664 { 'x64' } 0x14C { 'x86' } 0xAA64 { 'arm64' } default { "$machine" } }
}

function Use-Machine([string]$machine) {
    $own = Get-Machine
    if ($own -ne $machine) { Stop-Here "the build is for $own, not for $machine" }
}

# x64 programs on ARM64 Windows. The system is asked: an emulated process is told of another processor.
function Use-Emulation {
    Use-Machine 'x64'
    $system = (Get-CimInstance Win32_OperatingSystem).OSArchitecture
    if ($system -notmatch 'ARM') { Stop-Here "the system is $system" }
}

function Use-MicrosoftMode {
    $file = Join-Path $Build 'CMakeCache.txt'
    $cache = if (Test-Path $file) { Get-Content $file -Raw } else { '' }
    if ($cache -notmatch 'CMAKE_C_COMPILER:\w+=.*\b(clang-)?cl\.exe') {
        Stop-Here 'the build was not made by cl.exe or clang-cl.exe'
    }
}

# A policy of the system for the changed program's name, and then the program.
function Assert-UnderPolicy([string]$policy) {
    $program = Get-Injected
    try { Set-ProcessMitigation -Name $program -Enable $policy }
    catch { Stop-Here "this system does not let $policy be set: $_" }
    try { Assert-Redirected $program }
    finally { Set-ProcessMitigation -Name $program -Remove -Disable $policy }
}

# The first bytes of a function of the C runtime in this PowerShell.
function Get-RuntimeBytes([string]$name) {
    $type = Add-Type -PassThru -Namespace Prove -Name "Native$([Guid]::NewGuid().ToString('N'))" `
        -MemberDefinition @'
[DllImport("kernel32", CharSet = CharSet.Unicode)]
public static extern IntPtr LoadLibraryW(string name);
[DllImport("kernel32", CharSet = CharSet.Ansi)]
public static extern IntPtr GetProcAddress(IntPtr module, string name);
'@
    $address = $type::GetProcAddress($type::LoadLibraryW('ucrtbase.dll'), $name)
    $bytes = [byte[]]::new(16)
    [Runtime.InteropServices.Marshal]::Copy($address, $bytes, 0, 16)
    [BitConverter]::ToString($bytes)
}

$inDetail = @{ MIMALLOC_VERBOSE = '2'; MIMALLOC_REDIRECT_MODE = 'code' }
$proofs = [ordered]@{
    'load-order' = {
        Assert-Redirected 'test_classic_link.exe'
        Assert-Redirected (Get-Injected)
    }
    'exit-codes' = {
        $r = Invoke-Program 'prove_memory.exe' @('fault')
        Assert-That (('{0:X8}' -f $r.Status) -eq 'C0000005') "exit code $($r.Status)"
    }
    'runtime-code' = { Assert-Redirected (Get-Injected) @() @{ MIMALLOC_REDIRECT_MODE = 'code' } }
    'arm64-store' = {
        Use-Machine 'arm64'
        $r = Invoke-Program (Get-Injected) @() $inDetail
        Assert-That ($r.Text -match ' malloc at \S+: code, (\w\w ){4}-> (\w\w ){3}1[4-7] ') $r.Text
        Invoke-Suite '^redirect\.late_threads\.code'
    }
    'arm64-x18' = { Use-Machine 'arm64'; Invoke-Suite '^(redirect\.override_life|api\.threads)' }
    'unwind' = { Invoke-Suite '^redirect\.(override|redirect)_throwing_handler\.' }
    'arm64-bti' = {
        Use-Machine 'arm64'
        Assert-Redirected (Get-Injected) @() @{ MIMALLOC_REDIRECT_MODE = 'code' }
    }
    'arm64x-headers' = { Use-Machine 'arm64'; Assert-Redirected (Get-Injected) }
    'arm64ec-entry' = {
        Use-Emulation
        $r = Invoke-Program (Get-Injected) @() $inDetail
        Assert-That ($r.Text -match ' malloc at \S+: code, 48 8b c4 48 89 -> e9 ') $r.Text
    }
    'arm64ec-flush' = {
        Use-Emulation
        Assert-Redirected (Get-Injected) @() @{ MIMALLOC_REDIRECT_MODE = 'code' }
        Invoke-Suite '^redirect\.exercise_late\.code'
    }
    'inner-calls' = { Invoke-Suite '^redirect\.(override_)?exercise_(early|late)\.code$' }
    'msvc-headers' = { Use-MicrosoftMode; Invoke-Suite '^(unit|api)\.' }
    'msvc-include' = {
        if (-not (Get-Command cl -ErrorAction Ignore)) { Stop-Here 'there is no cl.exe in PATH' }
        $library = Get-ChildItem (Join-Path $Build 'lib') -Filter 'mimalloc-override.lib'
        if (-not $library) { Stop-Here 'this build has no mimalloc-override.lib' }
        Set-Content (Join-Path $work 'forced.c') 'int main(void) { return 0; }'
        $symbol = if ((Get-Machine) -eq 'x86') { '_mi_version' } else { 'mi_version' }
        $made = Invoke-Native 'cl' ('/nologo', '/MD', 'forced.c', $library.FullName, '/link',
            "/INCLUDE:$symbol")
        Assert-That ($made.Status -eq 0) $made.Text
        $r = Invoke-Program 'minject.exe' @('--list', 'forced.exe')
        Assert-That ($r.Text -match 'mimalloc-override\.dll') $r.Text
    }
    'import-section' = { Assert-Redirected (Get-Injected) }
    'no-iat' = { Invoke-Suite '^minject\.run$' }
    'raw-data' = { Invoke-Suite '^minject\.run$' }
    'run-suspended' = { Assert-Redirected 'minject.exe' @('run', 'classic_plain.exe') }
    'far-imports' = { Assert-Redirected 'minject.exe' @('run', 'classic_plain.exe') }
    'atomic-move' = {
        $old = (Get-FileHash (Join-Path $work 'classic_plain.exe')).Hash
        $new = (Get-FileHash (Join-Path $work (Get-Injected))).Hash
        $target = Join-Path $work 'moved.exe'
        for ($i = 0; $i -lt 200; $i++) {
            Copy-Item (Join-Path $work 'classic_plain.exe') $target -Force
            $process = Start-Process (Join-Path $work 'minject.exe') -PassThru -WindowStyle Hidden `
                -ArgumentList '--inplace', '--force', 'moved.exe'
            Start-Sleep -Milliseconds ($i % 20)
            if (-not $process.HasExited) { try { $process.Kill() } catch { } }
            $process.WaitForExit()
            $seen = (Get-FileHash $target).Hash
            $isWhole = ($seen -eq $old) -or ($seen -eq $new)
            Assert-That $isWhole "round ${i}: neither the old file nor the new"
        }
    }
    'reserve-space' = {
        Invoke-Suite '^minject\.cli$'
        if ($SmallVolume -eq '') { Stop-Here 'it needs -SmallVolume, with less than 100 KiB free' }
        $target = Join-Path $SmallVolume 'full.exe'
        Copy-Item (Join-Path $work 'classic_plain.exe') $target
        $before = (Get-FileHash $target).Hash
        $r = Invoke-Program 'minject.exe' @('--inplace', '--force', $target)
        Assert-That ($r.Status -ne 0) 'the disk was not full'
        Assert-That ((Get-FileHash $target).Hash -eq $before) 'the file was damaged'
        $left = @(Get-ChildItem $SmallVolume -Filter '*full*').Count
        Assert-That ($left -eq 1) 'something was left behind'
    }
    'teb-slots' = { Invoke-Suite '^(api\.(threads|tls_slots)|unit\.compiler)$' }
    'teb-zero' = { Invoke-Suite '^api\.tls_slots$' }
    'tls-order' = { Invoke-Suite '^api\.threads(_archive)?$' }
    'loader-lock' = { Invoke-Suite '^(unit\.random|api\.first_in_loader)$' }
    'virtual-alloc2' = { Invoke-Suite '^(unit\.os|api\.heap)$' }
    'paging-file' = {
        if (-not $Heavy) { Stop-Here 'it fills the paging file: only with -Heavy' }
        Assert-Program 'prove_memory.exe' @('paging-file')
    }
    'large-pages' = {
        if ((Invoke-Native 'whoami' @('/priv')).Text -notmatch 'SeLockMemoryPrivilege') {
            Stop-Here 'this account may not lock memory'
        }
        Assert-Program 'prove_memory.exe' @('large-pages')
    }
    'guard-table' = {
        foreach ($policy in 'CFG', 'StrictCFG', 'UserShadowStack', 'HighEntropy') {
            Assert-UnderPolicy $policy
        }
    }
    'mapped-first' = { Invoke-Suite '^redirect\.(stock_contract|exercise_early)\.' }
    'quiet-start' = { Invoke-Suite '^redirect\.(override_)?exercise_early\.' }
    'heap-handle' = { Invoke-Suite '^redirect\.(override_)?kept_blocks\.' }
    'environment-lock' = { Invoke-Suite '^redirect\.switches\.' }
    'switch-lock' = {
        for ($i = 0; $i -lt 20; $i++) { Invoke-Suite '^redirect\.switch_while_loading\.' }
    }
    'pin' = { Invoke-Suite '^redirect\.(override_)?late_threads\.' }
    'notification' = { Invoke-Suite '^redirect\.(override_)?runtimes\.' }
    'suspend' = {
        for ($i = 0; $i -lt 50; $i++) { Invoke-Suite '^redirect\.(override_)?late_threads\.code' }
    }
    'thread-block' = { Invoke-Suite '^redirect\.(override_)?late_threads\.code' }
    'copy-on-write' = {
        $before = Get-RuntimeBytes 'malloc'
        Assert-Redirected (Get-Injected) @() @{ MIMALLOC_REDIRECT_MODE = 'code' }
        Assert-That ((Get-RuntimeBytes 'malloc') -eq $before) 'the bytes of other processes changed'
    }
    'code-guard' = { Assert-UnderPolicy 'BlockDynamicCode' }
    'heap-forwarders' = { Invoke-Suite '^redirect\.heap_rescue\.' }
    'debug-header' = { Invoke-Suite '^redirect\.debug_(runtime|real_late)\.' }
    'debug-start' = { Invoke-Suite '^redirect\.debug_(runtime|real)_early\.' }
    'wow64-run' = {
        Use-Machine 'x86'
        Assert-Redirected 'minject.exe' @('run', '--children', 'classic_plain.exe')
    }
    'cl-layer' = {
        Use-MicrosoftMode
        Invoke-Suite '^(unit|api|model|stress|redirect)\.'
    }
    'ntdll-division' = { Use-Machine 'x86'; Use-MicrosoftMode; Invoke-Suite '^api\.' }
    'job-limit' = { Assert-Program 'prove_memory.exe' @('job-limit') }
    'killed-thread' = {
        Invoke-Suite '^redirect\.override_life\.'
        Assert-Program 'prove_memory.exe' @('killed-thread')
    }
    'caller' = { Invoke-Suite '^redirect\.lookups\.imports' }
    'delay-load' = { Invoke-Suite '^redirect\.lookups_late\.imports' }
}

foreach ($id in $Only) { if (-not $proofs.Contains($id)) { throw "there is no proof $id" } }
$system = [Diagnostics.FileVersionInfo]::GetVersionInfo("$env:windir\System32\ucrtbase.dll")
Say "Windows $([Environment]::OSVersion.Version), ucrtbase.dll $($system.FileVersion)"
Say "the build is for $(Get-Machine)"
$passed = 0
$failed = 0
$open = 0
foreach ($id in $proofs.Keys) {
    if (($Only.Count -gt 0) -and ($Only -notcontains $id)) { continue }
    Push-Location $work
    try {
        & $proofs[$id] | Out-Null
        $passed++
        Say "ok   $id"
    } catch [NotSupportedException] {
        $open++
        Say "open ${id}: $($_.Exception.Message)"
    } catch {
        $failed++
        Say "FAIL ${id}: $($_.Exception.Message)"
    } finally {
        Pop-Location
    }
}
Remove-Item -Recurse -Force $work -ErrorAction SilentlyContinue
Say "$open cannot be shown on this machine or with this build"
Say "$passed passed, $failed failed"
exit [int]($failed -ne 0)
