"""Runs the main job on real input: `examples/quality.yaml` on a fresh scratch clone of this project.

Kill it in the middle if you like; `maestri resume @last` goes on where it was.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".try"


def main() -> int:
    """Make the scratch clone, run the example, and show the report."""
    clone, report = SCRATCH / "clone", SCRATCH / "quality-report.md"
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir()
    print(f"cloning this project into {clone.relative_to(ROOT)}", flush=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    maestri = str(Path(sys.prefix) / "bin" / "maestri")
    shown = "maestri run examples/quality.yaml -i repo=.try/clone -i report=.try/quality-report.md"
    print(f"{shown} -i python=.venv/bin/python", flush=True)
    print("kill it when you like: `.venv/bin/maestri resume @last` goes on where it was\n", flush=True)
    inputs = ["-i", f"repo={clone}", "-i", f"report={report}", "-i", f"python={sys.executable}"]
    ended = subprocess.run([maestri, "run", "examples/quality.yaml", *inputs], cwd=ROOT, check=False)
    if ended.returncode == 0:
        print(f"\n{report.relative_to(ROOT)}:\n")
        print("\n".join(report.read_text(encoding="utf-8").splitlines()[:30]))
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
