"""`python -m maestri` is the command `maestri`."""

import sys

from maestri.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
