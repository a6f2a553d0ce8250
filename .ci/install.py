"""pip install, with a sign of life: `install.py ARGUMENT …`. On a terminal a line that changes, else one every 10 s."""

import select
import subprocess
import sys
import time

TERMINAL = sys.stdout.isatty()
SECONDS = 1 if TERMINAL else 10
CLEAR_LINE = "\r\033[K"
PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")


def main(arguments: list[str]) -> int:
    """Return pip's exit status; what it said is shown only where it failed."""
    output, began = b"", time.monotonic()
    shown = began
    with subprocess.Popen([*PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as pip:
        while pip.stdout:
            if select.select([pip.stdout], [], [], 1)[0]:
                if not (chunk := pip.stdout.read(65536)):
                    break
                output += chunk
            if time.monotonic() - shown >= SECONDS:
                shown = time.monotonic()
                show(output, shown - began)
    sys.stdout.write(CLEAR_LINE if TERMINAL else "")
    if pip.returncode:
        sys.stderr.write(output.decode(errors="replace"))
    return pip.returncode


def show(output: bytes, seconds: float) -> None:
    doing = "installing" if b"\nInstalling collected packages" in output else "downloading"
    line = f"  {doing}, {output.count(b'Collecting ')} packages so far, {seconds:.0f} s"
    sys.stdout.write(f"{CLEAR_LINE}{line}" if TERMINAL else f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
