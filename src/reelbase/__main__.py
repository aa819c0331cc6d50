"""`python -m reelbase`."""

from reelbase.cli.main import main

if __name__ == "__main__":
    main()
