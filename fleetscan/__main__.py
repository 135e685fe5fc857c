"""The way in: `fleetscan` and `python -m fleetscan`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; does not return."""
    from fleetscan.cli import run

    run()


if __name__ == "__main__":
    main()
