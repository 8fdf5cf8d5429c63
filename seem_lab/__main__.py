"""`python -m seem_lab ...` is `seem-lab ...`."""

from seem_lab.cli import main

if __name__ == "__main__":
    main()
