#!/usr/bin/env python3
"""run.py CPU_SECONDS [TARGET...]: fuzzes, and keeps what is new.

Builds the targets with ASan and UBSan (clang) in build-fuzz (environment BUILD: elsewhere), gives each the CPU time on one
core, and writes a small corpus back to tests/fuzz/corpus/TARGET. What crashes lies in BUILD/found/TARGET-*; put it, with a
name that tells what it was, into the corpus together with the fix: files with other names than hashes are kept for ever.
"""
import glob
import os
import re
import resource
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build-fuzz"))
SLICE, KEEP_BYTES, KEEP_LEN = 120, 150_000, 2048
FLAGS = ["-rss_limit_mb=2048", "-timeout=120", "-entropic=0", "-print_final_stats=1"]


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", BUILD, ROOT, "-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false",
                        "-Dbuildtype=debugoptimized", "-Dndpi=disabled"], check=True, env={**os.environ, "CC": "clang"})
    subprocess.run(["ninja", "-C", BUILD], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, os.path.join(ROOT, "tests/fuzz/seeds.py"), ROOT, os.path.join(BUILD, "seeds")], check=True)


def cpu():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def fuzz(target, seconds):
    work, seeds = (os.path.join(BUILD, d, target) for d in ("work", "seeds"))
    corpus, found = os.path.join(ROOT, "tests/fuzz/corpus", target), os.path.join(BUILD, "found")
    for d in (work, seeds, corpus, found):
        os.makedirs(d, exist_ok=True)
    exe = os.path.join(BUILD, "tests/fuzz/fuzz_" + target)
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
           "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    start, runs = cpu(), 0
    while cpu() - start < seconds:
        p = subprocess.run([exe, f"-max_total_time={SLICE}", "-max_len=8192", f"-artifact_prefix={found}/{target}-", *FLAGS,
                            work, corpus, seeds], env=env, capture_output=True, text=True, errors="replace")
        m = re.search(r"number_of_executed_units: (\d+)", p.stderr)
        runs += int(m[1]) if m else 0
        if p.returncode:
            with open(os.path.join(found, target + ".log"), "w") as f:
                f.write(p.stderr[-20000:])
            print(f"{target}: found something: {found}/{target}.log", flush=True)
            return False
    print(f"{target}: {runs} runs in {cpu() - start:.0f} s of CPU", flush=True)
    keep(exe, target, corpus, work, seeds)
    return True


def keep(exe, target, corpus, work, seeds):
    new = work + ".min"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    subprocess.run([exe, "-merge=1", f"-max_len={KEEP_LEN}", *FLAGS, new, corpus, work, seeds], capture_output=True)
    for f in glob.glob(os.path.join(corpus, "*")):
        if re.fullmatch(r"[0-9a-f]{16,40}", os.path.basename(f)):
            os.remove(f)
    total = 0
    for f in sorted(glob.glob(os.path.join(new, "*")), key=lambda f: (os.path.getsize(f), f)):
        total += os.path.getsize(f)
        if total <= KEEP_BYTES:
            shutil.copy(f, corpus)


def main():
    build()
    targets = sys.argv[2:] or sorted(os.path.basename(f)[5:] for f in glob.glob(os.path.join(BUILD, "tests/fuzz/fuzz_*"))
                                     if os.access(f, os.X_OK) and os.path.isfile(f))
    return 0 if all([fuzz(t, float(sys.argv[1])) for t in targets]) else 1


if __name__ == "__main__":
    sys.exit(main())
