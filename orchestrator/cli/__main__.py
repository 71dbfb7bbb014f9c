"""`python -m orchestrator.cli` is `sdlab`."""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
